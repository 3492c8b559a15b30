"""The loop: it learns, freezes what it should, refuses what is not finite, and resumes exactly."""

import csv
import dataclasses

import pytest
import torch
from safetensors.torch import load_file
from tiny import make_job, phase, results

from lift.errors import UserError
from lift.training.job import LAST, Interrupted
from lift.training.loop import fit
from lift.training.state import NAME, run_folder
from lift.training.step import Stepper


def test_training_lowers_the_loss_and_logs_every_row_once(job):
    run = job()
    speed = fit(run)
    assert speed["steps_per_second"] > 0
    rows = list(csv.DictReader((run.folder / "curves.csv").read_text().splitlines()))
    losses = [(int(row["step"]), float(row["loss"])) for row in rows if row["loss"]]
    assert [step for step, _ in losses] == list(range(2, 21, 2))
    assert losses[-1][1] < 0.7 * losses[0][1]
    validated = [row for row in rows if row["psnr"]]
    assert [int(row["step"]) for row in validated] == [5, 10, 15, 20]
    falls = [float(row["validation_loss"]) for row in validated]
    assert falls[-1] < 0.7 * falls[0]
    assert all(row["validation_loss"] == row["validation_loss_l1"] for row in validated)  # its only part
    assert not any(row["validation_loss"] for row in rows if row["loss"] and not row["psnr"])


def test_a_finished_run_that_is_continued_trains_nothing_and_leaves_the_same(job, monkeypatch):
    fit(job())
    whole = results(job().folder.parent)
    monkeypatch.setattr(Stepper, "take", None)
    for path in (job().folder / LAST, job().folder / "curves.csv"):
        path.unlink()
    fit(job())
    assert results(job().folder.parent) == whole


@pytest.fixture(scope="module", params=[0, 2])
def whole(request, tmp_path_factory):
    """Train a run without a stop; give how many processes load its clips, and what it leaves."""
    run = make_job(tmp_path_factory.mktemp("whole") / "run", workers=request.param)
    fit(run)
    return request.param, results(run.folder.parent)


@pytest.mark.parametrize("step", [1, 9, 10, 13])
def test_resume_is_bitwise_equal_in_warmup_at_and_after_the_unfreezing_step(job, stop_after, step, whole):
    workers, expected = whole
    resume = stop_after(step)
    with pytest.raises(Interrupted):
        fit(job("cut", workers=workers))
    resume()
    cut = job("cut", workers=workers)
    fit(cut)
    assert results(cut.folder.parent) == expected


def test_resume_is_bitwise_equal_in_bf16(job, stop_after):
    whole = job("whole", precision="bf16-mixed")
    fit(whole)
    resume = stop_after(7)
    with pytest.raises(Interrupted):
        fit(job("cut", precision="bf16-mixed"))
    resume()
    cut = job("cut", precision="bf16-mixed")
    fit(cut)
    assert results(cut.folder.parent) == results(whole.folder.parent)


def test_loaded_parameters_stay_fixed_while_frozen_and_move_afterwards(job, stop_after):
    start = {name: value.clone() for name, value in job().model.state_dict().items()}
    resume = stop_after(9)
    with pytest.raises(Interrupted):
        fit(job())
    resume()
    frozen = torch.load(job().folder / NAME, weights_only=True)["model"]
    moved = {name for name, value in start.items() if not torch.equal(value, frozen[name])}
    assert moved == set(start) - {"encoder.s2.weight", "encoder.s2.bias"}
    fit(job())
    final = load_file(job().folder / LAST)
    assert all(not torch.equal(value, final[name]) for name, value in start.items())


STAGES = (
    frozenset({"encoder.s1.weight", "encoder.s1.bias"}),
    frozenset({"encoder.s2.weight", "encoder.s2.bias"}),
)


def test_stages_thaw_the_deepest_first_and_a_resume_within_is_bitwise_equal(job, stop_after):
    thawing = {"loaded": STAGES, "phases": (phase(1, freeze=True), phase(3, thaw=2))}
    whole = job("whole", **thawing)
    start = {name: value.clone() for name, value in whole.model.state_dict().items()}
    for step, fixed in ((4, {*STAGES[0], *STAGES[1]}), (8, STAGES[0]), (11, set())):
        resume = stop_after(step)  # of 5 steps an epoch: the end of the frozen one, while thawing, after it
        with pytest.raises(Interrupted):
            fit(job("cut", **thawing))
        resume()
        now = torch.load(job("cut").folder / NAME, weights_only=True)["model"]
        assert {name for name, value in start.items() if torch.equal(value, now[name])} == set(fixed)
    fit(job("cut", **thawing))
    fit(whole)
    assert results(whole.folder.parent / "../cut") == results(whole.folder.parent)


def test_phases_have_crops_of_their_own_by_source_and_a_resume_is_bitwise_equal(job, stop_after):
    larger = dataclasses.replace(phase(2), crop=(8, 16))
    crops = {"phases": (phase(2), larger), "crop_limits": {"small": (8, 12)}, "batch": 2, "accumulate": 1}
    seen, original = [], Stepper._pass

    def passing(self, wrapped, batch, step, number):
        small = [int(clip.removeprefix("made/")) % 3 == 0 for clip in batch["clip"]]
        seen.append((step, tuple(batch["frames"].shape[-2:]), small))
        return original(self, wrapped, batch, step, number)

    whole = job("whole", **crops)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stepper, "_pass", passing)
        fit(whole)
    assert {size for step, size, _ in seen if step < 10} == {(8, 8)}
    for step, size, small in seen[10:]:
        assert len(set(small)) == 1, step
        assert size == ((8, 12) if small[0] else (8, 16))
    resume = stop_after(13)
    with pytest.raises(Interrupted):
        fit(job("cut", **crops))
    resume()
    fit(job("cut", **crops))
    assert results(whole.folder.parent / "../cut") == results(whole.folder.parent)


def test_a_non_finite_loss_stops_before_the_step_and_names_the_clips(job):
    run = job(poison=4)
    with pytest.raises(UserError, match=r"made/4.*taken") as error:
        fit(run)
    assert "loss_l1 nan" in str(error.value)
    state = run.folder / NAME
    if state.exists():
        assert all(v.isfinite().all() for v in torch.load(state, weights_only=True)["model"].values())


def test_a_damaged_checkpoint_is_named_and_the_previous_one_offered(job, stop_after):
    resume = stop_after(6)
    with pytest.raises(Interrupted):
        fit(job())
    resume()
    path = job().folder / NAME
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UserError, match=r"state\.pt: damaged.*state\.previous\.pt"):
        fit(job())
    path.unlink()
    fit(job())  # from the previous one


def test_another_batch_size_is_refused_with_both_values(job, stop_after):
    resume = stop_after(2)
    with pytest.raises(Interrupted):
        fit(job())
    resume()
    with pytest.raises(UserError, match=r"accumulate was 2 .* is 1 now"):
        fit(job(accumulate=1))


def test_a_second_trainer_on_the_same_run_is_refused(tmp_path):
    with run_folder(tmp_path, "lift15-abc") as folder:
        assert folder.is_dir()
        with pytest.raises(UserError, match="another process"), run_folder(tmp_path, "lift15-abc"):
            pass
    assert not folder.exists()


def test_a_failed_run_keeps_its_folder(tmp_path):
    with pytest.raises(ZeroDivisionError), run_folder(tmp_path, "lift15-abc") as folder:
        raise ZeroDivisionError
    assert folder.is_dir()
