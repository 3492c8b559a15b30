"""Textures: colour patterns on a tile of texels, from pictures inside scikit-image's wheel and from formulas.

A tile is uint8 RGB (rows, columns, 3) at `ranges.DENSITY` texels per screen pixel, low-passed to the
screen's Nyquist rate. It is continued by reflection, so it is defined on the whole plane.
"""

import math
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.errors import UserError
from lift.scenes import exact, ranges

Image = NDArray[np.uint8]
Field = NDArray[np.float64]
FULL = 65535

PICTURES = (
    "astronaut", "brick", "camera", "chelsea", "coffee", "coins",
    "grass", "gravel", "ihc", "moon", "motorcycle_left",
)  # fmt: skip
"""Pictures that the wheel of scikit-image itself contains; the others of skimage.data would be downloaded."""


def texture(
    rng: np.random.Generator,
    rows: int,
    columns: int,
    *,
    calm: bool = False,
    regular: bool = False,
    leaves: float | None = None,
) -> Image:
    """Draw a texture of up to `rows` x `columns` texels (pictures may be smaller; reflection continues them).

    Args:
        rng: Where the draws come from.
        rows: Texels.
        columns: Texels.
        calm: Little contrast and a mean that is dark or light, for thin parts.
        regular: Stripes and checks may occur: repetition is a stratum of its own and stays out of the others.
        leaves: Share of dead leaves, and contrasts up to those of photographs; None: none, and moderate ones.

    Returns:
        uint8 RGB (rows', columns', 3).
    """
    contrast = ranges.CONTRAST if leaves is None else ranges.ANY_CONTRAST
    pattern: NDArray[np.floating[Any]]
    if leaves is not None and rng.random() < leaves:
        pattern = _leaves(rng, rows, columns)
    elif rng.random() < ranges.PICTURE_SHARE:
        pattern = _cut(rng, rows, columns)
    else:
        choices = REGULAR if regular else IRREGULAR
        pattern = choices[rng.integers(len(choices))](rng, rows, columns)
    return _tone(rng, _blurred(pattern, ranges.SOFTNESS), calm, contrast)


@cache
def picture(name: str) -> Image:
    """Read a picture of scikit-image's own data folder as uint8 RGB.

    Not through skimage.data: that imports its downloader, and a picture must be here or be missing.

    Raises:
        UserError: The installed scikit-image does not contain it.
    """
    package = find_spec("skimage")
    folder = Path(package.origin).parent / "data" if package and package.origin else Path("skimage/data")
    pixels = cv2.imread(str(folder / f"{name}.png"), cv2.IMREAD_COLOR)
    if pixels is None:
        raise UserError(
            f"{folder / name}.png: not in the installed scikit-image; install the locked version (make setup)"
        )
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), dtype=np.uint8)


def _cut(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    """Cut a random piece of a random picture, turned and mirrored at random: float32, about [0, 1]."""
    pixels = picture(PICTURES[rng.integers(len(PICTURES))])
    pixels = np.rot90(pixels, int(rng.integers(4)))[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    scale = rng.uniform(*ranges.PICTURE_SCALE)
    high = min(round(rows / scale), pixels.shape[0])
    wide = min(round(columns / scale), pixels.shape[1])
    top = rng.integers(pixels.shape[0] - high + 1)
    left = rng.integers(pixels.shape[1] - wide + 1)
    piece = pixels[top : top + high, left : left + wide]
    tall, broad = min(max(round(high * scale), 1), rows), min(max(round(wide * scale), 1), columns)
    return _enlarged(_enlarged(piece, tall).transpose(1, 0, 2), broad).transpose(1, 0, 2) / np.float32(255)


def _enlarged(rows: Image | NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Resample the first axis to `count` places by cubic convolution (Keys, 1981), the ends repeated."""
    place = (np.arange(count) + 0.5) * (len(rows) / count) - 0.5
    first = np.floor(place).astype(np.int64)
    t = (place - first)[:, None, None].astype(np.float32)
    u = 1 - t
    middle = [1 + x * x * (np.float32(1.5) * x - np.float32(2.5)) for x in (t, u)]
    rows = np.ascontiguousarray(rows, np.float32)
    result = np.zeros((count, *rows.shape[1:]), np.float32)
    for step, weight in enumerate((-t * u * u / 2, *middle, -t * t * u / 2), -1):
        part = rows[np.clip(first + step, 0, len(rows) - 1)]
        result += np.multiply(part, weight, out=part)
    return result


def _blurred(field: NDArray[np.floating[Any]], deviation: float) -> NDArray[np.uint16]:
    """Blur 0 ... 1 by a Gaussian (`deviation` in texels), mirrored at the edges: 0 ... 65535.

    OpenCV blurs whole numbers in whole numbers; floats as the processor's vector unit rounds.
    """
    whole = np.rint(np.clip(field, 0.0, 1.0) * FULL).astype(np.uint16)
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), deviation), np.uint16)


def noise(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Draw noise of spectrum 1/f^a (`ranges.SPECTRUM`), mean 0, deviation 1: float64 (rows, columns)."""
    fy, fx = (np.asarray(f, np.float64) for f in (np.fft.fftfreq(rows), np.fft.rfftfreq(columns)))
    radius = exact.length(fx[None], fy[:, None])
    radius[0, 0] = 1.0
    phase = rng.uniform(0.0, 2.0 * math.pi, radius.shape)
    amplitude = exact.power(radius, -rng.uniform(*ranges.SPECTRUM))
    amplitude[0, 0] = 0.0
    spectrum = np.empty(radius.shape, np.complex128)
    spectrum.real, spectrum.imag = (amplitude * part for part in exact.circle(phase))
    field = np.fft.irfft2(spectrum, (rows, columns))
    return np.asarray(field / field.std())


def _leaves(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Paint ellipses over each other in a picture's colours, radii r by r^-3, and noise: float64, about 0-1.

    Such "dead leaves" have the statistics of natural pictures: edges at all scales, and flat parts between
    (Lee, Mumford and Huang, IJCV 2001).
    """
    colours = picture(PICTURES[rng.integers(len(PICTURES))]).reshape(-1, 3)
    count = math.ceil(rows * columns / ranges.LEAF_AREA)
    small = ranges.LEAF_RADIUS[0]
    large = max(small, ranges.LEAF_RADIUS[1] * min(rows, columns))
    radius = 1.0 / np.sqrt(rng.uniform(1.0 / (large * large), 1.0 / (small * small), count))
    axes = np.stack([radius, radius * rng.uniform(*ranges.LEAF_SHAPE, count)], axis=1)
    centre = rng.uniform(0.0, 1.0, (count, 2)) * (columns, rows)
    angle, chosen = rng.uniform(0.0, 180.0, count), rng.integers(len(colours), size=count + 1)
    order = rng.permutation(3)  # pictures are few: with their channels swapped they are six times as many
    canvas = np.empty((rows, columns, 3), np.uint8)
    canvas[:] = colours[chosen[-1]][order]
    for middle, size, turn, colour in zip(centre, axes, angle, colours[chosen[:-1]][:, order], strict=True):
        cv2.ellipse(
            canvas,
            (round(middle[0]), round(middle[1])),
            (round(size[0]), round(size[1])),
            float(turn),
            0.0,
            360.0,
            [int(value) for value in colour],
            cv2.FILLED,
        )
    grain = rng.uniform(*ranges.LEAF_GRAIN) * noise(rng, rows, columns)
    return np.asarray(canvas / 255.0 + grain[..., None])


def _clouds(rng: np.random.Generator, rows: int, columns: int) -> Field:
    return _colour(rng, noise(rng, rows, columns))


def _stripes(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Wavy stripes under noise, as of cloth, wood or water."""
    grain = noise(rng, rows, columns)
    along = _phase(rng, rows, columns, rng.uniform(0.0, math.pi)) + 0.5 * _waves(grain)
    return _colour(rng, exact.sine(along) + 0.6 * grain)


def _waves(grain: Field) -> Field:
    """Return what varies slowly of noise of deviation 1."""
    reach = 8.0  # deviations that are kept
    return (_blurred(0.5 + grain / (2.0 * reach), 8.0) / FULL - 0.5) * (2.0 * reach)


def _checks(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Soft checks under noise, as of tiles or fields."""
    angle = rng.uniform(0.0, math.pi)
    first = exact.sine(_phase(rng, rows, columns, angle))
    second = exact.sine(_phase(rng, rows, columns, angle + math.pi / 2.0))
    return _colour(rng, exact.tangent_h(4.0 * first * second) + 0.6 * noise(rng, rows, columns))


IRREGULAR = (_clouds,)
REGULAR = (_clouds, _stripes, _checks)


def _phase(rng: np.random.Generator, rows: int, columns: int, angle: float) -> Field:
    """Return the phase of a plane wave of random period at `angle`: float64 (rows, columns), radians."""
    step = 2.0 * math.pi / (ranges.DENSITY * rng.uniform(*ranges.TEXTURE_PERIOD))
    y, x = np.ogrid[:rows, :columns]
    return np.asarray(step * (exact.cosine(angle) * x + exact.sine(angle) * y))


def _colour(rng: np.random.Generator, field: Field) -> Field:
    """Colour a field by a random palette: a dark colour, a middle one and a light one, joined smoothly."""
    grey = np.array([[0.1], [0.5], [0.9]])
    hues = np.sort(rng.uniform(0.0, 1.0, (3, 3)), axis=0)
    palette = grey + rng.uniform(*ranges.SATURATION) * (hues - grey)
    level = 0.5 + 0.5 * exact.tangent_h(0.7 * field)
    dark, middle, light = palette
    curves = zip(dark, 2.0 * (middle - dark), dark - 2.0 * middle + light, strict=True)
    return np.stack([start + level * (slope + level * bend) for start, slope, bend in curves], axis=-1)


def _tone(rng: np.random.Generator, pattern: NDArray[np.uint16], calm: bool, usual: ranges.Range) -> Image:
    """Bring a pattern to a random mean, contrast and tint: uint8."""
    if calm:
        mean = 0.5 + rng.choice([-1.0, 1.0]) * rng.uniform(*ranges.CALM_OFFSET)
        contrast = rng.uniform(*ranges.CALM_CONTRAST)
    else:
        mean, contrast = rng.uniform(*ranges.MEAN), rng.uniform(*usual)
    tint = rng.uniform(*ranges.TINT, 3)
    # From sums of whole numbers, which no order of additions changes.
    total, square = pattern.sum(dtype=np.int64), np.square(pattern, dtype=np.int64).sum()
    middle = float(total) / pattern.size
    deviation = math.sqrt(max(float(square) / pattern.size - middle * middle, 0.0))
    gain = 255.0 * contrast / max(deviation, 1e-3 * FULL) * tint
    toned = pattern * gain.astype(np.float32) + (255.0 * mean * tint - middle * gain).astype(np.float32)
    return np.asarray(np.rint(np.clip(toned, 0.0, 255.0)), dtype=np.uint8)
