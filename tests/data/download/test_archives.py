"""Archives that climb, link, lie, bomb and break off; and rar, which only other programs read."""

import gzip
import io
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib

import pytest

from lift.data.download import rar
from lift.data.download.archives import settle, unpack
from lift.errors import UserError

MOST = 10**7


@pytest.fixture
def into(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return folder


@pytest.fixture
def refused(tmp_path, into):
    """Unpack `data` and give the one-line refusal; nothing may lie outside the folder."""

    def call(data, kind, most=MOST):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(data)
        with pytest.raises(UserError) as error:
            unpack(path, kind, into, most)
        assert sorted(p.name for p in tmp_path.iterdir()) == [path.name, "in"]
        message = str(error.value)
        assert "\n" not in message
        assert str(path) in message
        return message

    return call


def files(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def tar_entry(name, kind=tarfile.REGTYPE, link=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def zip_entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


CONTENTS = {"set/a b.png": b"1" * 5000, "set/żółw/0001.png": b"", "list.txt": b"x"}


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_unpacking_gives_the_packed_files_and_counts_their_bytes(make, tmp_path, into, kind):
    path = tmp_path / "a"
    path.write_bytes((make.zipped if kind == "zip" else make.tarred)(CONTENTS))
    counted = []
    unpack(path, kind, into, MOST, counted.append)
    assert files(into) == CONTENTS
    assert sum(counted) == 5001


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/tmp/lift-out.txt", "..\\out.txt", "C:\\out.txt"]
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_path_that_leaves_the_folder_is_refused(make, refused, into, name, kind):
    data = (make.zipped if kind == "zip" else make.tarred)({"good.txt": b"", name: b"evil"})
    assert "leads out of the folder" in refused(data, kind)
    if kind == "zip":
        assert not files(into)  # a zip is checked as a whole before the first write


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.SYMTYPE, "a link"),
        (tarfile.LNKTYPE, "a link"),
        (tarfile.FIFOTYPE, "a special file"),
        (tarfile.CHRTYPE, "a special file"),
        (tarfile.BLKTYPE, "a special file"),
    ],
)
def test_links_and_devices_in_a_tar_are_refused(make, refused, kind, word):
    assert word in refused(make.tarred({tar_entry("x", kind, "/etc/passwd"): b""}), "tar.gz")


@pytest.mark.parametrize(
    ("mode", "word"), [(stat.S_IFLNK | 0o777, "a link"), (stat.S_IFIFO, "neither file nor folder")]
)
def test_links_and_devices_in_a_zip_are_refused(make, refused, mode, word):
    assert word in refused(make.zipped({zip_entry("x", mode): b"/etc/passwd"}), "zip")


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_refused_by_its_declared_size(make, refused, into, kind):
    data = (make.zipped if kind == "zip" else make.tarred)({"zeros": bytes(3_000_000)})
    assert len(data) < 10_000
    assert "unpacks to more than the 1000000 bytes" in refused(data, kind, most=1_000_000)
    assert not files(into)


def test_a_million_empty_files_are_a_bomb_as_well(make, refused):
    assert "unpacks to more" in refused(make.zipped({f"{i}": b"" for i in range(300)}), "zip", most=10**6)


def test_zeros_behind_the_end_of_a_tar_are_a_bomb_as_well(make, refused):
    data = make.tarred({"a": b"b"}) + gzip.compress(bytes(3_000_000))
    assert "unpacks to more" in refused(data, "tar.gz", most=1_000_000)


def test_a_zip_that_understates_an_entry_gives_no_byte_more(make, refused):
    data = bytearray(make.zipped({"zeros": bytes(100_000)}))
    at = data.rindex(b"PK\x01\x02") + 24  # uncompressed size in the central directory
    data[at : at + 4] = struct.pack("<I", 10)
    assert "truncated or damaged" in refused(bytes(data), "zip")


def test_an_entry_twice_is_refused(make, refused):
    assert "in it twice" in refused(make.tarred({tar_entry("a"): b"1", tar_entry("./a"): b"2"}), "tar.gz")


def test_an_encrypted_zip_is_refused(make, refused):
    data = bytearray(make.zipped({"a": b"b"}))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in refused(bytes(data), "zip")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_truncated_archive_is_named(make, refused, kind, share):
    whole = (make.zipped if kind == "zip" else make.tarred)({f"{i}": make.noise(9000, i) for i in range(5)})
    assert "truncated or damaged" in refused(whole[: int(share * len(whole))], kind)


def test_a_tar_cut_exactly_between_two_entries_is_named(make, refused):
    """tarfile by itself takes it for a whole archive."""
    plain = gzip.decompress(make.tarred({"a": bytes(512), "b": bytes(512)}))
    compressor = zlib.compressobj(wbits=31)
    data = compressor.compress(plain[:1024]) + compressor.flush(zlib.Z_FULL_FLUSH)  # no end of the stream
    assert "truncated" in refused(data, "tar.gz")


def test_a_flipped_bit_is_named(make, refused):
    data = bytearray(make.zipped({"a": make.noise(9000)}))
    data[4000] ^= 1
    assert "CRC" in refused(bytes(data), "zip")


@pytest.mark.parametrize("around", ["", "vimeo/", "one/two/"])
def test_folders_around_the_contents_are_taken_off(make, tmp_path, into, around):
    names = ("sequences/1/im1.png", "list.txt")
    path = tmp_path / "a.zip"
    path.write_bytes(make.zipped({**{around + n: b"x" for n in names}, "__MACOSX/junk": b""}))
    unpack(path, "zip", into, MOST)
    settle(into, ("sequences", "list.txt"), path)
    assert set(names) <= set(files(into))
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["in"]


def test_another_archive_is_named_by_what_it_holds(make, tmp_path, into):
    (into / "else").mkdir()
    with pytest.raises(UserError, match=r"a\.zip.*no sequences with list\.txt.*found: else"):
        settle(into, ("sequences", "list.txt"), tmp_path / "a.zip")


# Rar: a writer of stored archives (RAR 2.9 technical note), read by whichever program is installed.


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
READERS = [tool for tool in rar.TOOLS if tool.name in ("unar", "bsdtar", "unrar")]  # Debian's 7z has no rar


@pytest.fixture(params=READERS, ids=lambda tool: tool.name)
def reader(request, monkeypatch):
    """One program at a time, where it is installed."""
    if not (shutil.which(request.param.listing[0]) and shutil.which(request.param.unpacking[0])):
        pytest.skip(f"{request.param.name} is not installed on this machine")
    monkeypatch.setattr(rar, "TOOLS", (request.param,))


@pytest.mark.usefixtures("reader")
def test_rar_unpacks_and_counts(tmp_path, into):
    path = tmp_path / "a.rar"
    path.write_bytes(packed_rar(VIDEOS))
    counted = []
    unpack(path, "rar", into, MOST, counted.append)
    assert files(into) == {"UCF-101/A b/v_1.avi": b"hello" * 10_000}
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
def test_rar_is_checked_before_it_is_unpacked(refused, into, entries, word):
    assert word in refused(packed_rar(entries), "rar", most=1_000_000)
    assert not files(into)


@pytest.mark.usefixtures("reader")
def test_a_truncated_rar_is_named(refused, into):
    assert "truncated or damaged" in refused(packed_rar(VIDEOS)[:-5000], "rar")
    assert not files(into)


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


LISTED = "-rw-r--r--  0 0      0         {size} Jan  1  2020 a.avi"


def test_a_program_that_fails_gives_way_to_the_next(program, tmp_path, into):
    program("unrar", "echo cannot read >&2; exit 3")
    program("bsdtar", f'case $1 in -tvf) echo "{LISTED.format(size=3)}";; *) printf abc > a.avi;; esac')
    path = tmp_path / "a.rar"
    path.write_bytes(b"Rar!")
    unpack(path, "rar", into, MOST)
    assert files(into) == {"a.avi": b"abc"}


def test_all_programs_that_failed_are_named(program, refused):
    program("unrar", "echo cannot read >&2; exit 3")
    program("bsdtar", "echo bad header >&2; exit 1")
    message = refused(b"Rar!", "rar")
    assert "unrar: cannot read" in message
    assert "bsdtar: bad header" in message


def test_a_rar_that_writes_more_than_it_declares_is_stopped(program, refused):
    writes = "head -c 100000 /dev/zero > a.avi; exec sleep 20"
    program("bsdtar", f'case $1 in -tvf) echo "{LISTED.format(size=3)}";; *) {writes};; esac')
    assert "more than the 3 bytes" in refused(b"Rar!", "rar")


def test_a_link_that_the_listing_hid_is_found(program, refused):
    script = f'case $1 in -tvf) echo "{LISTED.format(size=11)}";; *) ln -s /etc/passwd a.avi;; esac'
    program("bsdtar", script)
    assert "link" in refused(b"Rar!", "rar")


SEVEN = """Path = d
Size = 0
Attributes = D drwxr-xr-x

Path = d/a b
Size = 3
Attributes = A -rw-r--r--

Path = d/l
Size = 11
Attributes = A lrwxrwxrwx
"""
UNRAR = """
Archive: a.rar
Details: RAR 5

        Name: d/a b
        Type: File
        Size: 3

        Name: d/l
        Type: Unix symbolic link
      Target: /etc/passwd
        Size: 11

        Name: d
        Type: Directory
"""


def test_listings_of_programs_are_read():
    assert rar.parse_7z(SEVEN) == [("d", 0, False), ("d/a b", 3, False), ("d/l", 11, True)]
    assert rar.parse_unrar(UNRAR) == [("d/a b", 3, False), ("d/l", 11, True), ("d", 0, False)]
