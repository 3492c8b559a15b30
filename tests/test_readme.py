"""The README's result is the study's; the ablations of docs/usage.md are taken as they stand there."""

import csv
import importlib.util
import re
from pathlib import Path

import pytest

from lift.config import load

ROOT = Path(__file__).resolve().parents[1]
USAGE, PARAMS = ((ROOT / name).read_text(encoding="utf-8") for name in ("docs/usage.md", "params.yaml"))
# An indented block: a name, then what lies under it.
BLOCKS = {name: name + rest for name, rest in re.findall(r"\n\n    ([a-z]\w*)(:\n(?:      .+\n)+)", USAGE)}


def test_there_is_an_example_of_each_kind():
    assert sorted(BLOCKS) == ["ifrvp_third", "rife_wide", "wide_flow"]


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("profile", ["demo", "thesis"])
def test_an_example_is_taken_as_it_stands_and_its_model_learns_all_its_parts(tmp_path, name, profile):
    lines = [line.removeprefix("    ") for line in BLOCKS[name].splitlines()]
    lines[0] = "pasted:"  # whoever tries an example has its name in params.yaml already
    pasted = "ablations:" + "".join(f"\n  {line}" for line in lines)
    path = tmp_path / "params.yaml"
    (tmp_path / "weights").symlink_to(ROOT / "weights")
    path.write_text(PARAMS.replace("\nablations:", f"\n{pasted}", 1), encoding="utf-8")
    config = load(path, profile, "pasted")
    assert config != load(ROOT / "params.yaml", profile)
    for part in config.model.family.auxiliary:
        assert getattr(config.loss, part) > 0, part


def load_script():
    spec = importlib.util.spec_from_file_location("write_result", ROOT / "docs" / "write_result.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


SCRIPT = load_script()
ROWS = [
    {"comparison": name, "population": "DAVIS", "n": "11", "psnr": "0.889", "psnr_low": "-0.011",
     "psnr_high": "1.662", "verdict": "better"}
    for name in ("lift_rife - lift_rife_3", "matched - dis", "lift_rife - rife_v4")
]  # fmt: skip


def test_the_result_is_the_rows_that_are_shown_and_all_else_stays():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    text = SCRIPT.written(readme, ROWS)
    rows = [line for line in text.splitlines() if "+0.89 [-0.01, +1.66]" in line]
    assert [row.split("|")[1].strip() for row in rows] == [
        "`lift_rife` over RIFE v4.25",
        "… over itself without far frames",
    ]
    assert SCRIPT.written(text, ROWS) == text
    assert text.partition(SCRIPT.BEGIN)[0] == readme.partition(SCRIPT.BEGIN)[0]
    assert text.partition(SCRIPT.END)[2] == readme.partition(SCRIPT.END)[2]


def test_without_a_mark_nothing_is_written():
    with pytest.raises(ValueError, match="result: end"):
        SCRIPT.written(f"text\n{SCRIPT.BEGIN}text", ROWS)


@pytest.mark.skipif(not SCRIPT.VERDICTS.is_file(), reason="the study has not been measured yet")
def test_the_readme_says_what_the_study_has_measured():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    with SCRIPT.VERDICTS.open(encoding="utf-8", newline="") as file:
        assert readme == SCRIPT.written(readme, list(csv.DictReader(file)))
