"""Work on several items at once whose results are taken in order, with a bounded amount waiting."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

BUDGET = 16 * 2**20  # bytes of one item's results that may wait: a few clips' frames
PORTION = BUDGET // 16  # bytes handed over at a time: handing over costs a switch between threads
AHEAD = 2  # items in work or waiting per worker


def in_order(
    items: Iterable[T], work: Callable[[T], Iterator[R]], size: Callable[[R], int], workers: int
) -> Iterator[tuple[T, Iterator[R]]]:
    """Yield each item with its results.

    What is given depends on neither the number of workers nor their speed. The results of an item must be
    taken before the next item is.

    Args:
        items: Gone through in this order, a few of them ahead.
        work: Gives an item's results one by one; each item's runs in a thread of its own.
        size: Bytes that a result holds.
        workers: Threads.
    """
    pending: deque[tuple[T, _Stream[R]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="clips") as pool:
        try:
            for item in items:
                stream = _Stream(work(item), size)
                pending.append((item, stream))
                pool.submit(stream.fill)
                if len(pending) > AHEAD * workers:
                    yield pending[0][0], pending[0][1].results()
                    pending.popleft()
            while pending:
                yield pending[0][0], pending[0][1].results()
                pending.popleft()
        finally:
            for _, stream in pending:
                stream.stop()


class _Stream(Generic[R]):
    """The results of one item on their way from its worker to the taker."""

    def __init__(self, made: Iterator[R], size: Callable[[R], int]) -> None:
        self._made, self._size = made, size
        self._change = Condition()
        self._portions: deque[tuple[list[R], int]] = deque()
        self._waiting = 0
        self._ended = self._stopped = False
        self._error: BaseException | None = None

    def fill(self) -> None:
        """Make all results; whatever is raised is raised again where they are taken."""
        portion: list[R] = []
        total = 0
        try:
            for result in self._made if not self._stopped else ():
                portion.append(result)
                total += self._size(result)
                if total >= PORTION:
                    if not self._hand_over(portion, total):
                        return
                    portion, total = [], 0
        except BaseException as error:
            self._error = error
        finally:
            with self._change:
                self._waiting += total
                self._portions.append((portion, total))
                self._ended = True
                self._change.notify_all()

    def results(self) -> Iterator[R]:
        """Yield the results as they come."""
        while True:
            with self._change:
                self._change.wait_for(lambda: self._portions or self._ended)
                if not self._portions:
                    break
                portion, size = self._portions.popleft()
                self._waiting -= size
                self._change.notify_all()
            yield from portion
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Let the worker end soon."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def _hand_over(self, portion: list[R], size: int) -> bool:
        """Wait for room and pass results on; False: nobody wants them any more."""
        with self._change:
            self._change.wait_for(lambda: self._stopped or self._waiting < BUDGET)
            self._waiting += size
            self._portions.append((portion, size))
            self._change.notify_all()
            return not self._stopped
