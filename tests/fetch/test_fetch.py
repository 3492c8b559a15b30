"""One file over HTTP from a server that cuts, stalls, lies and changes its mind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from lift.fetch.transfer import Identity, Transfer, note_of, part_of

ROOT = Path(__file__).resolve().parents[2]
SIZE = 300_000


def ranges(server):
    return [span for _, span in server.requests]


def test_a_file_arrives_whole_and_leaves_no_part(server, bring, make, archive, tmp_path):
    found = bring(make.remote(server.serve("/f", archive)))
    assert found == Identity(size=len(archive), sha256=make.sha256(archive))
    assert [p.name for p in tmp_path.iterdir()] == ["set.zip"]
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert sum(bring.counted) == len(archive)


def test_every_cut_is_resumed_where_it_happened(server, bring, make, archive, tmp_path):
    # more cuts than tries: each brought something, so none counts against the server
    bring(make.remote(server.serve("/f", archive, cuts=[50_000] * 5)))
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert ranges(server) == [None, *(f"bytes={50_000 * i}-" for i in range(1, 6))]
    assert sum(bring.counted) == len(archive)


def test_a_server_that_ignores_ranges_gives_the_whole_file_anew(server, bring, make, archive, tmp_path):
    bring(make.remote(server.serve("/f", archive, cuts=[1000], ranges=False)))
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert ranges(server) == [None, "bytes=1000-"]
    assert sum(bring.counted) == len(archive)


def test_a_server_that_sends_another_range_is_asked_anew(server, bring, make, archive, tmp_path):
    bring(make.remote(server.serve("/f", archive, cuts=[1000], wrong_range=True)))
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert ranges(server) == [None, "bytes=1000-", None]


@pytest.mark.parametrize("honest", [True, False], ids=["If-Range", "other ETag in the answer"])
def test_a_file_that_changed_on_the_server_is_not_mixed(server, bring, make, tmp_path, archive, honest):
    new = make.zipped({"b": make.noise(SIZE, 1)})
    remote = make.remote(server.serve("/f", new, etag='"two"', honest_if_range=honest))
    part = part_of(tmp_path / "set.zip")
    part.write_bytes(archive[:1000])
    note_of(part).write_text(json.dumps({"url": remote.urls[0], "total": len(archive), "validator": '"one"'}))
    bring(remote)
    assert (tmp_path / "set.zip").read_bytes() == new


def test_a_part_that_is_longer_than_the_file_starts_anew(server, bring, make, archive, tmp_path):
    remote = make.remote(server.serve("/f", archive))
    part = part_of(tmp_path / "set.zip")
    part.write_bytes(archive + b"more")
    note_of(part).write_text(json.dumps({"url": remote.urls[0], "total": None, "validator": '"one"'}))
    bring(remote)  # the server answers 416
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert ranges(server) == [f"bytes={len(archive) + 4}-", None]
    assert sum(bring.counted) == -4  # of what the part had


def test_a_whole_part_needs_no_network(bring, make, archive, tmp_path):
    """As after a kill between the last byte and the rename."""
    url = f"http://127.0.0.1:{make.free_port()}/f"
    part = part_of(tmp_path / "set.zip")
    part.write_bytes(archive)
    note_of(part).write_text(json.dumps({"url": url, "total": len(archive), "validator": ""}))
    bring(make.remote(url))
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_a_part_of_unknown_origin_is_not_continued(server, bring, make, archive, tmp_path):
    part_of(tmp_path / "set.zip").write_bytes(make.noise(500, 2))
    bring(make.remote(server.serve("/f", archive)))
    assert ranges(server) == [None]


@pytest.mark.parametrize("note", ["[]", "3", "null", '{"url": "%s"}', '{"url": "%s", "total": null}', "{"])
def test_a_part_with_a_note_that_is_none_is_not_continued(server, bring, make, archive, tmp_path, note):
    remote = make.remote(server.serve("/f", archive))
    part = part_of(tmp_path / "set.zip")
    part.write_bytes(archive[:500])
    note_of(part).write_text(note.replace("%s", remote.urls[0]))
    bring(remote)
    assert ranges(server) == [None]
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_a_silent_server_is_cut_and_resumed(server, bring, make, archive, tmp_path):
    begin = time.monotonic()
    bring(make.remote(server.serve("/f", archive, stall=5000)))
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert ranges(server) == [None, "bytes=5000-"]
    assert time.monotonic() - begin < 3


def test_a_server_that_drips_counts_as_silent(server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, slow=True))

    def later():
        time.sleep(0.5)
        server.files["/f"].slow = False

    thread = threading.Thread(target=later)
    thread.start()
    bring(remote)
    thread.join()
    assert len(server.requests) >= 2


def test_troubled_servers_are_asked_again_and_again(server, bring, make, archive):
    bring(make.remote(server.serve("/f", archive, statuses=[500, 503])))
    assert len(server.requests) == 3


def test_a_server_in_lasting_trouble_is_given_up(refusal, server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, statuses=[500] * 9))
    refusal(lambda: bring(remote), "HTTP 500", "3 times")
    assert len(server.requests) == 3


def test_a_part_outlives_a_failure(refusal, server, bring, make, archive, tmp_path):
    remote = make.remote(server.serve("/f", archive, cuts=[70_000, 0, 0, 0]))
    refusal(lambda: bring(remote))
    assert part_of(tmp_path / "set.zip").stat().st_size == 70_000
    bring(remote)
    assert ranges(server)[-1] == "bytes=70000-"
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_an_end_of_the_program_ends_the_download_and_keeps_the_part(
    server, make, archive, tmp_path, settings
):
    stop = threading.Event()
    stop.set()
    remote = make.remote(server.serve("/f", archive))
    with pytest.raises(CancelledError):
        Transfer(
            remote=remote,
            path=tmp_path / "set.zip",
            key="k",
            manifest=tmp_path / "m.json",
            settings=settings,
            stop=stop,
        ).fetch()
    assert part_of(tmp_path / "set.zip").exists()


KILLED = """
import dataclasses, sys
from pathlib import Path
from lift.config import load
from lift.fetch import Remote
from lift.fetch.transfer import Transfer
settings = dataclasses.replace(load("params.yaml", "demo").download, stall=20.0)
remote = Remote(name="set.zip", page="", urls=(sys.argv[1],))
folder = Path(sys.argv[2])
Transfer(
    remote=remote, path=folder / "set.zip", key="set/set.zip", manifest=folder / "m.json", settings=settings
).fetch()
"""


def test_a_killed_download_resumes_to_equal_bytes(server, bring, make, tmp_path):
    archive = make.zipped({"a": make.noise(4_000_000)})
    url = server.serve("/f", archive, stall=3_000_000)
    child = subprocess.Popen([sys.executable, "-c", KILLED, url, str(tmp_path)], cwd=ROOT)
    part = part_of(tmp_path / "set.zip")
    try:
        until = time.monotonic() + 15
        while not part.exists() or part.stat().st_size < 2_000_000:
            assert time.monotonic() < until
            time.sleep(0.01)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    have = part.stat().st_size
    assert not (tmp_path / "set.zip").exists()
    bring(make.remote(url))
    assert ranges(server) == [None, f"bytes={have}-"]
    assert (tmp_path / "set.zip").read_bytes() == archive
