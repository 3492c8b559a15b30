"""Checkpoints: locked, whole or not there, and never worse than the last good one."""

import csv
import errno
import os
import signal
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny import phase, results

from lift.errors import UserError
from lift.lock import locked
from lift.training.job import BEST, LAST, Interrupted
from lift.training.loop import fit
from lift.training.state import NAME, PREVIOUS, State, load_state, run_folder, save_state


def test_a_lock_outlives_no_trainer_even_if_its_loading_processes_do(tmp_path):
    alive, tell = os.pipe()
    with locked(tmp_path / "lock", "busy"):
        child = os.fork()
        if child == 0:  # a loading process, which notices only later that its trainer is gone
            os.write(tell, b"!")
            time.sleep(30)
            os._exit(0)
        os.read(alive, 1)
    try:
        with locked(tmp_path / "lock", "busy"):
            pass
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def test_a_folder_is_gone_at_once_and_what_a_kill_left_of_it_goes_with_the_next_run(tmp_path):
    (tmp_path / "lift15-abc.done").mkdir()
    (tmp_path / "lift15-abc.done" / NAME).write_bytes(b"old")
    (tmp_path / "lift15-abc").mkdir()
    (tmp_path / "lift15-abc" / f".{NAME}.x1y2").write_bytes(b"half")
    with run_folder(tmp_path, "lift15-abc") as folder:
        assert list(folder.iterdir()) == []
        assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["lift15-abc"]
    assert [path.name for path in tmp_path.iterdir()] == ["lift15-abc.lock"]


def test_a_full_disk_while_saving_keeps_the_last_good_checkpoint(job, monkeypatch):
    whole = job("whole")
    fit(whole)
    saves, sync = [], os.fsync

    def full(descriptor):
        if "state.pt" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            saves.append(1)
            if len(saves) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"state\.pt: no space left"):
        fit(job("full"))
    folder = job("full").folder
    assert torch.load(folder / NAME, weights_only=True)["step"] == 6
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    again = job("full")
    fit(again)
    assert results(again.folder.parent) == results(whole.folder.parent)


def test_the_previous_checkpoint_is_kept_and_found_alone(tmp_path):
    for step in (1, 2):
        save_state(tmp_path, State(step=step, setting={"a": 1}))
    assert torch.load(tmp_path / PREVIOUS, weights_only=True)["step"] == 1
    (tmp_path / NAME).unlink()
    state = load_state(tmp_path, {"a": 1})
    assert state is not None
    assert state.step == 1


@pytest.mark.parametrize(
    ("key", "value"), [("processes", 2), ("batch", 8), ("torch", "2.0"), ("precision", "x")]
)
def test_another_setting_is_refused_with_both_values(tmp_path, key, value):
    setting = {"processes": 1, "batch": 4, "torch": "2.15", "precision": "32-true"}
    save_state(tmp_path, State(step=1, setting=setting))
    with pytest.raises(UserError, match=f"{key} was {setting[key]!r} .* is {value!r} now"):
        load_state(tmp_path, {**setting, key: value})


def test_a_checkpoint_without_its_best_weights_is_named(job, stop_after):
    resume = stop_after(6)
    with pytest.raises(Interrupted):
        fit(job())
    resume()
    (job().folder / BEST).unlink()
    with pytest.raises(UserError, match=r"best\.safetensors: missing beside its checkpoint"):
        fit(job())


def same_weights(one, other):
    first, second = (load_file(run.folder / LAST) for run in (one, other))
    return all(torch.equal(value, second[name]) for name, value in first.items())


def names(run):
    return sorted(path.name for path in run.snapshots.iterdir())


def test_snapshots_follow_their_epochs_and_the_newest_are_kept(job):
    run = job(snapshot_every=1, snapshots=2)
    fit(run)
    assert names(run) == ["epoch_0003.pt", "epoch_0004.pt"]
    plain = job("plain")
    fit(plain)
    assert results(plain.folder.parent) == results(run.folder.parent)  # they change nothing
    assert not plain.snapshots.exists()


def test_a_new_run_from_a_snapshot_ends_as_the_one_that_was_not_cut(job):
    first = job("first", snapshot_every=2, average=0.9)
    fit(first)
    again = {"average": 0.9, "resume_epoch": 2, "start": first.snapshots / "epoch_0002.pt"}
    second = job("second", **again)
    fit(second)
    assert same_weights(second, first)
    rows = list(csv.DictReader((second.folder / "curves.csv").read_text().splitlines()))
    old = list(csv.DictReader((first.folder / "curves.csv").read_text().splitlines()))
    assert rows == [row for row in old if int(row["step"]) > 10]  # its curves are its own
    kept = {path.name: path.read_bytes() for path in first.snapshots.iterdir()}
    third = job("third", **{**again, "phases": (phase(3), phase(2, rate=1e-3))})
    fit(third)  # a new run may be another one
    assert not same_weights(third, first)
    assert {path.name: path.read_bytes() for path in first.snapshots.iterdir()} == kept


def test_a_run_from_a_snapshot_that_is_stopped_goes_on_from_its_own_checkpoint(job, stop_after):
    first = job("first", snapshot_every=2)
    fit(first)
    again = {"resume_epoch": 2, "start": first.snapshots / "epoch_0002.pt"}
    resume = stop_after(16)
    with pytest.raises(Interrupted):
        fit(job("cut", **again))
    resume()
    cut = job("cut", **again)
    fit(cut)
    assert same_weights(cut, first)


def test_a_missing_a_damaged_and_a_foreign_snapshot_are_named(job, tmp_path):
    first = job("first", snapshot_every=2)
    fit(first)
    with pytest.raises(UserError, match=r"epoch_0003\.pt: no such snapshot.*resume_epoch.*0002, 0004"):
        fit(job("a", resume_epoch=3, start=first.snapshots / "epoch_0003.pt"))
    with pytest.raises(UserError, match=r"resume_epoch: 4: the phases end there"):
        fit(job("b", resume_epoch=4, start=first.snapshots / "epoch_0004.pt"))
    damaged = tmp_path / "epoch_0002.pt"
    damaged.write_bytes((first.snapshots / "epoch_0002.pt").read_bytes()[:999])
    with pytest.raises(UserError, match=r"epoch_0002\.pt: damaged; set train\.resume_epoch"):
        fit(job("c", resume_epoch=2, start=damaged))
    foreign = job("d", resume_epoch=2, start=first.snapshots / "epoch_0002.pt")
    foreign.model.head = torch.nn.Conv2d(4, 3, 3)
    with pytest.raises(UserError, match=r"epoch_0002\.pt: a snapshot of another model .*resume_from"):
        fit(foreign)


def test_a_run_goes_on_from_a_checkpoint_whose_weights_lie_otherwise_in_memory(job, stop_after):
    resume = stop_after(3)
    with pytest.raises(Interrupted):
        fit(job("cut"))
    resume()
    cut = job("cut")
    cut.model.to(memory_format=torch.channels_last)
    seen = []
    cut.saved = lambda state: seen.append(state.optimizer)
    fit(cut)
    parameters = [parameter for parameter in cut.model.parameters() if parameter.ndim == 4]
    moments = [state["exp_avg"] for state in seen[-1]["state"].values() if state["exp_avg"].ndim == 4]
    assert {one.stride() for one in moments} == {one.stride() for one in parameters}
    assert all(one.is_contiguous(memory_format=torch.channels_last) for one in moments)
