"""RGB and back."""

import av
import numpy as np
import pytest

from lift.video.look import Look


@pytest.mark.parametrize("matrix", [1, 2, 5, 6, 9])
@pytest.mark.parametrize("span", [0, 1, 2])
@pytest.mark.parametrize(
    ("form", "most"), [("yuv420p", 2), ("yuv444p", 2), ("yuv420p10le", 8), ("nv12", 2), ("gbrp", 0)]
)
def test_a_round_trip_changes_planes_by_little(picture, matrix, span, form, most):
    look = Look(format=form, matrix=matrix, range=span, primaries=1, transfer=1, high=False)
    first = look.from_rgb(picture(0, dtype=np.uint16 if look.deep else np.uint8))
    second = look.from_rgb(look.to_rgb(first))
    for a, b in zip(first.planes, second.planes, strict=True):
        kind = np.uint16 if look.deep else np.uint8
        a, b = (np.frombuffer(p, kind).reshape(p.height, -1)[:, : p.width].astype(int) for p in (a, b))
        assert np.abs(a - b).max() <= most
        assert np.abs(a - b).mean() <= most / 3


def test_the_range_of_white(picture):
    white = np.full((16, 16, 3), 255, np.uint8)
    for span, level in ((1, 235), (2, 255)):
        look = Look(format="yuv444p", matrix=1, range=span, primaries=1, transfer=1, high=True)
        assert np.frombuffer(look.from_rgb(white).planes[0], np.uint8)[0] == level
        assert look.to_rgb(look.from_rgb(white)).min() >= 254


def test_the_matrix_is_the_files_own_or_that_of_its_size():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    luma = {}
    for name, matrix, high in (("709", 1, False), ("601", 6, True), ("small", 2, False), ("large", 2, True)):
        look = Look(format="yuv444p", matrix=matrix, range=2, primaries=2, transfer=2, high=high)
        luma[name] = int(np.frombuffer(look.from_rgb(red).planes[0], np.uint8)[0])
    assert luma["709"] == luma["large"] == pytest.approx(0.2126 * 255, abs=1)
    assert luma["601"] == luma["small"] == pytest.approx(0.299 * 255, abs=1)


def test_old_names_of_the_full_range_are_known():
    assert Look.of(av.VideoFrame(16, 16, "yuvj420p")).range == 2
