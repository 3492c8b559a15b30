"""All stages in a row on real footage in the official layouts: a copy takes the place of each stand-in.

`../shared/real` is small and selected. The figures show that the stages read the real formats; they are no
benchmark.
"""

import csv
import json
import math
import sys
from pathlib import Path

import pytest

from lift.config import yaml12
from stages import clips, download, evaluate, pictures, report, train
from tests import params

METHODS = ("repeat", "average", "dis", "untrained", "lift15")
COUNTS = {"vimeo90k": 1, "ucf101": 12, "davis": 7, "snu_film": 24, "scenes": 2}
TRAINING = {"train": 3, "validation": 1}  # DAVIS' four training sequences; the other training lists are empty


def on_copy(raw, folder):
    """Turn the demo into a run on the copy in `folder`: what a user changes to have their own data read."""
    demo = raw["profiles"]["demo"]
    for name, source in demo["sources"].items():
        if name in COUNTS and name != "scenes":
            source.update(path=str(folder), render=None)
    demo["sources"]["scenes"]["render"].update(test=2)
    for name in TRAINING:
        demo["clips"]["sets"][name].update(sources=["davis"], before=10, after=7, max_clips=4)
    raw["train"].update(samples_per_epoch=120, warmup=10, log_every=5)
    raw["train"]["phases"][0].update(epochs=2)
    return params.methods(raw, "demo", ["lift15"], [], [name for name in METHODS if name != "lift15"])


@pytest.fixture
def place(tmp_path, monkeypatch, shared):
    """Stand in a folder whose params.yaml names the local copy."""
    monkeypatch.chdir(tmp_path)
    params.resolved(on_copy(params.read(), shared / "real"), "demo")
    return tmp_path


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_all_stages_run_on_real_footage_in_the_official_layouts(place, capsys):
    data = Path("data/demo")
    download.main("demo")
    sources = json.loads((data / "raw" / "sources.json").read_text())
    assert {name for name, source in sources.items() if source["origin"] == "local copy"} == {*COUNTS} - {
        "scenes"
    }
    for split in yaml12.read(Path("params.yaml"))["clips"]["sets"]:
        clips.main("demo", split)
    for name in (*TRAINING, *COUNTS):
        summary = json.loads((data / "clips" / name / "summary.json").read_text())
        assert summary["videos" if name in TRAINING else "clips"] == {**COUNTS, **TRAINING}[name]
        assert summary["dropped"] == {}
        assert summary["procedural"] is (name == "scenes")
    train.main("demo", "lift15")
    for method in METHODS:
        evaluate.main("demo", method)
    pictures.main("demo")
    report.main("demo")

    rows = {
        method: json.loads((data / "results" / method / "metrics.json").read_text()) for method in METHODS
    }
    for method, metrics in rows.items():
        for benchmark, count in COUNTS.items():
            assert metrics[benchmark]["clips"] == count
            for name in ("psnr", "ssim", "lpips", "ie"):
                assert math.isfinite(metrics[benchmark][name]), (method, benchmark, name)
        # A frame shown twice is the floor for whatever looks at both references and needs no training.
        if method in ("average", "dis"):
            assert metrics["davis"]["psnr"] > rows["repeat"]["davis"]["psnr"]
    with (data / "results" / "lift15" / "clips.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == sum(COUNTS.values())
    assert (place / "reports/demo/index.html").is_file()
    with capsys.disabled():
        sys.stdout.write(table(rows))


def table(rows):
    """Lay the means out, PSNR in dB and LPIPS, a row per method and a column per benchmark with its n."""
    benchmarks = [
        *(name for name in COUNTS),
        *(f"snu_film_{k}" for k in ("easy", "medium", "hard", "extreme")),
    ]
    n = {name: rows["repeat"][name]["clips"] for name in benchmarks}
    lines = ["", "| method | " + " | ".join(f"{name} (n={n[name]})" for name in benchmarks) + " |"]
    lines.append("| --- " * (len(benchmarks) + 1) + "|")
    for method, metrics in rows.items():
        values = (metrics[name] for name in benchmarks)
        lines.append(
            f"| {method} | "
            + " | ".join(f"{v['psnr']:.2f} / {v['ssim']:.3f} / {v['lpips']:.3f}" for v in values)
            + " |"
        )
    return "\n".join([*lines, ""])
