"""Archives that climb, link, lie, bomb and break off."""

import gzip
import stat
import struct
import tarfile
import zipfile
import zlib

import pytest

from lift.errors import UserError
from lift.fetch.bring import innermost
from lift.fetch.unpack import unpack

MOST = 10**7


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
    assert make.files(into) == CONTENTS
    assert sum(counted) == 5001


@pytest.mark.parametrize(
    "name", ["../out.txt", "a/../../out.txt", "/tmp/lift-out.txt", "..\\out.txt", "C:\\out.txt"]
)
@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_path_that_leaves_the_folder_is_refused(make, refused, into, name, kind):
    data = (make.zipped if kind == "zip" else make.tarred)({"good.txt": b"", name: b"evil"})
    assert "leads out of the folder" in refused(data, kind)
    if kind == "zip":
        assert not make.files(into)  # a zip is checked as a whole before the first write


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
    assert not make.files(into)


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
    assert set(names) <= set(make.files(innermost(into, ("sequences", "list.txt"), path)))


def test_another_archive_is_named_by_what_it_holds(make, tmp_path, into):
    (into / "else").mkdir()
    with pytest.raises(UserError, match=r"a\.zip.*no sequences with list\.txt.*found: else"):
        innermost(into, ("sequences", "list.txt"), tmp_path / "a.zip")
