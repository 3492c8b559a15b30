"""Textures: colour patterns on a tile of texels, from pictures inside scikit-image's wheel and from formulas.

A tile is uint8 RGB (rows, columns, 3) at `ranges.DENSITY` texels per screen pixel, low-passed to the
screen's Nyquist rate. It is continued by reflection, so it is defined on the whole plane.
"""

import math
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from lift.errors import UserError
from lift.scenes import exact, ranges

Image = NDArray[np.uint8]
Field = NDArray[np.float64]

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


def _cut(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Cut a random piece of a random picture, turned and mirrored at random: float64, about [0, 1]."""
    pixels = picture(PICTURES[rng.integers(len(PICTURES))])
    pixels = np.rot90(pixels, int(rng.integers(4)))[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    scale = rng.uniform(*ranges.PICTURE_SCALE)
    high = min(round(rows / scale), pixels.shape[0])
    wide = min(round(columns / scale), pixels.shape[1])
    top = rng.integers(pixels.shape[0] - high + 1)
    left = rng.integers(pixels.shape[1] - wide + 1)
    piece = pixels[top : top + high, left : left + wide] / 255.0
    tall, broad = min(max(round(high * scale), 1), rows), min(max(round(wide * scale), 1), columns)
    across = _enlarged(_enlarged(piece, tall).transpose(1, 0, 2), broad)
    return np.ascontiguousarray(across.transpose(1, 0, 2))


def _enlarged(rows: Field, count: int) -> Field:
    """Resample the first axis to `count` places by cubic convolution (Keys, 1981), the ends repeated."""
    place = (np.arange(count) + 0.5) * (len(rows) / count) - 0.5
    first = np.floor(place)
    t = (place - first)[:, None, None]
    u = 1.0 - t
    middle = [1.0 + x * x * (1.5 * x - 2.5) for x in (t, u)]
    weights = (-0.5 * t * u * u, *middle, -0.5 * t * t * u)
    result = np.zeros((count, *rows.shape[1:]))
    for step, weight in enumerate(weights, -1):
        result += weight * rows[np.clip(first.astype(np.int64) + step, 0, len(rows) - 1)]
    return result


def _blurred(field: Field, deviation: float) -> Field:
    """Blur the first two axes by a Gaussian (`deviation` in texels), mirrored at the edges.

    By SciPy, whose loops are plain C and which takes weights as they are; OpenCV's fuse what AVX2 can fuse.
    """
    reach = math.ceil(4.0 * deviation)
    weights = [exact.exponential(-0.5 * (i / deviation) * (i / deviation)) for i in range(-reach, reach + 1)]
    weights = [weight / math.fsum(weights) for weight in weights]
    for axis in (0, 1):
        field = ndimage.correlate1d(field, weights, axis, mode="mirror")
    return field


def noise(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Draw noise of spectrum 1/f^a (`ranges.SPECTRUM`), mean 0, deviation 1: float64 (rows, columns)."""
    fy, fx = (np.asarray(f, np.float64) for f in (np.fft.fftfreq(rows), np.fft.rfftfreq(columns)))
    radius = exact.length(fx[None], fy[:, None])
    radius[0, 0] = 1.0
    phase = rng.uniform(0.0, 2.0 * math.pi, radius.shape)
    amplitude = exact.power(radius, -rng.uniform(*ranges.SPECTRUM))
    amplitude[0, 0] = 0.0
    spectrum = np.empty(radius.shape, np.complex128)
    spectrum.real, spectrum.imag = amplitude * exact.cosine(phase), amplitude * exact.sine(phase)
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
    along = _phase(rng, rows, columns, rng.uniform(0.0, math.pi)) + 0.5 * _blurred(grain, 8.0)
    return _colour(rng, exact.sine(along) + 0.6 * grain)


def _checks(rng: np.random.Generator, rows: int, columns: int) -> Field:
    """Soft checks under noise, as of tiles or fields."""
    angle = rng.uniform(0.0, math.pi)
    first = exact.sine(_phase(rng, rows, columns, angle))
    second = exact.sine(_phase(rng, rows, columns, angle + math.pi / 2.0))
    return _colour(rng, exact.tangent_h(4.0 * first * second) + 0.6 * noise(rng, rows, columns))


IRREGULAR = (_clouds,)
REGULAR = (_clouds, _stripes, _checks)


def _phase(rng: np.random.Generator, rows: int, columns: int, angle: float) -> Field:
    """Give the phase of a plane wave of random period at `angle`: float64 (rows, columns), radians."""
    step = 2.0 * math.pi / (ranges.DENSITY * rng.uniform(*ranges.TEXTURE_PERIOD))
    y, x = np.ogrid[:rows, :columns]
    return np.asarray(step * (exact.cosine(angle) * x + exact.sine(angle) * y))


def _colour(rng: np.random.Generator, field: Field) -> Field:
    """Colour a field by a random palette: a dark colour, a middle one and a light one, joined smoothly."""
    grey = np.array([[0.1], [0.5], [0.9]])
    hues = np.sort(rng.uniform(0.0, 1.0, (3, 3)), axis=0)
    palette = grey + rng.uniform(*ranges.SATURATION) * (hues - grey)
    level = 0.5 + 0.5 * exact.tangent_h(0.7 * field)[..., None]
    rest = 1.0 - level
    return np.asarray(
        palette[0] * (rest * rest) + palette[1] * (2.0 * level * rest) + palette[2] * (level * level)
    )


def _tone(rng: np.random.Generator, pattern: Field, calm: bool, usual: ranges.Range) -> Image:
    """Bring a pattern to a random mean, contrast and tint: uint8."""
    if calm:
        mean = 0.5 + rng.choice([-1.0, 1.0]) * rng.uniform(*ranges.CALM_OFFSET)
        contrast = rng.uniform(*ranges.CALM_CONTRAST)
    else:
        mean, contrast = rng.uniform(*ranges.MEAN), rng.uniform(*usual)
    tint = rng.uniform(*ranges.TINT, 3)
    centred = (pattern - pattern.mean()) / max(float(pattern.std()), 1e-3)
    return np.asarray(np.rint(np.clip((mean + contrast * centred) * tint, 0.0, 1.0) * 255.0), dtype=np.uint8)
