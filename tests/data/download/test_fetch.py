"""One file over HTTP from a server that cuts, stalls, lies and changes its mind."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lift.data.download.fetch import fetch, part_of
from lift.data.download.manifest import Identity, Manifest
from lift.data.download.transfer import Stopped, note_of
from lift.errors import UserError

ROOT = Path(__file__).resolve().parents[3]
SIZE = 300_000


@pytest.fixture
def archive(make):
    return make.zipped({"a/frame.png": make.noise(SIZE)})


@pytest.fixture
def bring(tmp_path, settings):
    """Fetch `remote` to tmp_path/set.zip; records the bytes reported."""

    def call(remote, manifest=None, **changes):
        import dataclasses

        call.counted = []
        return fetch(
            remote,
            tmp_path / remote.name,
            f"set/{remote.name}",
            manifest or Manifest(tmp_path / "manifest.json"),
            dataclasses.replace(settings, **changes),
            call.counted.append,
        )

    return call


def ranges(server):
    return [span for _, span in server.requests]


def refusal(call, *words):
    with pytest.raises(UserError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message
    return message


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


def test_a_server_in_lasting_trouble_is_given_up(server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, statuses=[500] * 9))
    refusal(lambda: bring(remote), "HTTP 500", "3 times")
    assert len(server.requests) == 3


def test_a_part_outlives_a_failure(server, bring, make, archive, tmp_path):
    remote = make.remote(server.serve("/f", archive, cuts=[70_000, 0, 0, 0]))
    refusal(lambda: bring(remote))
    assert part_of(tmp_path / "set.zip").stat().st_size == 70_000
    bring(remote)
    assert ranges(server)[-1] == "bytes=70000-"
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_a_dead_link_says_where_to_get_the_file_and_where_to_put_it(server, bring, make, tmp_path):
    words = ["HTTP 404", "https://example.org/set", str(tmp_path / "set.zip")]
    refusal(lambda: bring(make.remote(server.url("/gone"))), *words)
    assert len(server.requests) == 1  # asking again would not help


def test_no_server_at_all_is_said(bring, make):
    url = f"http://127.0.0.1:{make.free_port()}/f"
    refusal(lambda: bring(make.remote(url)), "connection lost", "refused", "3 times")


def test_the_next_mirror_is_asked(server, bring, make, archive, tmp_path):
    mirrors = [
        server.url("/gone"),
        server.serve("/page", b"<html>", kind="text/html"),
        server.serve("/f", archive),
    ]
    bring(make.remote(*mirrors))
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert [path for path, _ in server.requests] == ["/gone", "/page", "/f"]


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/zip"])
def test_a_page_instead_of_an_archive_is_refused(server, bring, make, kind, tmp_path):
    page = b"\n<!DOCTYPE html><html><title>Virus scan warning</title></html>"
    refusal(
        lambda: bring(make.remote(server.serve("/f", page, kind=kind))), "web page", "https://example.org/set"
    )
    assert not (tmp_path / "set.zip").exists()
    assert not part_of(tmp_path / "set.zip").exists()


def test_another_kind_of_file_is_refused(server, bring, make):
    remote = make.remote(server.serve("/f", make.tarred({"a": b"b"})))
    refusal(lambda: bring(remote), "is no zip file")


def test_a_length_that_promises_more_is_no_whole_file(server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, announce=len(archive) + 10, ranges=False))
    refusal(lambda: bring(remote), "connection lost", "3 times in a row")


def test_a_length_that_promises_less_is_found_by_the_known_size(server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, announce=1000), size=len(archive))
    refusal(lambda: bring(remote), "announces 1000 bytes", str(len(archive)))


def test_a_length_far_from_the_published_one_is_refused_before_the_first_byte(server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive), about=10 * len(archive))
    refusal(lambda: bring(remote), "announces", "published")
    assert not bring.counted


def test_a_server_without_lengths_is_believed(server, bring, make, archive, tmp_path):
    bring(make.remote(server.serve("/f", archive, no_length=True)))
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_a_wrong_hash_is_refused_with_both_and_the_file_kept_aside(server, bring, make, archive, tmp_path):
    remote = make.remote(server.serve("/f", archive), sha256="0" * 64)
    refusal(lambda: bring(remote), "0" * 64, make.sha256(archive), "set.zip.refused")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set.zip.refused"]
    assert len(server.requests) == 1


def test_pieces_of_two_versions_are_fetched_once_more_as_one(server, bring, make, archive, tmp_path):
    """A server without validators cannot say that the file changed; the hash does."""
    remote = make.remote(server.serve("/f", archive, etag=""), sha256=make.sha256(archive))
    part = part_of(tmp_path / "set.zip")
    part.write_bytes(make.zipped({"b": make.noise(SIZE, 1)})[:1000])
    note_of(part).write_text(json.dumps({"url": remote.urls[0], "total": len(archive), "validator": ""}))
    bring(remote)
    assert ranges(server) == ["bytes=1000-", None]
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_the_first_digits_of_a_hash_are_enough(server, bring, make, archive):
    bring(make.remote(server.serve("/f", archive), sha256=make.sha256(archive)[:8]))


def test_a_file_that_differs_from_its_first_use_is_refused_with_both_hashes(
    server, bring, make, archive, tmp_path
):
    manifest = Manifest(tmp_path / "manifest.json")
    manifest.record("set/set.zip", Identity(size=len(archive), sha256=make.sha256(b"first")))
    remote = make.remote(server.serve("/f", archive))
    refusal(lambda: bring(remote, manifest), make.sha256(b"first"), make.sha256(archive), "manifest.json")


def test_a_file_placed_by_hand_needs_no_network(bring, make, archive, tmp_path):
    (tmp_path / "set.zip").write_bytes(archive)
    remote = make.remote(f"http://127.0.0.1:{make.free_port()}/f", sha256=make.sha256(archive))
    assert bring(remote).size == len(archive)


def test_a_wrong_file_placed_by_hand_is_refused_and_left(bring, make, archive, tmp_path):
    (tmp_path / "set.zip").write_bytes(archive)
    refusal(lambda: bring(make.remote(sha256="1" * 64)), "1" * 64, make.sha256(archive), "remove it")
    assert (tmp_path / "set.zip").exists()


def test_what_only_a_person_can_get_is_said(bring, make, tmp_path):
    words = ["only a person can get it", "https://example.org/set", str(tmp_path / "set.zip"), "324 GB"]
    refusal(lambda: bring(make.remote(about=324 * 10**9)), *words)


def test_no_room_is_said_before_the_first_byte(server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, announce=10**15))
    refusal(lambda: bring(remote), "1000000.0 GB more")


def test_a_folder_that_cannot_be_written_is_said(bring, make, server, archive, tmp_path, settings):
    (tmp_path / "file").write_text("")
    with pytest.raises((UserError, OSError)):
        fetch(
            make.remote(server.serve("/f", archive)),
            tmp_path / "file" / "set.zip",
            "k",
            Manifest(tmp_path / "m.json"),
            settings,
        )


def test_an_end_of_the_program_ends_the_download_and_keeps_the_part(
    server, make, archive, tmp_path, settings
):
    stop = threading.Event()
    stop.set()
    remote = make.remote(server.serve("/f", archive))
    with pytest.raises(Stopped):
        fetch(
            remote, tmp_path / "set.zip", "k", Manifest(tmp_path / "m.json"), settings,
            lambda _: None, stop,
        )  # fmt: skip
    assert part_of(tmp_path / "set.zip").exists()


KILLED = """
import dataclasses, sys
from pathlib import Path
from lift.config import load
from lift.data.download import Remote
from lift.data.download.fetch import fetch
from lift.data.download.manifest import Manifest
settings = dataclasses.replace(load("params.yaml", "demo").download, stall=20.0)
remote = Remote(name="set.zip", kind="zip", page="", urls=(sys.argv[1],))
folder = Path(sys.argv[2])
fetch(remote, folder / "set.zip", "set/set.zip", Manifest(folder / "m.json"), settings)
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
