"""Work that runs ahead of its reader, or behind its writer, in a thread with a bounded queue.

PyAV and PyTorch release Python's lock while they compute, so decoding, inference and encoding overlap.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
_END = object()
PATIENCE = 0.1  # seconds between looks at whether the other side has gone


class _Failure:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def ahead(items: Iterator[T], depth: int) -> Generator[T, None, None]:
    """Yield what `items` yields, made up to `depth` ahead in a thread; its errors are raised here."""
    line: queue.Queue[object] = queue.Queue(depth)
    gone = threading.Event()

    def put(item: object) -> bool:
        while not gone.is_set():
            try:
                line.put(item, timeout=PATIENCE)
                return True
            except queue.Full:
                continue
        return False

    def work() -> None:
        try:
            for item in items:
                if not put(item):
                    return
            put(_END)
        except BaseException as error:
            put(_Failure(error))

    thread = threading.Thread(target=work, name="ahead", daemon=True)
    thread.start()
    try:
        while (item := line.get()) is not _END:
            if isinstance(item, _Failure):
                raise item.error
            yield item  # type: ignore[misc]
    finally:
        gone.set()
        thread.join()


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
