"""Work ahead and behind: order, bounds, errors, ends."""

import threading
import time

import pytest

from lift.video.threads import Behind, ahead


def test_items_come_in_order():
    assert list(ahead(iter(range(50)), 3)) == list(range(50))


def test_no_more_than_the_depth_is_made_ahead():
    made = []

    def source():
        for k in range(50):
            made.append(k)
            yield k

    stream = ahead(source(), 3)
    next(stream)
    time.sleep(0.2)
    assert len(made) <= 1 + 3 + 1
    stream.close()


def test_closing_ends_the_thread():
    before = threading.active_count()
    stream = ahead(iter(range(1000)), 1)
    next(stream)
    stream.close()
    assert threading.active_count() == before


def test_errors_of_the_source_are_raised_where_it_is_read():
    def source():
        yield 1
        raise KeyError("gone")

    stream = ahead(source(), 3)
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
