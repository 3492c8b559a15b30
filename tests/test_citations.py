"""Every citation of the project's own documents resolves: a file, and in it the heading that is named.

The forms: "specification section 3.2" and "protocols section 5" for numbered headings of
docs/specification.md and docs/protocols.md; `docs/NAME.md`, alone or followed by `, "Heading"` (or how the
heading begins); Markdown links.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("lift", "stages", "benchmarks", "slurm", "tests", "docs", ".ci", ".github")
SUFFIXES = {".py", ".yaml", ".yml", ".md", ".toml", ".sbatch", ".sh", ".html", ".j2", ""}
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(
        [*ROOT.glob("*"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*"))]
    )
    if path.is_file()
    and path.suffix in SUFFIXES
    and path != Path(__file__).resolve()
    and "__pycache__" not in path.parts
    and path.name not in (".git", "dvc.lock", "LICENSE")
}
# A comment or a docstring may break a citation over two lines.
FLAT = {name: re.sub(r"\s*\n\s*(?:# ?)?", " ", text) for name, text in TEXTS.items()}
PAGES = {name: text for name, text in TEXTS.items() if name.endswith(".md")}

NUMBER = r"\d+(?:\.\d+)?"
SECTION = rf"\b([Ss]pecification|[Pp]rotocols) sections? ({NUMBER})(?: and ({NUMBER}))?"
OTHER_FORMS = (
    rf"\b(?:specification|protocols)(?:\.md)?(?! sections? {NUMBER})[\s,(]{{0,3}}(?:sections? )?\d",
    r"\bspec/\w", r"\bseeds/\w", r"\bstyle\.md", r"\bpipeline\.md", r"\bissues? \d",
    r"\barchitecture[ _]v2", r"\bspecification(?: section \d)?, (?:stage|section|\"|\w+\.md)",
)  # fmt: skip


def headings(page):
    return re.findall(r"^#{1,4} (.+?) *$", re.sub(r"```.*?```", "", page, flags=re.S), re.M)


def numbers(page):
    found = (re.match(rf"({NUMBER})\.? ", heading) for heading in headings(page))
    return {match[1] for match in found if match}


def anchor(heading):
    """Return the anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def cited():
    """List every citation: where it stands, the page, and the section or heading ("": the page alone)."""
    for name, text in FLAT.items():
        for page, *sections in re.findall(SECTION, text):
            yield from ((name, f"docs/{page.lower()}.md", section) for section in sections if section)
        for page, heading in re.findall(r'\b(docs/[\w/]+\.md)(?:, "([^"]+)")?', text):
            yield name, page, heading


CITED = sorted(set(cited()))


def test_there_are_citations_of_each_form():
    targets = {(page, bool(re.match(r"\d", heading))) for _, page, heading in CITED if heading}
    assert {("docs/specification.md", True), ("docs/protocols.md", True)} <= targets


@pytest.mark.parametrize(("where", "page", "heading"), CITED, ids=str)
def test_a_citation_resolves(where, page, heading):
    assert page in PAGES, f"{where} cites {page}, which does not exist"
    known = heading in numbers(PAGES[page]) or any(h.startswith(heading) for h in headings(PAGES[page]))
    assert known, f"{where} cites {heading} of {page}, which is no heading there"


@pytest.mark.parametrize("name", FLAT)
def test_documents_are_cited_in_one_form(name):
    found = [match[0] for form in OTHER_FORMS for match in re.finditer(form, FLAT[name])]
    assert not found, f"{name}: write 'specification section N' or 'docs/NAME.md': {found}"


@pytest.mark.parametrize("name", PAGES)
def test_links_of_a_page_lead_somewhere(name):
    for target, _, place in re.findall(r"\]\((?!https?:)([^)#\s]*)(#([^)\s]+))?\)", PAGES[name]):
        path = (ROOT / name).parent / target if target else ROOT / name
        assert path.exists(), f"{name} links to {target}, which does not exist"
        if place:
            assert place in map(anchor, headings(path.read_text(encoding="utf-8"))), (
                f"{name}: {target}#{place}"
            )
