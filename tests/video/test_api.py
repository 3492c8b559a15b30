"""`lift.video.interpolate`: arrays in, arrays out."""

import doctest

import numpy as np
import pytest

import lift.video
from lift.errors import UserError
from lift.video.cuts import REACH


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("factor", [2, 4])
def test_given_arrays_come_back_themselves_with_new_ones_between(picture, dtype, factor):
    given = [picture(k, dtype=dtype) for k in range(4)]
    found = list(lift.video.interpolate(given, "average", factor))
    assert len(found) == 3 * factor + 1
    assert all(a is b for a, b in zip(found[::factor], given, strict=True))
    assert all(image.dtype == dtype and image.shape == given[0].shape for image in found)


def test_frames_are_taken_when_they_are_needed(picture):
    taken = []

    def endless():
        k = 0
        while True:
            taken.append(k)
            yield picture(k)
            k += 1

    stream = lift.video.interpolate(endless(), "average")
    for _ in range(9):
        next(stream)
    assert len(taken) <= 5 + REACH + 2  # what is shown, what cuts are judged by, what is between


def test_models_may_be_built_or_files(picture, small, weights_file):
    given = [picture(k) for k in range(4)]
    window = (-15, -13, -11, -9, -7, -5, -3, -1, 1, 3, 5, 7, 9, 11)
    built = list(lift.video.interpolate(given, small, window=window, device="cpu"))
    read = list(lift.video.interpolate(given, weights_file, device="cpu"))
    assert all(np.array_equal(a, b) for a, b in zip(built, read, strict=True))
    assert not np.array_equal(built[1], list(lift.video.interpolate(given, "average"))[1])


def test_few_frames(picture):
    assert list(lift.video.interpolate([], "average")) == []
    (only,) = lift.video.interpolate([picture(0)], "average")
    assert np.array_equal(only, picture(0))


@pytest.mark.parametrize("bad", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 3), float), "text"])
def test_what_is_no_frame_is_refused(bad):
    with pytest.raises(ValueError, match="frame 0: expected an RGB array"):
        list(lift.video.interpolate([bad], "average"))


def test_frames_of_two_sizes_are_refused(picture):
    with pytest.raises(ValueError, match="but the first is"):
        list(lift.video.interpolate([picture(0), picture(0, (50, 64))], "average"))


@pytest.mark.parametrize("factor", [0, -2])
def test_a_factor_that_is_none_is_refused(picture, factor):
    with pytest.raises(UserError, match="expected a whole number from 2 on"):
        next(lift.video.interpolate([picture(0)], "average", factor))


def test_the_example_of_the_documentation_runs():
    found = doctest.DocTestFinder().find(lift.video.interpolate, globs={})
    runner = doctest.DocTestRunner()
    assert sum(runner.run(test).attempted for test in found) > 4
    assert runner.failures == 0
