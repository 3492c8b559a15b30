"""Atomic writing and seeds."""

import errno

import pytest

from lift import seeds
from lift.errors import UserError
from lift.files import atomic, full_disk_explained


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(TypeError), atomic(path) as temporary:
        temporary.write_text(temporary.write_text("half"))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_replaces_and_makes_folders(tmp_path):
    path = tmp_path / "b" / "a.txt"
    for text in ("one", "two"):
        with atomic(path) as temporary:
            temporary.write_text(text)
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(("number", "word"), [(errno.ENOSPC, "no space"), (errno.EROFS, "cannot be written")])
def test_disk_trouble_becomes_one_line_that_names_the_file(tmp_path, number, word):
    with pytest.raises(UserError, match=word) as error, full_disk_explained(tmp_path / "x"):
        raise OSError(number, "trouble")
    assert str(tmp_path / "x") in str(error.value)


def test_generators_depend_on_every_key_and_nothing_else():
    draws = {
        key: seeds.generator(*key).integers(2**62)
        for key in [(7, "a", 1), (7, "a", 2), (7, "b", 1), (8, "a", 1)]
    }
    assert len(set(draws.values())) == 4
    assert seeds.generator(7, "a", 1).integers(2**62) == draws[7, "a", 1]
    assert seeds.derive(7, 1) != seeds.derive(7, "1")


def test_order_is_a_permutation_that_changes_with_the_epoch():
    first, second = seeds.order(7, 0, 50), seeds.order(7, 1, 50)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
