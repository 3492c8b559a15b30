"""What the report says in words: the templates of texts.yaml, filled in with what was found."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lift.config import yaml12
from lift.report.names import number, number_of, times

HERE = Path(__file__).parent


@cache
def read(name: str) -> Any:
    """Return what a YAML file beside this module holds."""
    return yaml12.read(HERE / name)


def part(name: str) -> Any:
    """Return a part of texts.yaml."""
    return read("texts.yaml")[name]


@cache
def environment(escaped: bool) -> Environment:
    """Return the environment of HTML templates (`escaped`) or of plain text; a name not given is an error."""
    found = Environment(
        loader=FileSystemLoader([HERE / "page", HERE / "tables"]),
        # Not `select_autoescape()`: that goes by the file's suffix, and ours is .j2.
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= part("phrases") | {"number": number, "number_of": number_of, "times": times}
    found.filters |= {"md": markdown, "latex": latex}
    return found


def render(name: str, **words: Any) -> str:
    """Return a template file of page/ or tables/ filled in; values are escaped in one of HTML alone."""
    return environment(escaped=name.endswith(".html.j2")).get_template(name).render(words)


def markdown(text: str) -> str:
    """Escape text for Markdown."""
    return "".join(f"\\{character}" if character in "\\|*_`<>" else character for character in text)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "α": r"$\alpha$", "Σ": r"$\Sigma$", "–": "--", "…": r"\ldots{}",
    "†": r"$\dagger$", "“": "``", "”": "''",
}  # fmt: skip


def latex(text: str) -> str:
    """Escape text for LaTeX, character by character so that no replacement is replaced again.

    Raises:
        ValueError: A character outside ASCII has no replacement here; a document would not compile.
    """
    escaped = "".join(_LATEX.get(character, character) for character in text)
    if not escaped.isascii():
        raise ValueError(f"no LaTeX for {sorted(c for c in set(escaped) if not c.isascii())} in {text!r}")
    return escaped


@cache
def _template(text: str) -> Template:
    return environment(escaped=False).from_string(text)


def lines(texts: Iterable[str], **words: Any) -> list[str]:
    """Return the lines of templates filled in; runs of blanks are one, and empty lines are left out."""
    filled = [line for text in texts for line in _template(text).render(words).splitlines()]
    return [" ".join(line.split()) for line in filled if line.strip()]


def fill(text: str, **words: Any) -> str:
    """Return a template of one line filled in."""
    return " ".join(lines([text], **words))
