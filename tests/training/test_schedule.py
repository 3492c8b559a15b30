"""Rates, phases and data order as functions of the step."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest

from lift.config import load
from lift.errors import UserError
from lift.training.schedule import Schedule, draws, epoch_batches, epoch_visits

ROOT = Path(__file__).resolve().parents[2]
THESIS = load(ROOT / "params.yaml", "thesis", "lift15").train


def schedule(clips=800, world=1, **changes):
    return Schedule(dataclasses.replace(THESIS, **changes), clips, world)


def test_the_specifications_three_phases():
    plan = schedule(batch=8, warmup=0)
    assert plan.steps_per_epoch == 100
    assert plan.steps == 5000
    rates = {epoch: plan.rates(epoch * 100) for epoch in (0, 9, 10, 29, 30, 49)}
    assert [rates[e]["rest"] for e in rates] == pytest.approx([1e-4, 1e-4, 1e-4, 1e-4, 1e-5, 1e-5])
    assert [rates[e]["encoder"] for e in (10, 29, 30)] == pytest.approx([1e-5, 1e-5, 1e-5])
    assert [plan.phase(s)[0].freeze for s in (0, 999, 1000, 4999)] == [True, True, False, False]


def test_warm_up_rises_and_the_cosine_ends_at_the_final_rate():
    train = dataclasses.replace(THESIS.phases[0], epochs=1, rate=1.0, final_rate=0.1)
    plan = schedule(phases=(train,), warmup=10, batch=8)
    rates = [plan.rates(step)["rest"] for step in range(plan.steps)]
    assert rates[0] == pytest.approx(1 / 11, rel=1e-3)
    assert all(a < b for a, b in pairwise(rates[:10]))
    assert all(a > b for a, b in pairwise(rates[10:]))
    assert rates[-1] == pytest.approx(0.1)


def test_validation_follows_every_nth_epoch_and_the_end():
    plan = schedule(phases=(dataclasses.replace(THESIS.phases[0], epochs=3),), batch=400, validate_every=2)
    assert [plan.validates_after(step) for step in range(6)] == [False, False, False, True, False, True]


def test_too_small_a_training_set_is_refused():
    with pytest.raises(UserError, match="do not fill one step"):
        schedule(clips=7, batch=8)


def test_every_clip_has_its_turn_before_any_has_its_second():
    plan = schedule(clips=10, samples_per_epoch=4, batch=2)
    visits = [index for epoch in range(5) for index in epoch_visits(7, epoch, plan)]
    assert sorted(visits[:10]) == sorted(visits[10:]) == list(range(10))


def test_two_processes_see_what_one_with_double_accumulation_sees():
    one = list(draws(schedule(batch=2, accumulate=2), 7, 0, 20))
    two = [list(draws(schedule(batch=2, accumulate=2, world=2), 7, 0, 20, rank)) for rank in (0, 1)]
    assert one == [batch for pair in zip(*two, strict=True) for batch in pair]


def test_a_resumed_sampler_continues_the_order():
    plan = schedule(batch=8)
    whole = list(draws(plan, 7, 0, 250))
    assert whole[120:] == list(draws(plan, 7, 120, 250))
    assert len(whole) == 250


def test_loaded_stages_thaw_one_after_another_the_deepest_first_and_stay_so():
    phases = THESIS.phases
    plan = schedule(batch=8)
    assert [phase.thaw for phase in phases] == [0, 8, 0]
    frozen = [plan.frozen(100 * epoch, 4)[0] for epoch in range(50)]
    assert frozen == [4] * 10 + [3] * 2 + [2] * 2 + [1] * 2 + [0] * 34
    # The steps at which the model is wrapped anew: where something thaws, and where a phase ends.
    step, ends = 0, []
    while step < plan.steps:
        _, step = plan.frozen(step, 4)
        ends.append(step)
    assert ends == [1000, 1200, 1400, 1600, 3000, 5000]
    assert plan.frozen(1399, 4) == (2, 1400)
    assert [plan.frozen(step, 0) for step in (0, 1100)] == [(0, 1000), (0, 3000)]  # nothing was loaded


def test_thawed_stages_train_at_the_encoders_own_rate():
    plan = schedule(batch=8, warmup=0)
    assert plan.rates(1000)["encoder"] == pytest.approx(plan.rates(1000)["rest"] / 10)


@pytest.mark.parametrize(("changes", "what"), [({"freeze": True}, "nothing thaws"), ({"thaw": 21}, "longer")])
def test_a_thaw_that_cannot_be_is_refused(changes, what):
    with pytest.raises(ValueError, match=what):
        dataclasses.replace(THESIS.phases[1], **changes)


SIZES = ["large", "large", "small", "large", "tiny"] * 20


def test_a_batch_has_clips_of_one_size_and_every_clip_keeps_its_turn():
    plan = schedule(clips=100, batch=4, accumulate=2)
    for epoch in range(5):
        batches = epoch_batches(7, epoch, plan, SIZES)
        assert len(batches) == 24  # 12 steps of two
        assert all(len({SIZES[index] for index, _, _ in batch}) == 1 for batch in batches)
        places = [place for batch in batches for _, _, place in batch]
        assert len(set(places)) == len(places)
        own = [(index, place) for batch in batches for index, _, place in batch if place < 100]
        order = epoch_visits(7, epoch, plan)
        assert all(order[place] == index for index, place in own)
        assert len(own) >= 96 - 2 * 3  # at most one batch of two sizes was completed by clips seen anew


def test_batches_of_one_size_are_the_visits_in_their_order():
    plan = schedule(clips=100, batch=8)
    flat = [index for batch in epoch_batches(7, 3, plan) for index, _, _ in batch]
    assert flat == epoch_visits(7, 3, plan)[:96]
    assert epoch_batches(7, 3, plan) == epoch_batches(7, 3, plan, ["all"] * 100)


def test_sizes_leave_resume_and_processes_exact():
    one = list(draws(schedule(100, batch=2, accumulate=2), 7, 0, 60, sizes=SIZES))
    later = list(draws(schedule(100, batch=2, accumulate=2), 7, 31, 60, sizes=SIZES))
    assert one[62:] == later
    plan = schedule(100, world=2, batch=2, accumulate=2)
    two = [list(draws(plan, 7, 0, 60, rank, SIZES)) for rank in (0, 1)]
    assert one == [batch for pair in zip(*two, strict=True) for batch in pair]


def test_the_thesis_ends_with_whole_frames_of_each_source():
    sizes = {source: THESIS.crop(THESIS.phases[2], source) for source in ("vimeo90k", "ucf101")}
    assert sizes == {"vimeo90k": (256, 448), "ucf101": (240, 320)}
    assert THESIS.crop(THESIS.phases[0], "ucf101") == (224, 224)
