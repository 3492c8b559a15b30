import itertools
from types import SimpleNamespace

import numpy as np
import pytest

from lift.clips.plan import free, present, spread
from lift.clips.sources import Target


def targets(numbers, before, after, spacing, limit):
    rules = SimpleNamespace(before=before, after=after, spacing=spacing, max_clips=limit, stride=1)
    return [target.number for target in free(numbers, rules)]


def context(numbers, reach=(15, 11), **target):
    """Give the offsets of a target's frames but its own."""
    return tuple(offset for offset in present(numbers, Target(**target), reach) if offset)


@pytest.mark.parametrize("count", [0, 1, 5, 17])
@pytest.mark.parametrize("limit", [None, 1, 2, 5, 40])
def test_spread_takes_the_wanted_number_ascending_and_symmetrical(count, limit):
    chosen = spread(count, limit)
    assert len(chosen) == (count if limit is None else min(limit, count))
    assert chosen == sorted(set(chosen))
    assert all(0 <= i < count for i in chosen)
    if chosen and limit is not None:
        assert abs(chosen[0] - (count - 1 - chosen[-1])) <= 1


@pytest.mark.parametrize("trial", range(20))
def test_every_target_has_what_it_requires_and_keeps_its_distance(trial):
    random = np.random.default_rng(trial)
    numbers = sorted(random.choice(80, 60, replace=False).tolist())
    before, after, spacing = (int(random.integers(1, 5)) for _ in range(3))
    chosen = targets(numbers, before, after, spacing, None)
    for target in chosen:
        assert set(range(target - before, target + after + 1)) <= set(numbers)
    assert all(b - a >= spacing for a, b in itertools.pairwise(chosen))
    possible = [t for t in numbers if set(range(t - before, t + after + 1)) <= set(numbers)]
    assert all(any(0 <= t - c < spacing for c in chosen) for t in possible)


def test_targets_of_a_whole_video_are_every_spacing_th_frame():
    assert targets(range(30), 10, 7, 4, None) == [10, 14, 18, 22]
    assert targets(range(30), 10, 7, 4, 1) == [18]
    assert targets(range(1, 8), 3, 3, 1, None) == [4]
    assert targets(range(6), 3, 3, 1, None) == []


def test_dense_offsets_are_all_that_exist_but_the_target():
    assert context(range(1, 8), number=4) == (-3, -2, -1, 1, 2, 3)
    assert context(range(100), (3, 2), number=50) == (-3, -2, -1, 1, 2)


@pytest.mark.parametrize("step", [1, 2, 4, 8])
def test_uniform_offsets_never_name_a_frame_between_the_references(step):
    offsets = context(range(400), number=200, step=step, uniform=True)
    assert offsets == (-15, -13, -11, -9, -7, -5, -3, -1, 1, 3, 5, 7, 9, 11)
    assert all(abs(offset) * step >= step for offset in offsets)
    inside = set(range(200 - step + 1, 200 + step))
    assert not {200 + offset * step for offset in offsets} & inside


def test_offsets_end_with_the_video():
    assert context(range(33), number=16, step=8, uniform=True) == (-1, 1)
    assert context(frozenset(range(10, 21)), number=16, step=2, uniform=True) == (-3, -1, 1)
