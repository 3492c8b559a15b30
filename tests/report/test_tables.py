"""Tables: marks, numbers as shown, and files that other programs read."""

import csv
import dataclasses
import io
import re
import shutil
import subprocess

import pandas as pd
import pytest

from lift.config import load_all
from lift.report import tables
from lift.report.reading import read, read_measured
from lift.report.tables.means import data as data_table
from lift.report.tables.means import of_benchmark
from lift.report.tables.table import Column, Table, to_csv, to_latex, to_markdown
from lift.report.texts import latex, number
from tests.report import fake


def build(found, **changes):
    return {table.name: table for table in tables.build(dataclasses.replace(found, **changes))}


@pytest.fixture(scope="module")
def built(found):
    return build(found)


def small(*values, better=1, digits=2, **column):
    head = Column("psnr", "PSNR", digits, better, **column)
    frame = pd.DataFrame({"psnr": map(float, values)}).astype(object)
    return Table(name="t", caption="A", columns=[head], frame=frame)


def by_method(table):
    return table.frame.set_index("method")


def marks(table):
    return [row[0].mark for row in table.cells]


def test_best_and_second_best_are_marked_in_the_metrics_direction():
    up, down = small(1, 3, 2), small(1, 3, 2, better=-1)
    for table in (up, down):
        table.mark(pd.Series([0, 0, 0]))
    assert marks(up) == ["", "best", "second"]
    assert marks(down) == ["best", "", "second"]


def test_numbers_that_look_equal_share_a_mark():
    table = small(1.001, 1.002, 0.5)
    table.mark(pd.Series([0, 0, 0]))
    assert marks(table) == ["best", "best", "second"]


def marked(table, methods):
    return list(by_method(table).loc[list(methods), "psnr_mark"]).count("best")


def test_rows_are_marked_among_those_that_are_given_the_same(built, results):
    groups: dict[str, set[str]] = {}
    for method, given in by_method(built["results_ucf101"])["sampling"].items():
        groups.setdefault(given, set()).add(method)
    assert groups["uniform"] == {"uniform", "lift64", "lift64_window16", "flavr"}
    assert {"ctx3", "rife", "ifrnet", "average", "no_context"} <= groups["references only"]
    assert {"lift15", "ctx7"} <= groups["dense"]
    assert all(marked(built["results_ucf101"], methods) == 1 for methods in groups.values())
    assert set(built["results_snu_film"].frame["sampling"]) == {"uniform", "references only"}


def test_two_frame_methods_are_signed_and_others_tell_how_many_frames(built, results):
    for name, table in built.items():
        if name.startswith("results_") or name == "compute":
            assert {"rife †", "lift15"} <= {row[0].text for row in table.cells}
            assert list(by_method(table).loc[["lift64", "flavr", "lift15", "ctx3"], "window"]) == [
                "64 (32+32)", "4 (2+2)", "14 (8+6)", "2 (1+1)",
            ]  # fmt: skip
            assert any(note.startswith("† sees the two references") for note in table.notes)
            assert r"rife $\dagger$" in to_latex(table)
            assert "†" not in to_csv(table)


def test_numbers_are_shown_with_true_minus_signs_and_no_negative_zero():
    assert number(-1.234, 2) == "−1.23"
    assert number(-0.001, 2) == number(0.0, 2, signed=True) == "0.00"
    assert number(float("nan"), 2) == "–"
    assert number(float("inf"), 2) == "none"


def test_a_p_below_the_last_digit_is_not_shown_as_zero():
    table = small(1e-6, 0.00012, digits=4, least=True)
    assert [row[0].text for row in table.cells] == ["<0.0001", "0.0001"]


def test_csv_has_six_significant_digits_and_the_intervals_ends(built):
    rows = list(csv.DictReader(io.StringIO(to_csv(built["comparisons"]))))
    assert {"gain", "gain_low", "gain_high", "p_holm"} <= set(rows[0])
    assert float(rows[0]["gain_low"]) < float(rows[0]["gain"]) < float(rows[0]["gain_high"])
    digits = (
        row["gain"].partition("e")[0].strip("-0.").replace(".", "") for row in rows if row["gain"] != "–"
    )
    assert all(len(text) <= 6 for text in digits)


def test_means_in_the_tables_are_those_of_the_clips(built, results):
    expected = results.values("ctx7", "davis", "psnr").mean()
    assert by_method(built["results_davis"]).loc["ctx7", "psnr"] == pytest.approx(expected)


def test_every_result_table_says_whose_weights_a_method_has(built, results):
    for name, table in built.items():
        if name.startswith("results_"):
            told = by_method(table)["weights"]
            assert told["lift15"] == "trained here", name
            assert (told["rife_v4"], told["dis"]) == ("released", "none"), name


def test_what_the_window_gives_is_told_by_method_probe_and_kind_with_its_interval(built):
    rows = built["probes"].frame.set_index(["method", "benchmark", "taken", "kind"])
    methods = set(built["probes"].frame["method"])
    assert methods >= {"lift15", "ctx7", "matched"}
    assert not methods & {"ctx3", "rife", "no_context", "dis", "rife_v4", "lift15_past"}
    whole, hidden = (rows.loc[("lift15", "Scenes", "references", kind)] for kind in ("all", "occlusion"))
    assert (whole["n"], hidden["n"]) == (30, 6)
    assert whole["gain_low"] < whole["gain"] < whole["gain_high"]
    assert hidden["gain"] == pytest.approx(0.9, abs=0.1)
    assert "procedural" in built["probes"].caption


def test_every_declared_method_has_a_row_in_every_result_table(built, results):
    for name, table in built.items():
        if name.startswith("results_"):
            assert list(table.frame["method"]) == list(results.methods)


def test_tables_of_stand_ins_say_so_in_their_caption(built):
    for name, table in built.items():
        told = table.caption + " ".join(cell.text for row in table.cells for cell in row[:4])
        of_none = (
            "memory",
            "claims",
            "worst",
            "verdicts",
            "comparisons",
            "strata",
            "thesis",
        )  # the page says it once for these
        assert "procedural" in told or name in of_none, name


def test_a_method_without_results_is_a_row_that_says_missing(own, found):
    folder, config, configs = own
    (folder / "results" / "ctx3").rename(folder / "results" / "gone")
    (folder / "training" / "ctx3" / "curves.csv").unlink()
    built = build(found, results=read(config, configs, folder))
    for name in ("results_ucf101", "training"):
        assert "missing" in list(by_method(built[name]).loc["ctx3"]), name


def test_markdown_rows_have_as_many_cells_as_the_head(built):
    for table in built.values():
        lines = [line for line in to_markdown(table).splitlines() if line.startswith("|")]
        assert len(lines) == len(table.frame) + 2
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_latex_escapes_what_would_not_compile():
    assert latex("50 % of a_b & {c} ~ \\") == (r"50 \% of a\_b \& \{c\} \textasciitilde{} \textbackslash{}")
    with pytest.raises(ValueError, match="no LaTeX for"):
        latex("漢")


def test_latex_is_ascii_balanced_and_rectangular(built):
    for table in built.values():
        text = to_latex(table)
        assert text.isascii()
        plain = re.sub(r"\\[{}]", "", text)
        assert plain.count("{") == plain.count("}")
        assert re.findall(r"\\begin{(\w+)}", text) == re.findall(r"\\end{(\w+)}", text)[::-1]
        rows = [line for line in text.splitlines() if line.endswith(r"\\")]
        assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(table.columns) - 1}
        assert len(rows) == len(table.frame) + 1


def test_latex_compiles_as_it_is(built, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex on this machine")
    tables.write(list(built.values()), tmp_path / "tables")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path / "tables", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout  # nothing runs off the page


def test_every_metric_of_a_benchmark_has_its_interval(built):
    table = built["results_scenes"]
    for column in (c for c in table.columns if c.digits is not None):
        low, value, high = (
            pd.to_numeric(table.frame[f"{column.key}{s}"], "coerce") for s in ("_low", "", "_high")
        )
        assert value.notna().any()
        assert ((low < value) & (value < high))[value.notna()].all()
        assert low[value.isna()].isna().all()
    assert "psnr,psnr_low,psnr_high" in to_csv(table).splitlines()[0]


def test_a_mean_of_few_videos_has_no_interval_and_the_note_says_why(built):
    table = built["results_davis"]
    assert "psnr_low" not in table.frame
    assert "no interval: 6 source videos cannot bound it (fewer than 8)" in " ".join(table.notes)


def test_a_set_without_clips_is_not_called_anybodys_footage(results):
    none = dataclasses.replace(
        results, sizes={**results.sizes, "train": 0}, procedural={**results.procedural, "train": False}
    )
    assert list(data_table(none).frame.set_index("set").loc["train", ["footage", "clips"]]) == [
        "no clips in this run", "–",
    ]  # fmt: skip


def test_fewer_frames_than_the_window_are_told(results):
    rows = {m: {b: frame.copy() for b, frame in by.items()} for m, by in results.rows.items()}
    for method in results.methods:
        if method in rows and "vimeo90k" in rows[method]:
            rows[method]["vimeo90k"]["context"] = rows[method]["vimeo90k"]["context"].clip(upper=6)
    rows["lift64"]["davis"].loc[0, "context"] = 20
    short = dataclasses.replace(results, rows=rows)
    for name, told in (
        ("vimeo90k", {"lift15": "14 (8+6), here 6", "ctx7": "6 (3+3)", "no_context": "2 (1+1)"}),
        ("davis", {"lift15": "14 (8+6)", "lift64": "64 (32+32), here 20–64, mean 56.7"}),
    ):
        assert told.items() <= by_method(of_benchmark(short, name))["window"].to_dict().items()


def test_costs_are_those_of_the_results(built, results):
    rows = by_method(built["compute"])
    assert set(rows.index) == {*results.config.models, "untrained"}
    assert rows.loc["ctx3", "parameters"] == results.costs["ctx3"]["parameters"] / 1e6
    assert rows.loc["ctx3", "gmacs_256x448"] == results.costs["ctx3"]["gmacs_256x448"]


def test_readers_see_a_name_and_the_csv_keeps_that_of_params_yaml(built):
    table = built["results_ucf101"]
    assert "without s1" in {row[0].text for row in table.cells}
    assert "\nno_s1," in to_csv(table)
    assert "without s1" in to_latex(table)
    assert "without s1" not in to_csv(table)


def test_claims_stand_beside_what_was_measured_and_the_thesis_is_reckoned(results, found):
    planned = load_all(fake.ROOT / "params.yaml", "thesis")
    built = build(found, planned=planned)
    rows = {row[0].text: [cell.text for cell in row] for row in built["claims"].cells}
    psnr = results.values("lift15", "ucf101", "psnr").mean()
    assert f"UCF101 {psnr:.2f}" in rows["PSNR"][2]
    assert rows["parameters of the specification's model"][1:3] == ["15–20 M", "11.0 M"]
    assert rows["full-resolution features (s1) sharpen edges"][2] == "not measured"
    hours = by_method(built["thesis"])["hours"]
    base = planned[0]
    frames = read_measured("thesis").frames
    visited = base.report.whole.samples * sum(p.epochs * p.crop[0] * p.crop[1] for p in base.train.phases)
    rate = base.report.whole.tflops * 1e12 * base.report.whole.share
    assert hours["lift15"] == pytest.approx(
        visited / (256 * 448) * frames["lift15"]["gmacs_256x448"] * 6e9 / rate / 3600
    )
    assert hours["the main 12"] < hours[f"all {len(hours) - 2}"]
