"""Videos that are stored turned, mirrored, or with pixels that are not square."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from lift.video.choose import choose
from lift.video.job import Job
from lift.video.run import run

AVERAGE = choose("average")
ONE = 1 << 16
MATRICES = {  # FFmpeg's display matrix: what becomes of the picture, an array [H, W, 3]
    (ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30): lambda a: a,
    (-ONE, 0, 0, 0, ONE, 0, 0, 0, 1 << 30): lambda a: a[:, ::-1],
    (ONE, 0, 0, 0, -ONE, 0, 0, 0, 1 << 30): lambda a: a[::-1],
    (-ONE, 0, 0, 0, -ONE, 0, 0, 0, 1 << 30): lambda a: a[::-1, ::-1],
    (0, ONE, 0, ONE, 0, 0, 0, 0, 1 << 30): lambda a: a.transpose(1, 0, 2),
    (0, ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30): lambda a: np.rot90(a, -1),
    (0, -ONE, 0, ONE, 0, 0, 0, 0, 1 << 30): np.rot90,
    (0, -ONE, 0, -ONE, 0, 0, 0, 0, 1 << 30): lambda a: np.rot90(a.transpose(1, 0, 2), 2),
}


def smooth(given, output, **options):
    said = []
    run(Job(input=given, output=output, **options), AVERAGE, said.append)
    return said


def first(path):
    with av.open(str(path)) as container:
        return next(container.decode(video=0))


def matrix(frame):
    sides = [bytes(side) for side in frame.side_data if side.type.name == "DISPLAYMATRIX"]
    return tuple(np.frombuffer(sides[0], np.int32).tolist()) if sides else None


def aspect(path):
    with av.open(str(path)) as container:
        return Fraction(container.streams.video[0].sample_aspect_ratio or 1)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_a_turned_video_stays_turned(tmp_path, video, planes, suffix):
    given = video(tmp_path / "in.mp4", codec="libx264", prepare=lambda c, s: s.set_display_rotation(90))
    assert planes(given)[2].rotation == 90
    smooth(given, tmp_path / f"out{suffix}")
    frame = first(tmp_path / f"out{suffix}")
    assert frame.rotation == 90
    assert (frame.height, frame.width) == (48, 64)


@pytest.mark.parametrize("numbers", MATRICES, ids=str)
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".avi", ".webm", ".ts", ".gif", ""])
def test_pictures_are_shown_as_their_matrix_says(tmp_path, video, numbers, suffix):
    """Kept where players know it, else done to the pixels."""
    given = video(tmp_path / "in.mp4", codec="libx264", prepare=lambda c, s: s.set_display_matrix(numbers))
    output = tmp_path / f"out{suffix}"
    smooth(given, output)
    expected = MATRICES[numbers](first(given).to_ndarray(format="rgb24")).astype(int)
    if suffix:
        frame = first(output)
        found = frame.to_ndarray(format="rgb24")
        kept = matrix(frame)
        assert kept is None or suffix in (".mp4", ".mov", ".mkv")
        found = found if kept is None else MATRICES[kept](found)
    else:
        found = cv2.imread(str(output / "000001.png"))[..., ::-1]
    assert found.shape == expected.shape
    assert np.abs(found.astype(int) - expected).mean() < (7 if suffix == ".gif" else 5)


def test_a_slant_is_said(tmp_path, video):
    given = video(tmp_path / "in.mp4", codec="libx264", prepare=lambda c, s: s.set_display_rotation(30))
    assert any(
        "turned by 30 degrees, which is left out" in line for line in smooth(given, tmp_path / "out.webm")
    )


@pytest.mark.parametrize("ratio", [Fraction(64, 45), Fraction(3, 4), Fraction(8, 9), Fraction(1)])
@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", None),
        (".mp4", "av1"),
        (".mov", "png"),
        (".mkv", None),
        (".mkv", "vp9"),
        (".mkv", "av1"),
        (".mkv", "ffv1"),
        (".webm", None),
        (".avi", None),
        (".avi", "ffv1"),
        (".avi", "mjpeg"),
        (".ts", None),
    ],
)
def test_the_shape_of_pixels_is_kept(tmp_path, video, ratio, suffix, codec):
    def prepare(container, stream):
        stream.codec_context.sample_aspect_ratio = ratio

    given = video(tmp_path / "in.mp4", codec="libx264", size=(58, 72), count=8, prepare=prepare)
    assert smooth(given, tmp_path / f"out{suffix}", codec=codec) == []
    assert aspect(tmp_path / f"out{suffix}") == ratio


def test_a_track_keeps_its_name_beside_the_shape(tmp_path, video):
    def prepare(container, stream):
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)
        stream.metadata["title"] = "Ścieżka"

    given = video(tmp_path / "in.mkv", codec="libx264", prepare=prepare)
    smooth(given, tmp_path / "out.mkv", codec="ffv1")
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.video[0].metadata["title"] == "Ścieżka"
        assert sum(1 for _ in container.decode(video=0)) == 9
    assert aspect(tmp_path / "out.mkv") == pytest.approx(aspect(given), abs=0.01) != 1


@pytest.mark.parametrize("suffix", [".ts", ".avi", ".webm"])
def test_the_shape_turns_with_the_pixels(tmp_path, video, suffix):
    def prepare(container, stream):
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        stream.set_display_rotation(90)

    given = video(tmp_path / "in.mp4", codec="libx264", count=8, prepare=prepare)
    smooth(given, tmp_path / f"out{suffix}")
    frame = first(tmp_path / f"out{suffix}")
    assert (frame.height, frame.width) == (64, 48)
    assert aspect(tmp_path / f"out{suffix}") == Fraction(3, 4)


def test_pictures_that_cannot_keep_the_shape_say_so(tmp_path, video):
    def prepare(container, stream):
        stream.codec_context.sample_aspect_ratio = Fraction(64, 45)

    given = video(tmp_path / "in.mp4", codec="libx264", prepare=prepare)
    assert any("pixels of 64/45 become square" in line for line in smooth(given, tmp_path / "out"))
