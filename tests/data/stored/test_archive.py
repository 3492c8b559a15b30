import multiprocessing
import pickle
import zipfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from lift.data.stored.archive import ClipArchive, StoredArchive, entry_name, write_archive
from lift.errors import UserError
from lift.png import encode


def entries(made, count=12):
    return [(entry_name("a/ż b", i, "png"), encode(made.picture(i))) for i in range(count)]


def test_equal_entries_give_equal_bytes_that_any_zip_program_reads(made, tmp_path):
    for name in ("a.zip", "b.zip"):
        write_archive(tmp_path / name, iter(entries(made)))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == dict(entries(made))
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}


def test_entries_are_read_in_any_order(made, tmp_path):
    write_archive(tmp_path / "a.zip", entries(made))
    archive = StoredArchive(tmp_path / "a.zip")
    assert len(archive) == 12
    for name, data in sorted(entries(made), key=lambda entry: entry[1]):
        assert archive.read(name) == data


def test_archives_of_other_programs_are_read_too(made, tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "a.zip", "w") as archive,
        archive.open("a/1", "w", force_zip64=True) as file,
    ):
        file.write(b"with an extra field")
    assert StoredArchive(tmp_path / "a.zip").read("a/1") == b"with an extra field"


@pytest.mark.parametrize("names", [["b", "a"], ["a", "a"]])
def test_entries_out_of_order_are_a_mistake_and_leave_no_file(tmp_path, names):
    with pytest.raises(ValueError, match="does not come after"):
        write_archive(tmp_path / "a.zip", [(name, b"x") for name in names])
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_archive(made, tmp_path):
    path = tmp_path / "a.zip"
    write_archive(path, entries(made))
    before = path.read_bytes()

    def broken():
        yield from entries(made, 3)
        raise UserError("the source went away")

    with pytest.raises(UserError, match="went away"):
        write_archive(path, broken())
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def open_files():
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def damaged(kind, data):
    middle = len(data) // 2
    return {
        "empty": b"",
        "page": b"<html>not found</html>",
        "truncated": data[:middle],
        "tail": data[:-3],
        "flipped": data[:40] + bytes(200) + data[240:],
        "shifted": b"x" * 7 + data[:400] + data[407:],
    }[kind]


@pytest.mark.parametrize("kind", ["empty", "page", "truncated", "tail", "flipped", "shifted"])
def test_a_corrupt_archive_is_named_with_what_to_do(made, tmp_path, kind):
    path = tmp_path / "frames.zip"
    write_archive(path, entries(made))
    path.write_bytes(damaged(kind, path.read_bytes()))
    with pytest.raises(UserError, match=r"frames\.zip.*delete it and run `dvc repro clips` again"):
        ClipArchive(path).frame("a/ż b", 0, "png")


def test_an_absent_archive_or_frame_is_named(made, tmp_path):
    with pytest.raises(UserError, match=r"frames\.zip: no such archive"):
        ClipArchive(tmp_path / "frames.zip")
    write_archive(tmp_path / "frames.zip", [*entries(made), ("b/000000.png", b"no picture")])
    archive = ClipArchive(tmp_path / "frames.zip")
    with pytest.raises(UserError, match=r"holds no a/ż b/000099\.png"):
        archive.frame("a/ż b", 99, "png")
    with pytest.raises(UserError, match=r"b/000000\.png cannot be decoded"):
        archive.frame("b", 0, "png")


def test_a_pickled_archive_opens_its_own_file_and_an_unused_one_none(made, tmp_path):
    write_archive(tmp_path / "a.zip", entries(made))
    opened = open_files()
    archive = ClipArchive(tmp_path / "a.zip")
    copy = pickle.loads(pickle.dumps(archive))
    for one in (archive, copy):
        assert np.array_equal(one.frame("a/ż b", 3, "png"), made.picture(3))
    assert open_files() == opened + 2
    del archive, copy, one
    assert open_files() == opened


def _frames(archive, numbers):
    return [archive.frame("a/ż b", number, "png") for number in numbers]


def test_spawned_processes_read_the_same(made, tmp_path):
    write_archive(tmp_path / "a.zip", entries(made))
    archive = ClipArchive(tmp_path / "a.zip")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        theirs = pool.submit(_frames, archive, [5, 2, 9]).result()
    assert all(np.array_equal(a, b) for a, b in zip(theirs, _frames(archive, [5, 2, 9]), strict=True))
