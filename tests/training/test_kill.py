"""Runs killed at any moment and continued leave what an uninterrupted run leaves, to the bit."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import ROOT, results

RESUME = 75
SIGNALS = ("SIGKILL", "SIGTERM", "SIGUSR1")


def run(root, cases):
    """Train one uninterrupted run and all cases; give the log of how their processes ended."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    runner = Path(__file__).with_name("kill_runner.py")
    command = [sys.executable, str(runner), str(root), json.dumps(cases)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads((root / "log.json").read_text())


def board(folder):
    """Read TensorBoard's scalars as it shows them: (step, value) of each tag, without the machine's own."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    tags = events.Tags()
    scalars = {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in tags["scalars"]
        if not tag.startswith("machine/")
    }
    machine = {
        tag: [event.step for event in events.Scalars(tag)] for tag in tags["scalars"] if tag not in scalars
    }
    return scalars, machine, {tag: [event.step for event in events.Images(tag)] for tag in tags["images"]}


def check(root, cases, log):
    for folder, name, moment, code, _ in log:
        allowed = {"": {0}, "SIGKILL": {-9, 0}, "SIGTERM": {RESUME, 0}, "SIGUSR1": {RESUME, 0}}[name]
        if moment < 0:  # from outside it can come before the training listens: there is nothing to save then
            allowed = {*allowed, -signal.Signals[name]}
        assert code in allowed, (folder, name, code)
    for folder, workers, *_ in cases:
        whole = root / f"whole{workers}"
        expected, shown = results(whole / "left"), board(whole / "logs")
        assert [step for step, _ in shown[0]["loss"]] == list(range(2, 21, 2))
        assert results(root / folder / "left") == expected, folder
        assert board(root / folder / "logs") == shown, folder
        # What a kill leaves of a file that was being written goes with the next start.
        assert not list((root / folder / "left" / "scratch").glob(".*")), folder


def test_a_kill_amid_a_checkpoint_and_signals_in_validation_and_in_a_step_change_nothing(tmp_path):
    cases = [
        ["killed", 0, ["SIGKILL", 0.549]],  # between the two renames of a checkpoint
        ["ended", 2, ["SIGTERM", 0.3]],
        ["requeued", 0, ["SIGUSR1", 0.8]],
    ]
    log = run(tmp_path, cases)
    assert [code for *_, code, _ in log] == [-9, 0, RESUME, 0, RESUME, 0]
    assert [name for *_, unfinished in log for name in unfinished if name.startswith(".state.pt.")]
    check(tmp_path, cases, log)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_runs_killed_at_many_moments_change_nothing(tmp_path):
    rng = random.Random(5)
    cases = []
    for number in range(14):
        # The second strikes what the first has left, which may be little.
        kills = [[rng.choice(SIGNALS), round(rng.random() * share, 3)] for share in (0.9, 0.3)]
        if number % 4 == 0:  # from outside, at any machine instruction, to the loading processes as well
            kills = [[name, -moment] for name, moment in kills]
        cases.append([f"run{number}", 2 * (number % 2), *kills])
    log = run(tmp_path, cases)
    stopped = [code for _, name, _, code, _ in log if name and code != 0]
    assert len(stopped) >= 20
    check(tmp_path, cases, log)
