"""The whole report of made-up results: complete, honest, self-contained, and the same bytes in every run."""

import dataclasses
import hashlib
import html
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import cv2
import pandas as pd
import pytest

from lift import report
from lift.errors import UserError
from lift.report.figures import plots, strips
from lift.report.figures.style import style, write


class Links(HTMLParser):
    """Collects what a page refers to, and its text."""

    def __init__(self):
        super().__init__()
        self.links, self.ids, self.text = [], [], []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.links += [values[key] for key in ("src", "href") if key in values]
        self.ids += [values["id"]] if "id" in values else []

    def handle_data(self, data):
        self.text.append(data)


@pytest.fixture(scope="module")
def page(written):
    parser = Links()
    parser.feed((written / "index.html").read_text(encoding="utf-8"))
    return parser


@pytest.fixture(scope="module")
def drawings(found, results):
    return [*plots.plan(found), *strips.drawn(results, strips.read(results))]


def test_every_link_of_the_page_leads_to_a_file_or_a_place_in_it(written, page):
    for link in page.links:
        if link.startswith("#"):
            assert link[1:] in page.ids
        elif not link.startswith("data:"):
            assert "//" not in link
            assert (written / link).is_file()


def test_every_figure_and_table_is_on_the_page_once(written, page):
    drawn = {path.stem for path in (written / "figures").iterdir()}
    tabled = {path.stem for path in (written / "tables").glob("*.csv")}
    assert sorted(i for i in page.ids if i.startswith("figure-")) == sorted(
        f"figure-{name}" for name in drawn
    )
    assert sorted(i for i in page.ids if i.startswith("table-")) == sorted(f"table-{name}" for name in tabled)
    for name in drawn:
        assert {path.suffix for path in (written / "figures").glob(f"{name}.*")} == {".png", ".pdf", ".svg"}


def test_the_first_lines_are_the_answer_and_what_bounds_it_comes_before_any_table(written, page):
    text = " ".join("".join(page.text).split())
    assert text.index("Width: not judged") < text.index("Declared comparisons.") < text.index("Population")
    assert text.index("UCF101: rendered stand-ins") < text.index("Verdicts", text.index("Population"))
    first = (written / "summary.md").read_text(encoding="utf-8").splitlines()[:3]
    assert first[0].startswith("# LIFT, profile demo: Does a wide temporal context")
    assert first[2].startswith("**Width: not judged: fewer than 30 videos.")


def test_pictures_of_footage_that_is_not_rendered_are_drawn_beside_and_not_in_the_report(own, planned):
    folder, config, by_name = own
    summary = folder / "clips" / "ucf101" / "summary.json"
    summary.write_text(json.dumps(json.loads(summary.read_text()) | {"procedural": False}))
    out = folder.parent / "reports" / "demo"
    report.write(config, folder, out, by_name, planned)
    assert not list(out.rglob("strip_ucf101*"))
    assert (out / "figures/strip_scenes_worst1.png").is_file()
    assert (folder / "scratch/strips/strip_ucf101_worst1.png").is_file()


def test_the_page_has_a_part_of_its_own_for_what_predicts(written):
    text = (written / "index.html").read_text()
    assert 'id="prediction"' in text
    assert "results/ifrvp/clips.csv" in text
    assert (written / "tables/prediction_ucf101.tex").is_file()
    assert "ifrvp" not in (written / "tables/results_ucf101.csv").read_text()


def test_numbers_that_others_published_are_nowhere_in_the_demo(written):
    told = [path for path in written.rglob("*") if path.suffix in (".html", ".md", ".tex", ".csv")]
    text = "".join(path.read_text(encoding="utf-8") for path in told)
    assert "published by others" not in text
    assert "VFIT-B" not in text
    assert 'class="published"' not in text


def test_figures_have_no_date_and_the_same_bytes_in_every_run(written, drawings, tmp_path):
    write([d for d in drawings if d.name in ("comparisons", "strip_scenes_worst1")], tmp_path)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (written / "figures" / path.name).read_bytes(), path.name


def test_nothing_in_a_figure_is_cut_off(drawings):
    with style():
        for drawing in (
            d for d in drawings if not d.name.startswith("strip_") or d.name == "strip_scenes_worst1"
        ):
            figure = drawing.figure
            figure.draw_without_rendering()
            inside = figure.get_tightbbox()
            width, height = figure.get_size_inches()
            assert inside.x0 > -0.02, drawing.name
            assert inside.y0 > -0.02, drawing.name
            assert inside.x1 < width + 0.02, drawing.name
            assert inside.y1 < height + 0.02, drawing.name


def test_models_are_rows_of_the_figure_of_time_and_the_fastest_comes_first(drawings):
    (time,) = (drawing for drawing in drawings if drawing.name == "time")
    axes, *others = time.figure.axes
    seconds = [line.get_xdata()[0] for line in axes.lines]
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert seconds == sorted(seconds)
    assert len(seconds) == len(set(names)) == len(names)
    assert all(len(panel.lines) == len(names) for panel in others)


def test_figures_are_as_wide_as_a_text_column(written):
    for path in (written / "figures").glob("*.png"):
        assert cv2.imread(str(path)).shape[1] == 1180  # 5.9 inches at 200 dots


def test_figures_of_stand_ins_say_so_in_their_caption(drawings):
    for drawing in drawings:
        assert "procedural" in drawing.caption or drawing.name == "time", drawing.name


def test_figures_and_tables_name_files_that_exist(drawings, data):
    for drawing in drawings:
        assert drawing.sources
        for source in drawing.sources.split("; "):
            before, names, after = re.fullmatch(r"(.*?)\{?([\w,.]+)\}?(/[^/]*)", source).groups()
            assert all((data / f"{before}{name}{after}").is_file() for name in names.split(","))


@pytest.fixture
def old(own):
    """Give the folder of a report that is there already; it stays as it is."""
    out = own[0].parent / "reports" / "demo"
    out.mkdir(parents=True)
    (out / "index.html").write_text("old")
    yield out
    assert contents(out.parent) == {Path("demo/index.html"): b"old"}


def test_a_failing_report_leaves_the_old_one_untouched(own, old, planned):
    folder, config, by_name = own
    (folder / "results" / "ctx3" / "clips.csv").write_text("no table")
    with pytest.raises(UserError, match=r"ctx3/clips.csv"):
        report.write(config, folder, old, by_name, planned)


def test_the_page_says_with_what_it_was_made(written, page, data):
    environment = json.loads((written / "environment.json").read_text())
    text = "".join(page.text)
    assert environment["processor"] in text
    assert "0123456789abcdef" in text  # the clip manifests
    digest = hashlib.sha256((data / "results/lift15/protocol.json").read_bytes()).hexdigest()[:16]
    assert f"{digest}  results/lift15/protocol.json" in text
    assert text.count("Made from ") == len([i for i in page.ids if i.startswith(("figure-", "table-"))])


def test_results_of_another_configuration_are_refused_with_both_values(own, old, planned):
    folder, config, by_name = own
    changed = dataclasses.replace(by_name["ctx3"].model, use_s1=False)
    mixed = by_name | {"ctx3": dataclasses.replace(by_name["ctx3"], model=changed)}
    with pytest.raises(UserError) as refused:
        report.write(config, folder, old, mixed, planned)
    said = str(refused.value)
    assert "results/ctx3: made from another configuration than today's" in said
    assert "model.use_s1 is True there and False here" in said
    assert "\n" not in said


def test_where_nothing_is_measured_the_report_says_so_and_writes_nothing(tmp_path, configs, planned):
    with pytest.raises(UserError, match=r"results: nothing is measured yet.*run `make repro`"):
        report.write(configs[0], tmp_path / "data", tmp_path / "reports" / "demo", configs[1], planned)
    assert not list((tmp_path / "reports").glob("*"))


def test_results_that_do_not_say_what_they_were_made_from_are_refused(own, planned):
    folder, config, by_name = own
    (folder / "results" / "ctx3" / "made_from.json").unlink()
    with pytest.raises(UserError, match=r"ctx3/made_from\.json: not found"):
        report.write(config, folder, folder.parent / "reports" / "demo", by_name, planned)


def test_few_numbers_are_chosen_for_dvc(written, data, results):
    found = json.loads((data / "metrics.json").read_text())
    assert set(found) == set(results.compared) & set(results.config.ablations)
    assert {tuple(values) for values in found.values()} == {("ucf101", "scenes")}
    stated = json.loads((data / "results/ctx3/metrics.json").read_text())
    assert found["ctx3"]["scenes"] == pytest.approx(stated["scenes"]["psnr"], abs=1e-3)


def test_sources_of_many_methods_are_named_shortly(results):
    patterns = ["results/*/clips.csv", "training/*/curves.csv"]
    assert results.sources(patterns, ["ctx3", "dis", "gone"]) == (
        "results/{ctx3,dis}/clips.csv; training/{ctx3,dis,gone}/curves.csv"
    )
    assert results.sources(patterns[:1], ["dis"]) == "results/dis/clips.csv"


def test_one_video_alone_makes_a_whole_report_that_decides_nothing(own, planned):
    folder, config, by_name = own
    for method in ("lift15", "ctx3", "repeat"):
        own_folder = folder / "results" / method
        table = pd.read_csv(
            own_folder / "clips.csv", dtype={"kind": str, "video": str, "group": str}, keep_default_na=False
        )
        table = table[table["video"].isin(table.groupby("benchmark")["video"].first())]
        table.to_csv(own_folder / "clips.csv", index=False)
        means = json.loads((own_folder / "metrics.json").read_text())
        for name, rows in table.groupby("benchmark"):
            means[name] = {key: float(rows[key].mean()) for key in means[name] if key in rows}
        (own_folder / "metrics.json").write_text(json.dumps(means))
    (folder / "pictures/pictures.zip").unlink()
    config = dataclasses.replace(config, report=dataclasses.replace(config.report, worst=0))
    report.write(config, folder, folder.parent / "reports" / "demo", by_name, planned)
    said = (folder.parent / "reports/demo/summary.md").read_text()
    assert "1 video, fewer than the 30 that a verdict needs" in said
    assert "Width: not judged" in said


def test_a_clone_without_the_kept_pictures_does_not_replace_the_report_that_has_them(own, old, planned):
    folder, config, by_name = own
    (folder / "pictures/pictures.zip").unlink()
    with pytest.raises(UserError, match=r"pictures\.zip: not found.*dvc checkout"):
        report.write(config, folder, old, by_name, planned)


@pytest.mark.parametrize(
    "text", ["", "benchmark,clip\na,b\n", "benchmark,clip,kind,offset,alpha\na,b,,x,1\n"]
)
def test_a_broken_table_of_alpha_is_named(own, text, planned):
    folder, config, by_name = own
    (folder / "results" / "lift15" / "alpha.csv").write_text(text)
    with pytest.raises(UserError, match=r"lift15/alpha\.csv: .*; evaluate again"):
        report.write(config, folder, folder.parent / "reports" / "demo", by_name, planned)


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_second_run_writes_the_same_bytes(written, data, tmp_path, configs, planned):
    report.write(configs[0], data, tmp_path / "again", configs[1], planned)
    assert contents(tmp_path / "again") == contents(written)


BROWSER = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --enable-logging=stderr --dump-dom"
)
USE = """<script>
document.querySelectorAll("#table-gain_ucf101 thead button")[2].click();
const rows = [...document.querySelectorAll("#table-gain_ucf101 tbody tr")];
window.addEventListener("load", () => {
  document.title = JSON.stringify({
    sorted: rows.map((row) => row.cells[0].innerText),
    first: [...document.querySelectorAll(".first img")].map((image) => image.getBoundingClientRect().bottom),
    broken: [...document.images].filter((image) => !image.naturalWidth).length,
    wide: document.documentElement.scrollWidth - window.innerWidth,
  });
});
</script></body>"""


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_works_in_a_browser(written, results, tmp_path, width):
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium on this machine")
    page = shutil.copytree(written, tmp_path / "page") / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", USE), encoding="utf-8")
    own = [f"--user-data-dir={tmp_path / 'browser'}", f"--window-size={width},800"]
    done = subprocess.run(
        [browser, *BROWSER.split(), *own, page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert "CONSOLE" not in done.stderr
    (state,) = re.findall("<title>(.*)</title>", done.stdout)
    state = json.loads(html.unescape(state))
    assert state["sorted"][0] == "repeat †"  # lowest PSNR on UCF101
    assert width < 1280 or max(state["first"]) < 800  # answer, figure and strip are on the first screen
    assert state["broken"] == 0
    assert state["wide"] <= 0  # nothing scrolls sideways but the tables and figures themselves
