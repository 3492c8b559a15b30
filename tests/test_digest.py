"""A folder's digest is of names, sizes and contents, and reads again only what changed."""

import os

import pytest

from lift import digest as module
from lift.digest import digest
from lift.errors import UserError


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "footage"
    for name, data in {"a/1.png": b"one", "a/2.png": b"two", "list.txt": b"a"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def test_it_counts_and_depends_on_no_place_and_no_time(folder, tmp_path):
    first = digest(folder)
    assert (first.files, first.size) == (3, 7)
    moved = folder.rename(tmp_path / "elsewhere")
    os.utime(moved / "list.txt", (1, 1))
    assert digest(moved) == first


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "a/1.png").write_bytes(b"eno"),  # the same name and size
        lambda root: (root / "a/1.png").rename(root / "a/3.png"),
        lambda root: (root / "a/1.png").unlink(),
        lambda root: (root / "more.txt").write_bytes(b""),
    ],
)
def test_any_other_content_is_another_digest(folder, tmp_path, change):
    before = digest(folder, tmp_path / "memory.json")
    change(folder)
    assert digest(folder, tmp_path / "memory.json") != before


def test_only_what_changed_is_read_again(folder, tmp_path, monkeypatch):
    read = []
    whole = module._read
    monkeypatch.setattr(module, "_read", lambda path, stat: read.append(path.name) or whole(path, stat))
    memory = tmp_path / "memory.json"
    first = digest(folder, memory)
    assert sorted(read) == ["1.png", "2.png", "list.txt"]
    read.clear()
    assert digest(folder, memory) == first
    assert read == []
    (folder / "a/2.png").write_bytes(b"three")
    digest(folder, memory)
    assert read == ["2.png"]
    read.clear()
    memory.write_text("damaged")
    digest(folder, memory)
    assert len(read) == 3


def test_files_behind_links_count_and_circles_end(folder, tmp_path):
    other = tmp_path / "other disk"
    other.mkdir()
    (other / "3.png").write_bytes(b"three")
    (folder / "b").symlink_to(other)
    (folder / "b" / "back").symlink_to(folder)
    assert digest(folder).files == 4
    (other / "3.png").write_bytes(b"threE")
    assert digest(folder).files == 4


def test_a_broken_link_is_named(folder):
    (folder / "a/4.png").symlink_to("nowhere")
    with pytest.raises(UserError, match=r"a/4\.png: cannot be read"):
        digest(folder)
