"""Work that runs ahead of its reader, or behind its writer, in threads with bounded queues.

PyAV, OpenCV, zlib and PyTorch release Python's lock while they compute, so that decoding, inference and
encoding overlap.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_END: Any = object()
PORTION = 4 * 2**20  # bytes of results that are handed over at a time: that costs a switch between threads
PORTIONS = 4  # of an item that may wait
AHEAD = 2  # items in work or waiting per worker


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Prefetch(Generic[T]):
    """Yields what `items` yields, made up to `depth` ahead in a thread.

    Raises:
        Exception: What `items` raises, in its place: after all that was yielded before.
    """

    def __init__(self, items: Iterable[T], depth: int) -> None:
        self._items = iter(items)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="prefetch")
        self._made = deque(self._next() for _ in range(depth))

    def _next(self) -> Future[T]:
        return self._pool.submit(next, self._items, _END)

    def __iter__(self) -> Iterator[T]:
        while (item := self._made.popleft().result()) is not _END:
            self._made.append(self._next())
            yield item

    def close(self) -> None:
        """Let the thread end, and wait for that."""
        self._pool.shutdown(cancel_futures=True)


class Behind(Generic[T]):
    """Calls `work` for every item in a thread, up to `depth` behind.

    Each item's future first asks for the result of the one before, so that an error goes on along the chain
    and nothing is done with what comes after an item that went wrong; `put` looks at the future `depth` items
    back, and so raises the error up to `depth` items late.
    """

    def __init__(self, work: Callable[[T], None], depth: int) -> None:
        self._work, self._depth = work, depth
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="behind")
        self._latest: Future[None] = self._pool.submit(lambda: None)
        self._waiting: deque[Future[None]] = deque()

    def _after(self, before: Future[None], item: T) -> None:
        before.result()
        self._work(item)

    def put(self, item: T) -> None:
        """Hand over an item; waits while the thread is `depth` behind.

        Raises:
            Exception: What `work` raised for an item at least `depth` before this one.
        """
        self._latest = self._pool.submit(self._after, self._latest, item)
        self._waiting.append(self._latest)
        if len(self._waiting) > self._depth:
            self._waiting.popleft().result()

    def close(self) -> None:
        """Wait until all items are done.

        Raises:
            Exception: What `work` raised for any of them.
        """
        self._pool.shutdown()
        self._latest.result()


def in_order(
    items: Iterable[T], work: Callable[[T], Iterator[R]], size: Callable[[R], int], workers: int
) -> Generator[tuple[T, Iterator[R]], None, None]:
    """Yield each item with its results; to be closed by whoever leaves early, so that the threads end.

    What is given depends on neither the number of workers nor their speed. The results of an item must be
    taken before the next item is.

    Args:
        items: Gone through in this order, a few of them ahead.
        work: Gives an item's results one by one; each item's runs in a thread of its own.
        size: Bytes that a result holds.
        workers: How many threads compute at once.

    Raises:
        Exception: What `items` raises, as soon as it is read; among an item's results, what `work` raises.
    """
    source, busy = iter(items), threading.Semaphore(workers)
    pending: deque[tuple[T, Prefetch[list[R]]]] = deque()
    try:
        while True:
            more = islice(source, AHEAD * workers + 1 - len(pending))
            pending.extend((item, Prefetch(_portions(work(item), size, busy), PORTIONS)) for item in more)
            if not pending:
                return
            item, made = pending[0]
            yield item, (result for portion in made for result in portion)
            made.close()
            pending.popleft()
    finally:
        for _, made in pending:
            made.close()


def _portions(results: Iterator[R], size: Callable[[R], int], busy: threading.Semaphore) -> Iterator[list[R]]:
    """Join results to lists of `PORTION` bytes or more; whatever is raised comes behind what was made."""
    fault: Exception | None = None
    total = PORTION
    while total >= PORTION:
        portion, total = list[R](), 0
        with busy:
            try:
                for result in results:
                    portion.append(result)
                    total += size(result)
                    if total >= PORTION:
                        break
            except Exception as error:
                fault = error
        yield portion
    if fault is not None:
        raise fault
