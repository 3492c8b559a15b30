"""Work that runs ahead of its reader, or behind its writer, in threads with bounded queues.

PyAV, OpenCV, zlib and PyTorch release Python's lock while they compute, so that decoding, inference and
encoding overlap.
"""

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_END = object()
PATIENCE = 0.1  # seconds between looks at whether the other side has gone
PORTION = 4 * 2**20  # bytes of results that are handed over at a time: that costs a switch between threads
PORTIONS = 4  # of an item that may wait
AHEAD = 2  # items in work or waiting per worker


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="ahead", daemon=True).start()


class Ahead(Generic[T]):
    """Yields what `items` yields, made up to `depth` ahead in a thread; its errors are raised here."""

    def __init__(
        self, items: Iterable[T], depth: int, begin: Callable[[Callable[[], None]], object] = _in_thread
    ) -> None:
        """Begin.

        Args:
            items: Gone through in the thread.
            depth: How many may wait.
            begin: Lets a function run in a thread, now or later.
        """
        self._items, self._line = items, queue.Queue[object](depth)
        self._gone, self._ended = threading.Event(), threading.Event()
        self._error: BaseException | None = None
        begin(self._work)

    def _put(self, item: object) -> bool:
        while not self._gone.is_set():
            try:
                self._line.put(item, timeout=PATIENCE)
                return True
            except queue.Full:
                continue
        return False

    def _work(self) -> None:
        try:
            for item in self._items if not self._gone.is_set() else ():
                if not self._put(item):
                    return
        except BaseException as error:
            self._error = error
        finally:
            self._put(_END)
            self._ended.set()

    def __iter__(self) -> Iterator[T]:
        while (item := self._line.get()) is not _END:
            yield item  # type: ignore[misc]
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Let the thread end, and wait for that."""
        self._gone.set()
        self._ended.wait()


class Behind(Generic[T]):
    """Calls `work` for every item in a thread, up to `depth` behind; `put` and `close` raise its errors."""

    def __init__(self, work: Callable[[T], None], depth: int) -> None:
        self._line: queue.Queue[object] = queue.Queue(depth)
        self._work = work
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="behind", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while (item := self._line.get()) is not _END:
            if self._failure is None:
                try:
                    self._work(item)  # type: ignore[arg-type]
                except BaseException as error:
                    self._failure = error  # later items are taken and dropped, so that `put` never hangs

    def put(self, item: T) -> None:
        """Hand over an item; waits while the thread is `depth` behind.

        Raises:
            BaseException: What went wrong with an earlier item.
        """
        if self._failure is not None:
            raise self._failure
        self._line.put(item)

    def close(self) -> None:
        """Wait until all items are done.

        Raises:
            BaseException: What went wrong with one.
        """
        self._line.put(_END)
        self._thread.join()
        if self._failure is not None:
            raise self._failure


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
        workers: Threads.
    """
    pending: deque[tuple[T, Ahead[list[R]]]] = deque()

    def first() -> tuple[T, Iterator[R]]:
        item, made = pending[0]
        return item, (result for portion in made for result in portion)

    with ThreadPoolExecutor(workers, thread_name_prefix="in order") as pool:
        try:
            for item in items:
                pending.append((item, Ahead(_portions(work(item), size), PORTIONS, pool.submit)))
                if len(pending) > AHEAD * workers:
                    yield first()
                    pending.popleft()
            while pending:
                yield first()
                pending.popleft()
        finally:
            for _, made in pending:
                made.close()


def _portions(results: Iterator[R], size: Callable[[R], int]) -> Iterator[list[R]]:
    """Join results to lists of `PORTION` bytes or more; whatever is raised comes behind what was made."""
    portion, total = list[R](), 0
    try:
        for result in results:
            portion.append(result)
            total += size(result)
            if total >= PORTION:
                yield portion
                portion, total = [], 0
    except Exception:
        yield portion
        raise
    yield portion
