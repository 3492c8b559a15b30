"""docs/data.md: its tables say what the code knows, and its example of a source is run as it stands there."""

import re
from pathlib import Path

import pytest

from lift.clips.build import build_clip_set
from lift.clips.sources import SOURCES, Video
from lift.clips.sources.base import Source, locate, read_list
from lift.data.stored.manifest import read_manifest
from lift.errors import UserError

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text(encoding="utf-8")


@pytest.fixture
def example():
    """Give the text of the example."""
    (text,) = re.findall(r"```python\n(class .+?)```", PAGE, re.DOTALL)
    return text


@pytest.fixture
def added(example, monkeypatch):
    """Register the example's source as `adobe240`."""
    names = {"Path": Path, "Video": Video, "Source": Source, "locate": locate, "read_list": read_list}
    exec(example, names)
    monkeypatch.setitem(SOURCES, "adobe240", names["Adobe240"]())
    return SOURCES["adobe240"]


def test_a_source_is_ten_lines(example):
    assert len(example.splitlines()) <= 10


def test_the_example_makes_clips_and_refuses_another_layout(made, added, tmp_path):
    root = tmp_path / "raw" / "adobe240"
    for part, video in (("train", "GOPR9633.mp4"), ("test", "IMG 0183.mov")):
        made.write_list(root / f"{part}_list.txt", [video])
        made.avi(root / "original_high_fps_videos" / video, 5)
    for part, video in (("train", "GOPR9633.mp4"), ("test", "IMG 0183.mov")):
        config = made.configure(tmp_path / "raw", ("adobe240",), part, share=0.0)
        assert build_clip_set(config, "set", tmp_path, tmp_path / part)["clips"] == 3
        rows = read_manifest(tmp_path / part / "clips.csv")
        assert {(row.video, row.source) for row in rows} == {(video, "adobe240")}
    (root / "test_list.txt").unlink()
    with pytest.raises(UserError, match=r"is not Adobe240: no test_list\.txt"):
        added.videos(tmp_path / "raw", "test", 1)


def test_its_numbers_are_the_official_lists(added, shared):
    for part, number in added.official.items():
        assert len(read_list(shared / "lists" / "adobe240" / f"{part}_list.txt")) == number


def rows(heading):
    """Return the cells of the table under a heading, by each source that a row names."""
    (text,) = (part for part in re.split(r"^## ", PAGE, flags=re.M) if part.startswith(heading + "\n"))
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in text.splitlines() if line.startswith("| `")]
    return {name: [c.strip() for c in cells] for cells in lines for name in re.findall(r"`(\w+)`", cells[0])}


def test_every_source_stands_in_the_table_with_its_official_numbers():
    table = rows("Sets")
    assert sorted(table) == sorted(SOURCES)
    for name, source in SOURCES.items():
        for part, cell in zip(("train", "test"), table[name][2:4], strict=True):
            known = source.official.get(part)
            assert cell == ("–" if known is None else cell if known == 0 else f"{known:,}"), (name, part)


def test_layouts_are_those_that_messages_name():
    table = rows("Layouts")
    assert sorted(table) == sorted(SOURCES)
    for name, source in SOURCES.items():
        assert source.layout in re.sub(r"[`\\]", "", table[name][1]), name
