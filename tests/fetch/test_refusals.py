"""What is not the wanted file, and what cannot be had: one line that says where to get and put it."""

import json
import os
import tempfile
from pathlib import Path

import pytest

from lift.fetch.transfer import Identity, Transfer, note_of, part_of, record

SIZE = 300_000


def ranges(server):
    return [span for _, span in server.requests]


def test_a_dead_link_says_where_to_get_the_file_and_where_to_put_it(refusal, server, bring, make, tmp_path):
    words = ["HTTP 404", "https://example.org/set", str(tmp_path / "set.zip")]
    refusal(lambda: bring(make.remote(server.url("/gone"))), *words)
    assert len(server.requests) == 1  # asking again would not help


def test_no_server_at_all_is_said(refusal, bring, make):
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
def test_a_page_instead_of_an_archive_is_refused(refusal, server, bring, make, kind, tmp_path):
    page = b"\n<!DOCTYPE html><html><title>Virus scan warning</title></html>"
    refusal(
        lambda: bring(make.remote(server.serve("/f", page, kind=kind))), "web page", "https://example.org/set"
    )
    assert not (tmp_path / "set.zip").exists()
    assert not part_of(tmp_path / "set.zip").exists()


def test_another_kind_of_file_is_refused(refusal, server, bring, make):
    remote = make.remote(server.serve("/f", make.tarred({"a": b"b"})))
    refusal(lambda: bring(remote), "is no zip file")


def test_a_length_that_promises_more_is_no_whole_file(refusal, server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, announce=len(archive) + 10, ranges=False))
    refusal(lambda: bring(remote), "connection lost", "3 times in a row")


def test_a_length_that_promises_less_is_found_by_the_known_size(
    refusal, server, bring, make, archive, tmp_path
):
    record(
        tmp_path / "manifest.json", "set/set.zip", Identity(size=len(archive), sha256=make.sha256(archive))
    )
    remote = make.remote(server.serve("/f", archive, announce=1000))
    refusal(lambda: bring(remote), "announces 1000 bytes", str(len(archive)))


def test_a_length_far_from_the_published_one_is_refused_at_once(refusal, server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive), about=10 * len(archive))
    refusal(lambda: bring(remote), "announces", "published")
    assert not bring.counted


def test_a_server_without_lengths_is_believed(server, bring, make, archive, tmp_path):
    bring(make.remote(server.serve("/f", archive, no_length=True)))
    assert (tmp_path / "set.zip").read_bytes() == archive


def test_a_wrong_hash_is_refused_with_both_and_kept_aside(refusal, server, bring, make, archive, tmp_path):
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


@pytest.fixture
def wrong_part(server, make, archive, tmp_path):
    """Serve the archive with cuts; `have` bytes are here, of another version that is as long."""

    def prepare(have, cuts, **fields):
        url = server.serve("/f", archive, etag="", cuts=cuts)
        part = part_of(tmp_path / "set.zip")
        part.write_bytes(make.zipped({"a/frame.png": make.noise(SIZE, 1)})[:have])
        note_of(part).write_text(json.dumps({"url": url, "total": len(archive), "validator": ""}))
        return make.remote(url, **fields)

    return prepare


@pytest.mark.parametrize("cut", [[], [250_000, SIZE]], ids=["whole", "cut on its way"])
def test_what_is_fetched_once_more_may_come_in_pieces_as_well(
    wrong_part, bring, make, archive, tmp_path, cut
):
    have = 1000 if cut else len(archive)
    bring(wrong_part(have, cut + [SIZE // 10] * 9, sha256=make.sha256(archive)))
    assert (tmp_path / "set.zip").read_bytes() == archive
    assert sum(bring.counted) == len(archive) - have


def test_what_is_wrong_again_is_refused_and_kept_aside(refusal, server, wrong_part, bring, make, archive):
    remote = wrong_part(1000, [len(archive), 100_000, 100_000], sha256="0" * 64)
    refusal(lambda: bring(remote), "0" * 64, make.sha256(archive), "set.zip.refused")
    assert ranges(server) == ["bytes=1000-", None, "bytes=100000-", "bytes=200000-"]


def test_the_first_digits_of_a_hash_are_enough(server, bring, make, archive):
    bring(make.remote(server.serve("/f", archive), sha256=make.sha256(archive)[:8]))


def test_a_file_that_differs_from_its_first_use_is_refused_with_both_hashes(
    refusal, server, bring, make, archive, tmp_path
):
    record(
        tmp_path / "manifest.json", "set/set.zip", Identity(size=len(archive), sha256=make.sha256(b"first"))
    )
    remote = make.remote(server.serve("/f", archive))
    refusal(lambda: bring(remote), make.sha256(b"first"), make.sha256(archive), "manifest.json")


def test_a_file_placed_by_hand_needs_no_network(bring, make, archive, tmp_path):
    (tmp_path / "set.zip").write_bytes(archive)
    remote = make.remote(f"http://127.0.0.1:{make.free_port()}/f", sha256=make.sha256(archive))
    assert bring(remote)["size"] == len(archive)


def test_a_wrong_file_placed_by_hand_is_refused_and_left(refusal, bring, make, archive, tmp_path):
    (tmp_path / "set.zip").write_bytes(archive)
    refusal(lambda: bring(make.remote(sha256="1" * 64)), "1" * 64, make.sha256(archive), "remove it")
    assert (tmp_path / "set.zip").exists()


def test_what_only_a_person_can_get_is_said(refusal, bring, make, tmp_path):
    words = ["only a person can get it", "https://example.org/set", str(tmp_path / "set.zip"), "324 GB"]
    refusal(lambda: bring(make.remote(about=324 * 10**9)), *words)


def test_no_room_is_said_before_the_first_byte(refusal, server, bring, make, archive):
    remote = make.remote(server.serve("/f", archive, announce=10**15))
    refusal(lambda: bring(remote), "1000000.0 GB more")


def test_no_room_in_mid_download_is_said(refusal, server, bring, make, archive, tmp_path):
    remote = make.remote(server.serve("/f", archive))
    part = part_of(tmp_path / "set.zip")
    part.symlink_to("/dev/full")  # every write to it fails with "no space left on device"
    note_of(part).write_text(json.dumps({"url": remote.urls[0], "total": None, "validator": ""}))
    refusal(lambda: bring(remote), "no space left", str(part))


@pytest.fixture
def read_only():
    """Give a folder that cannot be written, also by root, who becomes nobody for the test."""
    folder = Path(tempfile.mkdtemp(prefix="lift-read-only-"))
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    yield folder
    os.seteuid(user)
    folder.rmdir()


def test_a_read_only_target_is_said(refusal, server, make, archive, read_only, settings):
    manifest = read_only / "m.json"
    remote = make.remote(server.serve("/f", archive))
    refusal(
        lambda: Transfer(
            remote=remote, path=read_only / "set.zip", key="k", manifest=manifest, settings=settings
        ).fetch(),
        str(read_only), "cannot be written",
    )  # fmt: skip
    refusal(lambda: record(manifest, "k", Identity(size=1, sha256="")), "m.json", "cannot be written")
