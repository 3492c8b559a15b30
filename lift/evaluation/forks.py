"""Clips spread over processes of one thread each, their results in the clips' order.

A network's frame of small pictures is thousands of small operations. Of those a second thread takes little, a
second process half of the clips. The processes are forks: nothing is loaded again, and models are held once.
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any, TypeVar

import cv2
import torch

from lift.errors import UserError

T = TypeVar("T")
R = TypeVar("R")
_begun_for: list[Callable[[Any], Any]] = []
"""Of a fork: its work, which need not be sent, for a fork has it."""


@contextmanager
def in_order(work: Callable[[T], R], items: Sequence[T], processes: int) -> Iterator[Iterator[R]]:
    """Give `work(item)` of every item, in their order, while open; processes end with it.

    Args:
        work: What it returns and raises goes from one process to another (pickle).
        items: Each is taken by the next process that is free.
        processes: 1: all is done in this one, with its threads; more: on Linux, and on CPUs alone.

    Raises:
        UserError: A process was killed. What `work` raises is raised for the first item that fails.
    """
    if processes == 1:
        yield map(work, items)
        return
    cv2.setNumThreads(1)  # before the fork, behind which its threads would be missing
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _begin, (work,))
    try:
        # Ctrl-C reaches all processes: forks, which begin here, end at once, and the parent speaks.
        handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            results = pool.map(_call, items)
        finally:
            signal.signal(signal.SIGINT, handler)
        yield results
    except BrokenProcessPool as error:
        raise UserError(
            "evaluation: a process that measures was killed, most likely for lack of memory; free some, or "
            "set evaluate.threads to 1 in params.yaml, and run again"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(work: Callable[[Any], Any]) -> None:
    _begun_for.append(work)
    torch.set_num_threads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(item: Any) -> Any:
    return _begun_for[-1](item)
