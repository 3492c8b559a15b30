"""What was measured apart from the pipeline: shown beside the claims, and only for its own model."""

import csv
import dataclasses
from pathlib import Path

import pytest

from lift.config import yaml12
from lift.errors import UserError
from lift.report.reading import read_measured
from lift.report.results import PARTS, Measured
from lift.report.tables.costs import claims, compute, memory
from tests.report.fake import ROOT

COMMITTED = ROOT / "benchmarks" / "measured"


def frame(cost, **changes):
    return {**cost, "memory_mib": 123.0, "milliseconds": 456.0, "where": "a test", **changes}


def row(results, method):
    return compute(results).frame.set_index("method").loc[method]


def test_memory_and_time_stand_beside_the_model_that_they_were_measured_of(results):
    cost = results.costs["ctx3"]
    for found, shown in ((frame(cost), 456.0), (frame(cost, gmacs_256x448=1.5 * cost["gmacs_256x448"]), "–")):
        changed = dataclasses.replace(results, timings=Measured(frames={"ctx3": found}))
        assert row(changed, "ctx3")["milliseconds"] == shown
        assert row(changed, "layers2")["memory"] == "–"


def test_claimed_memory_stands_beside_what_was_measured(results):
    step = {"batch": 4.0, "crop": 256.0, "gib": 2.5, "seconds": 8.0, "where": "a test"}
    step |= {f"kept_{part}": float("nan") for part in PARTS}
    step |= {"kept_encoder": 1.25, "kept_transformer": 0.5}
    table = memory(dataclasses.replace(results, timings=Measured(steps={"training": step})))
    by_what = {row[0].text: [cell.text for cell in row[1:]] for row in table.cells}
    assert by_what["training, 15 frames"] == [
        "3–4 GB", "13 samples/s", "4", "2.50", "0.500", "1.25", "0.50", "–", "–", "–",
    ]  # fmt: skip
    assert by_what["training, 64 frames, full attention"][-1] == "not measured"
    assert all("CPU" in column.title for column in table.columns if column.key in ("gib", "samples", "batch"))
    assert memory(dataclasses.replace(results, timings=Measured())) is None


def test_every_measured_step_has_a_row(results):
    steps = read_measured("thesis", COMMITTED).steps
    table = memory(dataclasses.replace(results, timings=Measured(steps=steps)))
    assert len(steps) == len(table.frame)
    assert "not measured" not in table.frame.to_numpy()
    kept = table.frame.set_index("what")["kept_encoder"]
    assert kept["training, 15 frames, recomputed"] < 0.5 * kept["training, 15 frames"]


def test_the_speed_of_another_card_stands_beside_the_claim_and_is_marked(results):
    gpu = read_measured("thesis", COMMITTED).gpu
    table = claims(dataclasses.replace(results, timings=Measured(gpu=gpu)), Measured())
    speed, training = (row for row in table.cells if "/s" in row[0].text)
    assert speed[1].text == "10–15 on an RTX 4080"
    assert float(speed[2].text.split()[0]) == pytest.approx(1000 / gpu["lift15"]["ms"], abs=0.05)
    assert speed[3].text == training[3].text == "lift15, NVIDIA H200, another card than claimed"
    assert (training[1].text, float(training[2].text)) == (
        "13 on an RTX 4080",
        round(gpu["lift15"]["samples"]),
    )


def test_the_committed_measurements_can_be_read_and_name_no_machine():
    for profile in ("demo", "thesis"):
        frames = read_measured(profile, COMMITTED).frames
        raw = yaml12.read(ROOT / "params.yaml")
        assert set(frames) <= {*raw["ablations"], *raw["released"]}
    for path in COMMITTED.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for found in csv.DictReader(file):
                assert found["device"].endswith("-core CPU")
                assert "/" not in "".join(found.values())


def test_no_file_is_no_measurement_and_a_damaged_one_is_named(tmp_path: Path):
    assert read_measured("demo", tmp_path) == Measured()
    (tmp_path / "memory.csv").write_text("what,batch\ntraining,many\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"memory\.csv: damaged .* run `python -m benchmarks\.cost`"):
        read_measured("demo", tmp_path)
