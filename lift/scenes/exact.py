"""Elementary functions whose every bit is the same on every processor.

IEEE 754 fixes each result of + − × ÷ and √, and whole numbers are exact; it does not fix sin or exp.
NumPy's depend on which vector unit it finds, the C library's on whether it fuses multiplications with
additions. These are made of the fixed operations alone, one rounding each, so scenes are too. They take
floats and float64 arrays, and are right to about 1e-15 of full scale, for arguments of up to a million.

Reduction of the argument by a constant in parts: Cody and Waite (1980); the rest are Taylor's series.
"""

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", float, NDArray[np.float64])

# The first parts have 33 bits, so that products with whole numbers of up to 20 bits are exact.
_HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)
_LN2 = (0.6931471804855391, 7.440617110012397e-11)
_LOG_2 = 0.6931471805599453
_EIGHTH = math.sqrt(2.0) - 1.0  # tangent of an eighth of a half turn
_SINE = tuple((-1) ** i / math.factorial(2 * i + 1) for i in range(8, -1, -1))
_COSINE = tuple((-1) ** i / math.factorial(2 * i) for i in range(8, -1, -1))
_EXPONENTIAL = tuple(1.0 / math.factorial(i) for i in range(14, -1, -1))
_LOGARITHM = tuple(1.0 / (2 * i + 1) for i in range(11, -1, -1))
_ARCTANGENT = tuple((-1) ** i / (2 * i + 1) for i in range(20, -1, -1))


def circle(x: Real) -> tuple[Real, Real]:
    """Return the cosine and the sine of `x` radians."""
    turns = _rounded(x * (2.0 / math.pi))
    rest = ((x - turns * _HALF_PI[0]) - turns * _HALF_PI[1]) - turns * _HALF_PI[2]
    square = rest * rest
    c, s = _series(_COSINE, square), rest * _series(_SINE, square)
    quarter = turns % 4.0
    odd, negative = quarter % 2.0, 1.0 - 2.0 * (quarter >= 2.0)
    even = 1.0 - odd
    # One of the two factors is 0 and the other 1: a choice that floats and arrays share.
    return negative * (even * c - odd * s), negative * (odd * c + even * s)


def sine(x: Real) -> Real:
    """Return the sine of `x` radians."""
    return circle(x)[1]


def cosine(x: Real) -> Real:
    """Return the cosine of `x` radians."""
    return circle(x)[0]


def exponential(x: Real) -> Real:
    """Return e to the power of `x`, where that is an ordinary float64."""
    doublings = _rounded(x * (1.0 / _LOG_2))
    rest = (x - doublings * _LN2[0]) - doublings * _LN2[1]
    series = _series(_EXPONENTIAL, rest)
    if isinstance(series, float):
        return math.ldexp(series, int(doublings))
    return np.ldexp(series, np.asarray(doublings, np.int32))


def power(base: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """Return positive numbers to a power."""
    fraction, doublings = np.frexp(base)
    small = fraction < math.sqrt(0.5)
    fraction, doublings = np.where(small, 2.0 * fraction, fraction), doublings - small
    ratio = (fraction - 1.0) / (fraction + 1.0)
    logarithm = doublings * _LOG_2 + 2.0 * ratio * _series(_LOGARITHM, ratio * ratio)
    return exponential(exponent * logarithm)


def tangent_h(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the hyperbolic tangent."""
    grown = exponential(2.0 * np.clip(x, -20.0, 20.0))
    return (grown - 1.0) / (grown + 1.0)


def angle(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the angle of the points (x, y), radians in [-π, π]; 0 at the origin."""
    # The series converges fast up to an eighth of a half turn; all other angles are folded to there.
    flat, steep = np.minimum(np.abs(x), np.abs(y)), np.maximum(np.abs(x), np.abs(y))
    slope = flat / np.where(steep > 0.0, steep, 1.0)
    far = slope > _EIGHTH
    part = np.where(far, (slope - 1.0) / (slope + 1.0), slope)
    result = part * _series(_ARCTANGENT, part * part) + np.where(far, math.pi / 4.0, 0.0)
    result = np.where(np.abs(y) > np.abs(x), math.pi / 2.0 - result, result)
    result = np.where(x < 0.0, math.pi - result, result)
    return np.where(y < 0.0, -result, result)


def length(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length of the vectors (x, y)."""
    return np.asarray(np.sqrt(x * x + y * y))


def _rounded(x: Real) -> Real:
    return float(round(x)) if isinstance(x, float) else np.rint(x)


def _series(coefficients: tuple[float, ...], x: Real) -> Real:
    """Evaluate a polynomial, highest power first."""
    result = coefficients[0] * x
    for coefficient in coefficients[1:-1]:
        result += coefficient
        result *= x
    result += coefficients[-1]
    return result
