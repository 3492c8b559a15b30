import dataclasses

import pytest

from lift.data.stored.manifest import ClipRow, read_manifest, write_manifest
from lift.errors import UserError

ROW = ClipRow(
    clip='davis/a,"b" ż@7',
    source="davis",
    video='a,"b" ż',
    group='a,"b"',
    target=7,
    step=2,
    offsets=(-3, -1, 1, 5),
    kind="",
    motion=1.25,
    height=24,
    width=32,
    extension="jpg",
)


def test_rows_survive_the_file_and_equal_rows_give_equal_bytes(tmp_path):
    rows = [ROW, dataclasses.replace(ROW, clip="x@1", kind="hard", offsets=(-1, 1))]
    for name in ("a.csv", "b.csv"):
        write_manifest(tmp_path / name, rows)
    assert read_manifest(tmp_path / "a.csv") == rows
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_frame_numbers_follow_step():
    assert [ROW.number(offset) for offset in (-1, 0, 1, 5)] == [5, 7, 9, 17]


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "clip,source\n", "HEAD\nx,y,z\n", "HEAD\nx,y,z,g,one,1,-1 1,,0,1,1,png\n"]
)
def test_what_is_no_manifest_is_refused_by_name(tmp_path, text):
    path = tmp_path / "clips.csv"
    head = ",".join(field.name for field in dataclasses.fields(ClipRow))
    path.write_text(text.replace("HEAD", head))
    with pytest.raises(UserError, match=r"clips\.csv.*dvc repro clips"):
        read_manifest(path)


def test_an_absent_manifest_says_what_to_run(tmp_path):
    with pytest.raises(UserError, match=r"clips\.csv: no such file; run `dvc repro clips`"):
        read_manifest(tmp_path / "clips.csv")
