"""What was measured apart from the pipeline: shown beside the claims, and only for its own model."""

import csv
import dataclasses
from pathlib import Path

import pytest

from lift.config import yaml12
from lift.errors import UserError
from lift.report import measured
from lift.report.tables.compute import compute
from lift.report.tables.memory import memory
from tests.report.fake import ROOT

COMMITTED = ROOT / "benchmarks" / "measured"


def frame(cost, **changes):
    values = {"parameters": cost["parameters"], "gmacs": cost["gmacs_256x448"]}
    values |= {"memory_mib": 123.0, "milliseconds": 456.0, "where": "a test"}
    return measured.Frame(**{**values, **changes})


def row(results, method):
    table = compute(results)
    (found,) = [row for row in table.rows if row[0].text == method]
    return {column.key: cell for column, cell in zip(table.columns, found, strict=True)}


def test_memory_and_time_stand_beside_the_model_that_they_were_measured_of(results):
    cost = results.costs["ctx3"]
    for found, shown in ((frame(cost), 456.0), (frame(cost, gmacs=1.5 * cost["gmacs_256x448"]), None)):
        changed = dataclasses.replace(results, timings=measured.Measured(frames={"ctx3": found}))
        assert row(changed, "ctx3")["milliseconds"].value == shown
        assert row(changed, "layers4")["memory"].value is None


def test_the_claims_stand_beside_what_was_measured_and_the_gpu_is_said_to_be_missing(results):
    kept = {"encoder": 1.25, "transformer": 0.5}
    step = measured.Step(batch=4, crop=256, gib=2.5, seconds=8.0, where="a test", kept=kept)
    table = memory(dataclasses.replace(results, timings=measured.Measured(steps={"training": step})))
    by_what = {row[0].text: row for row in table.rows}
    claimed = by_what["training, 15 frames"]
    assert [cell.text or cell.value for cell in claimed] == [
        "training, 15 frames", "3–4 GB", "13 samples/s", 4, 2.5, 0.5, 1.25, 0.5, "–", "–", "–",
    ]  # fmt: skip
    assert by_what["training, 64 frames, full attention"][-1].text == "not measured"
    assert all("CPU" in column.title for column in table.columns if column.key in ("gib", "samples", "batch"))
    assert any("CUDA GPU is missing" in note for note in table.notes)
    assert memory(dataclasses.replace(results, timings=measured.Measured())) is None


def test_the_committed_measurements_can_be_read_and_name_no_machine():
    for profile in ("demo", "thesis"):
        frames = measured.read(COMMITTED, profile).frames
        raw = yaml12.read(ROOT / "params.yaml")
        assert set(frames) <= {*raw["ablations"], *raw["released"]}
    for path in COMMITTED.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            for found in csv.DictReader(file):
                assert found["device"].endswith("-core CPU")
                assert "/" not in "".join(found.values())


def test_no_file_is_no_measurement_and_a_damaged_one_is_named(tmp_path: Path):
    assert measured.read(tmp_path, "demo") == measured.Measured()
    (tmp_path / "memory.csv").write_text("what,batch\ntraining,many\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"memory\.csv: damaged .* run `python -m benchmarks\.cost`"):
        measured.read(tmp_path, "demo")
