"""Two real processes do what one does with double accumulation, and agree on every end."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file
from tiny import ROOT, phase, results

from lift.errors import UserError
from lift.training.job import LAST
from lift.training.loop import fit
from lift.training.machine import layout


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Let two processes go through everything in pair_runner.py; give their folder and logs."""
    root = tmp_path_factory.mktemp("pair")
    runner = Path(__file__).with_name("pair_runner.py")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*launcher, str(runner), str(root)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return root, [json.loads((root / f"log{rank}.json").read_text()) for rank in (0, 1)]


def test_the_launchers_number_of_processes_wins(pair):
    _, logs = pair
    assert [log["world"] for log in logs] == [2, 2]


def test_two_processes_train_as_one_with_double_accumulation(pair, job):
    root, logs = pair
    one = job(phases=(phase(3, freeze=True), phase(3)))
    fit(one)
    assert len(logs[0]["whole"][0]) == 31
    alone, together = load_file(one.folder / LAST), load_file(root / "pair" / "scratch" / LAST)
    assert max(float((alone[name] - together[name]).abs().max()) for name in alone) < 1e-6
    rows = [
        list(csv.DictReader(path.read_text().splitlines()))
        for path in (one.folder / "curves.csv", root / "pair" / "scratch" / "curves.csv")
    ]
    assert [row.keys() for row in rows[0]] == [row.keys() for row in rows[1]]
    for mine, theirs in zip(*rows, strict=True):
        for key, value in mine.items():
            assert value == theirs[key] == "" or float(value) == pytest.approx(float(theirs[key]), rel=1e-4)


def test_replicas_are_equal_to_the_bit_after_every_step_also_across_the_unfreezing(pair):
    _, logs = pair
    for run in ("whole", "cut", "continued"):
        assert logs[0][run][0] == logs[1][run][0]
    assert len(set(logs[0]["whole"][0])) == 31


def test_a_signal_to_one_process_stops_both_and_the_run_continues_exactly(pair):
    root, logs = pair
    for log in logs:
        assert log["cut"][1].startswith("Interrupted: stopped at step 10 of 30")
        assert log["continued"][1] == "done"
    assert logs[0]["cut"][0] + logs[0]["continued"][0][1:] == logs[0]["whole"][0]
    assert results(root / "cut") == results(root / "pair")


def test_a_non_finite_loss_of_one_process_stops_both_and_names_only_its_clips(pair):
    _, logs = pair
    for log in logs:
        assert log["poisoned"][1].startswith("UserError: training step")
        assert log["poisoned"][1].count("made/") == 1
        assert "on clips made/4;" in log["poisoned"][1]


def test_passes_that_the_processes_cannot_share_are_refused(pair):
    _, logs = pair
    assert "train.accumulate: 3 forward passes" in logs[0]["odd"][1]
    assert "multiple of 2" in logs[0]["odd"][1]
    assert logs[1]["odd"][1] == "FirstRefused: 1"


def test_a_mistake_is_told_by_process_0_and_ends_the_other_silently(pair):
    _, logs = pair
    assert [log["refused"] for log in logs] == ["UserError: process 0 says no", "FirstRefused: 1"]


def test_only_process_0_writes(pair):
    root, _ = pair
    assert len(list((root / "pair" / "logs").iterdir())) == 1


def test_params_count_where_no_launcher_says_how_many(monkeypatch):
    for name in ("TORCHELASTIC_RUN_ID", "SLURM_NTASKS"):
        monkeypatch.delenv(name, raising=False)
    assert layout({}, 3, 2) == (3, 2)


def test_slurm_says_how_many(monkeypatch):
    environment = {"SLURM_NTASKS": "8", "SLURM_NNODES": "2", "SLURM_JOB_NAME": "lift"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert layout(environment, 1, 1) == (4, 2)


def test_nodes_with_different_numbers_of_processes_are_refused(monkeypatch):
    environment = {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "3", "LOCAL_WORLD_SIZE": "2"}
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "x")
    with pytest.raises(UserError, match="3 processes with 2 on this node"):
        layout(environment, 1, 1)
