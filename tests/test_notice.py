"""What LIFT owes to others is said, with their terms, and how to cite it."""

import tomllib
from pathlib import Path

import yaml

from lift.clips.sources import SOURCES
from lift.fetch.catalogue import CATALOGUE

ROOT = Path(__file__).resolve().parents[1]
NOTICE = (ROOT / "NOTICE.md").read_text(encoding="utf-8")
LINES = [line for line in NOTICE.splitlines() if line.startswith("| ")]
OWN = ("folder", "scenes")  # a user's own footage, and this project's


def test_every_data_set_is_named_with_the_terms_that_download_records():
    for dataset in CATALOGUE.values():
        assert any(dataset.title in line and dataset.licence in line for line in LINES), dataset.title
    assert set(SOURCES) - set(OWN) == set(CATALOGUE)


def test_every_method_that_is_built_on_is_named_with_its_terms():
    for work, terms in (
        ("RIFE", "MIT"),
        ("IFRNet", "MIT"),
        ("IFRVP", "MIT"),
        ("LPIPS", "BSD-2"),
        ("VGG", "BSD-3"),
    ):
        assert any(line.startswith("| ") and work in line and terms in line for line in LINES), work


def test_the_citation_has_what_its_format_demands_and_agrees_with_the_project():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    # The fields that CFF 1.2.0 requires, of the file and of each of its references.
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert citation["authors"][0]["name"] in (ROOT / "LICENSE").read_text(encoding="utf-8")
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)
        assert reference["title"] in NOTICE
