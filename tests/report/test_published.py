"""Published rows: beside real results, apart from them, and never in the demo (test_report.py)."""

import dataclasses
import re
import shutil
import subprocess

import pytest

from lift.config import load
from lift.report import page, tables, texts
from lift.report.tables.means import of_benchmark
from lift.report.tables.table import to_csv, to_latex, to_markdown
from tests.report import fake

WITH_BLOCKS = {"results_vimeo90k", "results_ucf101", "results_davis", "snu_film_difficulty"}


@pytest.fixture(scope="module")
def thesis(results):
    """Made-up results as the thesis profile would have them: footage of the data sets."""
    config = load(fake.ROOT / "params.yaml", "thesis")
    config = dataclasses.replace(
        config, ablations=tuple(name for name in config.ablations if name in results.configs)
    )
    real = {name: name == "scenes" for name in results.procedural}
    return dataclasses.replace(results, config=config, procedural=real)


@pytest.fixture(scope="module")
def built(found, thesis):
    return {table.name: table for table in tables.build(dataclasses.replace(found, results=thesis))}


def test_the_thesis_has_published_rows_in_a_block_of_their_own(built):
    assert {name for name, table in built.items() if table.block} == WITH_BLOCKS
    for name in WITH_BLOCKS:
        table = built[name]
        assert not set(table.frame["method"]) & set(table.block.frame["method"])
        assert not any(cell.mark for row in table.block.cells for cell in row)
        assert "VFIT-B" not in to_csv(table)


@pytest.mark.parametrize("rendered", ["train", "davis"])
def test_stand_ins_on_either_side_keep_them_out(thesis, rendered):
    mixed = dataclasses.replace(thesis, procedural={**thesis.procedural, rendered: True})
    assert of_benchmark(thesis, "davis").block is not None
    assert of_benchmark(mixed, "davis").block is None


def test_every_row_names_its_source_and_protocol_and_a_known_table(built):
    data = texts.read("published.yaml")
    for name, rows in data["tables"].items():
        assert name in built
        for row in rows:
            assert row["source"] in data["sources"]
            assert row["protocol"] in data["protocols"]
            assert any(key.startswith("psnr") for key in row)
    used = {(row["protocol"], row["source"]) for rows in data["tables"].values() for row in rows}
    assert {protocol for protocol, _ in used} == set(data["protocols"])
    assert {source for _, source in used} == set(data["sources"])


def test_every_form_sets_the_block_apart(built):
    table = built["results_vimeo90k"]
    markdown = to_markdown(table).splitlines()
    assert any(line.startswith("> **Vimeo-90K septuplet: published by others") for line in markdown)
    assert any(line.startswith("> | VFIT-B |") for line in markdown)
    assert not any(line.startswith("| VFIT-B") for line in markdown)
    text = to_latex(table)
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2
    assert text.index(r"\itshape") < text.index("VFIT-B")
    assert text.count(r"\begin{table}") == text.count(r"\label{") == 2
    assert text.isascii()


def test_the_page_and_the_files_hold_the_block(thesis, built, found, tmp_path):
    tables.write(list(built.values()), tmp_path / "tables")
    own = dataclasses.replace(found, results=thesis)
    page.write(own, list(built.values()), [], tmp_path)
    text = (tmp_path / "index.html").read_text(encoding="utf-8")
    blocks = re.findall(r'<div class="published">.*?</div>\s*</div>', text, re.DOTALL)
    assert len(blocks) == len(WITH_BLOCKS)
    assert any("VFIT-B" in block and "Source 1: " in block for block in blocks)
    assert text.count("VFIT-B") == sum(block.count("VFIT-B") for block in blocks)
    for name in WITH_BLOCKS:
        assert (tmp_path / "tables" / "published" / f"{name}.csv").is_file()


def test_latex_with_blocks_compiles_as_it_is(built, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on this machine")
    tables.write([built[name] for name in sorted(WITH_BLOCKS)], tmp_path / "tables")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path / "tables", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
    assert "Float too large" not in done.stdout
