from itertools import pairwise

import pytest

from lift.evaluation.examples import spread


@pytest.mark.parametrize(("count", "wanted"), [(10, 2), (7, 3), (310, 6), (5, 4)])
def test_examples_are_spread_evenly(count, wanted):
    places = sorted(spread(count, wanted))
    gaps = [b - a for a, b in pairwise(places)]
    assert len(places) == wanted
    assert max(gaps) - min(gaps) <= 1
    assert abs(places[0] - (count - 1 - places[-1])) <= 1


def test_as_many_as_there_are():
    assert spread(3, 5) == spread(3, 3) == frozenset({0, 1, 2})
    assert spread(3, 0) == frozenset()
