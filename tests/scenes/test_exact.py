"""The renderer's own elementary functions and samples are right; that they are exact: test_processors.py."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lift.scenes import exact
from lift.scenes.motion import Affine
from lift.scenes.scene import _at
from lift.seeds import generator

RNG = generator(1, "exact")
WIDE, NEAR = RNG.uniform(-1e4, 1e4, 5000), RNG.uniform(-30.0, 20.0, 5000)


@pytest.mark.parametrize(
    ("ours", "theirs", "values"),
    [
        (exact.sine, np.sin, WIDE),
        (exact.cosine, np.cos, NEAR),
        (exact.tangent_h, np.tanh, NEAR),
        (lambda x: np.log(exact.exponential(x)), lambda x: x, NEAR),
        (lambda x: exact.power(np.abs(x), -1.37), lambda x: np.abs(x) ** -1.37, WIDE),
        (lambda x: exact.angle(x, WIDE), lambda x: np.arctan2(x, WIDE), WIDE[::-1]),
        (lambda x: exact.length(x, WIDE), lambda x: np.hypot(x, WIDE), WIDE[::-1]),
    ],
)
def test_functions_agree_with_numpy_s(ours: Any, theirs: Any, values: NDArray[np.float64]) -> None:
    np.testing.assert_allclose(ours(values), theirs(values), rtol=1e-13, atol=2e-15)


def test_floats_and_arrays_give_the_same_bits() -> None:
    for function in (exact.sine, exact.cosine, exact.exponential):
        assert [function(float(value)) for value in NEAR[:500]] == function(NEAR[:500]).tolist()


def test_axes_and_the_origin_have_their_angles() -> None:
    x, y = np.array([0.0, 1.0, 0.0, -1.0, 0.0]), np.array([0.0, 0.0, 1.0, 0.0, -1.0])
    assert exact.angle(y, x).tolist() == [0.0, 0.0, math.pi / 2, math.pi, -math.pi / 2]


def test_a_map_and_its_inverse_are_none() -> None:
    there = Affine(1.2, -0.3, 40.0, 0.4, 0.9, -7.0)
    for back in (there.inverse().after(there), there.after(there.inverse())):
        np.testing.assert_allclose(back, (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), atol=1e-12)


def test_samples_are_bilinear_in_whole_numbers() -> None:
    """As OpenCV's documentation does not promise, for maps of whole numbers."""
    tile = RNG.integers(0, 256, (50, 60, 4), dtype=np.uint8)
    u, v = RNG.uniform(-3.0, 62.0, (80, 90)), RNG.uniform(-3.0, 52.0, (80, 90))
    columns, rows = (np.floor(32 * place + 0.5).astype(np.int32) for place in (u, v))
    padded = np.pad(tile, ((8, 8), (8, 8), (0, 0))).astype(int)  # transparent outside
    x, y, a, b = 8 + (columns >> 5), 8 + (rows >> 5), (columns & 31)[..., None], (rows & 31)[..., None]
    upper = (32 - a) * padded[y, x] + a * padded[y, x + 1]
    lower = (32 - a) * padded[y + 1, x] + a * padded[y + 1, x + 1]
    assert np.array_equal(_at(tile, columns, rows), ((32 - b) * upper + b * lower + 512) >> 10)
