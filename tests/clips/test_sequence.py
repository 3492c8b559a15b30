"""The numbers of a folder's pictures."""

from pathlib import Path

import pytest

from lift.clips.sequence import missing, natural, numbered, visible
from lift.errors import UserError


def files(*names):
    return sorted(map(Path, names), key=lambda file: natural(file.name))


@pytest.mark.parametrize(
    ("names", "numbers"),
    [
        (("1.png", "2.png", "3.png", "7.png", "8.png"), [0, 1, 2, 6, 7]),
        (("a_0010.png", "a_0020.png", "a_0030.png", "a_0060.png"), [0, 1, 2, 5]),  # every tenth frame
        (("f9.jpg", "f10.jpg", "f11.jpg"), [0, 1, 2]),
        (("cam1_0001.png", "cam1_0002.png", "cam1_0004.png"), [0, 1, 3]),
        (("1000.png", "1033.png", "1067.png", "1100.png"), [0, 1, 2, 3]),  # milliseconds at 30 a second
        (("1.050000.png", "1.100000.png", "2.000000.png"), [0, 1, 2]),  # seconds.microseconds: an order
        (("left.png", "right.png"), [0, 1]),
        (("3.png", "7.png"), [0, 1]),
        (("only.png",), [0]),
        (("x².png", "x³.png"), [0, 1]),
    ],
)
def test_pictures_are_numbered_with_their_gaps(names, numbers):
    assert numbered(files(*names)) == numbers


def test_two_pictures_of_one_number_are_refused():
    with pytest.raises(UserError, match=r"1\.jpg: 1\.png has the same number; which of the two is frame 1"):
        numbered(files("1.png", "1.jpg", "2.png"))


def test_gaps_are_told():
    names = files("1.png", "2.png", "5.png", "6.png", "9.png")
    told = missing(names, [0, 1, 4, 5, 8])
    assert told == "2 missing between 2.png and 5.png, and there are 1 more such gaps"
    assert missing(names, range(5)) == ""


def test_what_is_hidden_or_of_another_kind_is_left_out(tmp_path):
    for name in ("._0.png", "0.PNG", "10.png", "9.png", "notes.txt", ".png"):
        (tmp_path / name).write_bytes(b"")
    assert [file.name for file in visible(tmp_path, {".png"})] == ["0.PNG", "9.png", "10.png"]
