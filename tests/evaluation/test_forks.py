"""Work in forks: the items' order, the first item's error, and no process that outlives its parent."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from lift.errors import UserError
from lift.evaluation import forks


def slow_at_first(item):
    time.sleep(0.2 if item == 0 else 0)
    return item, os.getpid(), torch.get_num_threads()


def refuse(item):
    if item in (3, 5):
        time.sleep(0.2 if item == 3 else 0)  # the later item fails before the earlier one
        raise UserError(f"set/v@{item}: cannot be read")
    return item


def gone():
    return not multiprocessing.active_children()


def test_results_come_in_the_items_order_from_processes_of_one_thread_each():
    with forks.in_order(slow_at_first, range(12), 2) as results:
        found = list(results)
    assert [item for item, _, _ in found] == list(range(12))
    assert {threads for _, _, threads in found} == {1}
    pids = {pid for _, pid, _ in found}
    assert len(pids) == 2
    assert os.getpid() not in pids
    assert gone()


def test_work_needs_not_be_sent_and_one_process_is_this_one():
    for processes in (1, 2):
        with forks.in_order(lambda item: (item, os.getpid()), "abc", processes) as results:
            found = list(results)
        assert [item for item, _ in found] == list("abc")
        assert ({pid for _, pid in found} == {os.getpid()}) == (processes == 1)


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_first_item_that_fails_is_told_however_many_processes_there_are(processes):
    found = []
    with (
        pytest.raises(UserError, match=r"^set/v@3: cannot be read$"),
        forks.in_order(refuse, range(40), processes) as results,
    ):
        found.extend(results)
    assert found == [0, 1, 2]
    assert gone()


def test_whoever_leaves_early_leaves_no_process():
    with forks.in_order(slow_at_first, range(1000), 2) as results:
        assert next(results)[0] == 0
    assert gone()


def test_a_killed_process_is_one_line_that_says_what_to_do():
    def work(item):
        if item == 3:
            os.kill(os.getpid(), signal.SIGKILL)

    with (
        pytest.raises(UserError, match=r"was killed, most likely for lack of memory; .*evaluate\.threads"),
        forks.in_order(work, range(8), 2) as results,
    ):
        list(results)
    assert gone()


def test_where_no_fork_can_be_made_ctrl_c_stays_what_it_was(monkeypatch):
    def refused():
        raise BlockingIOError("no more processes")

    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(os, "fork", refused)
    with pytest.raises(BlockingIOError), forks.in_order(slow_at_first, range(4), 2):
        pass
    try:
        assert signal.getsignal(signal.SIGINT) is before
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_forks_end_with_their_parent(number):
    code = (
        "import os, time\n"
        "from lift.evaluation import forks\n"
        "def work(item):\n"
        "    if item < 2:\n"
        "        return os.getpid()\n"
        "    time.sleep(600)\n"
        "with forks.in_order(work, range(9), 2) as results:\n"
        "    print(next(results), next(results), flush=True)\n"
        "    next(results)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    pids = {int(pid) for pid in parent.stdout.readline().split()}
    if number == signal.SIGINT:
        os.killpg(parent.pid, number)  # as a terminal does
    else:
        parent.send_signal(number)
    assert parent.wait(60) != 0
    _, errors = parent.communicate()
    assert errors.count("KeyboardInterrupt") == (number == signal.SIGINT)  # of the parent alone
    deadline = time.monotonic() + 60
    while any(alive(pid) for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
