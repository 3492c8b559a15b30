"""Rar, which only other programs read: archives made here (stored, RAR 2.9), real and feigned programs.

A test of a real program is skipped where it is not installed.
"""

import io
import shutil
import stat
import struct
import zlib

import pytest

from lift.fetch import unpack as unpacking
from lift.fetch.unpack import PROGRAMS, unpack

MOST = 10**7


def _block(kind, flags, body, data=b""):
    header = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
    return struct.pack("<H", zlib.crc32(header) & 0xFFFF) + header + data


def packed_rar(entries):
    """Give a stored rar archive's bytes; an entry is (name, contents, unix mode)."""
    out = io.BytesIO()
    out.write(b"Rar!\x1a\x07\x00" + _block(0x73, 0, bytes(6)))
    for name, data, mode in entries:
        raw = name.replace("/", "\\").encode()
        body = struct.pack(
            "<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0x50210000, 20, 0x30, len(raw), mode
        )
        out.write(_block(0x74, 0x8000 | (0xE0 if stat.S_ISDIR(mode) else 0), body + raw, data))
    out.write(_block(0x7B, 0x4000, b""))
    return out.getvalue()


VIDEOS = [
    ("UCF-101", b"", 0o40755),
    ("UCF-101/A b", b"", 0o40755),
    ("UCF-101/A b/v_1.avi", b"hello" * 10_000, 0o100644),
]


@pytest.fixture(params=[name for name in PROGRAMS if not name.startswith("7z")])  # Debian's has no rar
def reader(request, monkeypatch):
    """One program at a time, where it is installed."""
    if not shutil.which(request.param):
        pytest.skip(f"{request.param} is not installed on this machine")
    monkeypatch.setattr(unpacking, "PROGRAMS", {request.param: PROGRAMS[request.param]})


@pytest.mark.usefixtures("reader")
def test_rar_unpacks_and_counts(make, tmp_path, into):
    path = tmp_path / "a.rar"
    path.write_bytes(packed_rar(VIDEOS))
    counted = []
    unpack(path, "rar", into, MOST, counted.append)
    assert make.files(into) == {"UCF-101/A b/v_1.avi": b"hello" * 10_000}
    assert sum(counted) == 50_000


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("entries", "word"),
    [
        ([("../out.txt", b"evil", 0o100644)], "leads out"),
        ([("UCF-101/link", b"/etc/passwd", 0o120777)], "link"),
        ([("zeros", bytes(3_000_000), 0o100644)], "unpacks to more than the 1000000"),
    ],
)
def test_rar_is_checked_before_it_is_unpacked(make, refused, into, entries, word):
    assert word in refused(packed_rar(entries), "rar", most=1_000_000)
    assert not make.files(into)


@pytest.mark.usefixtures("reader")
def test_a_truncated_rar_is_named(make, refused, into):
    assert "truncated or damaged" in refused(packed_rar(VIDEOS)[:-5000], "rar")
    assert not make.files(into)


def test_without_any_program_the_package_is_named(refused, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    message = refused(packed_rar(VIDEOS), "rar")
    assert "apt install libarchive-tools" in message
    for name in ("bsdtar", "unar", "unrar"):
        assert name in message


@pytest.fixture
def program(tmp_path_factory, monkeypatch):
    """Put programs written in shell on PATH, instead of all others: program(name, script)."""
    folder = tmp_path_factory.mktemp("bin")
    for name in ("sh", "mkdir", "head", "sleep", "ln", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    monkeypatch.setenv("PATH", str(folder))

    def write(name, script):
        (folder / name).write_text(f"#!{folder}/sh\n{script}\n")
        (folder / name).chmod(0o755)

    return write


ONE = packed_rar([("a.avi", b"abc", 0o100644)])


def test_a_program_that_fails_gives_way_to_the_next(make, program, tmp_path, into):
    program("unrar", "echo cannot read >&2; exit 3")
    program("bsdtar", "printf abc > a.avi")
    path = tmp_path / "a.rar"
    path.write_bytes(ONE)
    unpack(path, "rar", into, MOST)
    assert make.files(into) == {"a.avi": b"abc"}


def test_all_programs_that_failed_are_named(program, refused):
    program("unrar", "echo cannot read >&2; exit 3")
    program("bsdtar", "echo bad header >&2; exit 1")
    program("unar", "printf ab > a.avi")
    message = refused(ONE, "rar")
    assert "unrar: cannot read" in message
    assert "bsdtar: bad header" in message
    assert "unar: gave 2 of 3 bytes" in message


def test_a_rar_that_writes_more_than_it_declares_is_stopped(program, refused):
    program("bsdtar", "head -c 100000 /dev/zero > a.avi; exec sleep 20")
    assert "more than the 3 bytes" in refused(ONE, "rar")


def test_a_link_that_the_listing_hid_is_found(program, refused):
    program("bsdtar", "ln -s /etc/passwd a.avi")
    assert "link" in refused(ONE, "rar")


def test_what_is_no_rar_is_named(refused):
    assert "truncated or damaged (Not a RAR file)" in refused(b"Rar!", "rar")
