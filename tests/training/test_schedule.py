"""Rates, phases and data order as functions of the step."""

import dataclasses
from itertools import pairwise
from pathlib import Path

import pytest

from lift.config import load
from lift.errors import UserError
from lift.training.sampler import StepSampler, epoch_visits
from lift.training.schedule import Schedule

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
    assert [plan.phase(s)[1].freeze for s in (0, 999, 1000, 4999)] == [True, True, False, False]


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
    one = list(StepSampler(schedule(batch=2, accumulate=2), 7, 0, 20))
    two = [list(StepSampler(schedule(batch=2, accumulate=2, world=2), 7, 0, 20, rank)) for rank in (0, 1)]
    assert one == [batch for pair in zip(*two, strict=True) for batch in pair]


def test_a_resumed_sampler_continues_the_order():
    plan = schedule(batch=8)
    whole = list(StepSampler(plan, 7, 0, 250))
    assert whole[120:] == list(StepSampler(plan, 7, 120, 250))
    assert len(StepSampler(plan, 7, 120, 250)) == 130
