"""Work ahead and behind: order, bounds, errors, ends."""

import threading
import time

import pytest

from lift.threads import AHEAD, PORTION, PORTIONS, Behind, Prefetch, in_order


def test_items_come_in_order():
    assert list(Prefetch(range(50), 3)) == list(range(50))


def test_no_more_than_the_depth_is_made_ahead():
    made = []

    def source():
        for k in range(50):
            made.append(k)
            yield k

    stream = Prefetch(source(), 3)
    next(iter(stream))
    time.sleep(0.2)
    assert len(made) <= 1 + 3 + 1
    stream.close()


def test_closing_ends_the_thread():
    before = threading.active_count()
    stream = Prefetch(range(1000), 1)
    next(iter(stream))
    stream.close()
    assert threading.active_count() == before


def test_errors_of_the_source_are_raised_where_it_is_read():
    def source():
        yield 1
        raise KeyError("gone")

    stream = iter(Prefetch(source(), 3))
    assert next(stream) == 1
    with pytest.raises(KeyError, match="gone"):
        next(stream)


def test_a_writer_does_all_in_order():
    done = []
    writer = Behind(done.append, 2)
    for k in range(50):
        writer.put(k)
    writer.close()
    assert done == list(range(50))


def test_errors_of_a_writer_are_raised_and_never_hang():
    def work(item):
        raise KeyError(item)

    writer = Behind(work, 1)
    writer.put(0)
    time.sleep(0.05)
    for _ in range(3):
        with pytest.raises(KeyError):
            writer.put(1)
    with pytest.raises(KeyError):
        writer.close()


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
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_no_more_than_the_portions_wait_and_a_taker_that_leaves_ends_the_work():
    made = []

    def work(item):
        for i in range(1000):
            made.append((item, i))
            yield bytes(1)

    size = PORTION // 2
    cuts = in_order(range(100), work, lambda _: size, 2)
    _, results = next(cuts)
    next(results)
    time.sleep(0.2)
    # A portion may be in hand beside what waits.
    per_item = [sum(item == each for each, _ in made) for item in range(100)]
    assert max(per_item) <= 2 * (PORTIONS + 2)
    assert sum(per_item) <= (2 * (PORTIONS + 2)) * 2 * AHEAD
    results.close()
    cuts.close()
    count = len(made)
    time.sleep(0.05)
    assert len(made) == count
    assert not any(thread.name.startswith("ahead") for thread in threading.enumerate())


def test_work_goes_on_while_results_are_taken():
    """Two items in work at once: each waits for the other."""
    meeting = threading.Barrier(2, timeout=10)

    def work(item):
        meeting.wait()
        yield item

    assert taken(in_order(range(2), work, lambda _: 1, 2)) == [(0, [0]), (1, [1])]
