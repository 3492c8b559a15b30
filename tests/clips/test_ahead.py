import threading
import time

import pytest

from lift.clips.ahead import AHEAD, BUDGET, PORTION, in_order


def taken(cuts):
    return [(item, list(results)) for item, results in cuts]


@pytest.mark.parametrize("workers", [1, 3, 8])
def test_results_come_in_order_whatever_the_workers_and_their_speed(workers):
    def work(item):
        time.sleep(0.01 * (item % 3))
        yield from (10 * item + i for i in range(item % 4))

    expected = [(item, [10 * item + i for i in range(item % 4)]) for item in range(20)]
    assert taken(in_order(range(20), work, lambda _: PORTION, workers)) == expected
    assert taken(in_order([], work, lambda _: 1, workers)) == []


def test_an_error_is_raised_where_its_result_would_have_been():
    def work(item):
        yield item
        if item == 2:
            raise RuntimeError("broken")

    got = []

    def take():
        for item, results in in_order(range(9), work, lambda _: PORTION, 3):
            for result in results:
                got.append((item, result))

    with pytest.raises(RuntimeError, match="broken"):
        take()
    assert got == [(0, 0), (1, 1), (2, 2)]
    assert not any(thread.name.startswith("clips") for thread in threading.enumerate())


def test_no_more_than_the_budget_waits_and_a_taker_that_leaves_ends_the_work():
    made = []

    def work(item):
        for i in range(1000):
            made.append((item, i))
            yield bytes(1)

    size = BUDGET // 8
    cuts = in_order(range(100), work, lambda _: size, 2)
    _, results = next(cuts)
    next(results)
    time.sleep(0.2)
    # A portion may be in hand beside what waits.
    per_item = [sum(item == each for each, _ in made) for item in range(100)]
    assert max(per_item) <= 8 + 3
    assert sum(per_item) <= (8 + 3) * 2 * AHEAD
    results.close()
    cuts.close()
    count = len(made)
    time.sleep(0.05)
    assert len(made) == count
    assert not any(thread.name.startswith("clips") for thread in threading.enumerate())


def test_work_goes_on_while_results_are_taken():
    """Two items in work at once: each waits for the other."""
    meeting = threading.Barrier(2, timeout=10)

    def work(item):
        meeting.wait()
        yield item

    assert taken(in_order(range(2), work, lambda _: 1, 2)) == [(0, [0]), (1, [1])]
