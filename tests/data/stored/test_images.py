import cv2
import numpy as np
import pytest

from lift.data.stored.images import decode, difference, resize
from lift.png import encode


@pytest.mark.parametrize("size", [(1, 1), (24, 32), (97, 131), (257, 85), (240, 320)])
def test_png_gives_back_every_pixel(made, size):
    pixels = made.picture(0, size)
    data = encode(pixels)
    assert np.array_equal(decode(data), pixels)
    assert np.array_equal(
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1], pixels
    )


@pytest.mark.parametrize("extension", [".png", ".jpg", "own"])
def test_no_truncated_picture_is_ever_decoded(made, extension, capfd):
    pixels = made.picture(0)
    whole = encode(pixels) if extension == "own" else cv2.imencode(extension, pixels)[1].tobytes()
    assert decode(whole) is not None
    for length in {0, 1, 8, 30, len(whole) // 2, len(whole) - 20, len(whole) - 2}:
        assert decode(whole[:length]) is None, length
    assert decode(b"<!doctype html><html>not here</html>") is None


def test_shrinking_averages_areas(made):
    pixels = made.picture(0, (24, 32))
    means = pixels.reshape(12, 2, 16, 2, 3).mean((1, 3))
    assert np.abs(resize(pixels, (12, 16)) - means).max() <= 0.5
    assert resize(pixels, (24, 32)) is pixels
    assert resize(pixels, (30, 40)).shape == (30, 40, 3)


def test_difference_is_the_mean_absolute_one(made):
    first, second = made.picture(0), made.picture(1)
    assert difference(first, second) == pytest.approx(np.abs(first.astype(int) - second).mean(), abs=1e-12)
    assert difference(first, first) == 0.0
