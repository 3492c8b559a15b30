"""`interpolate`: arrays in, arrays out."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import numpy as np

from lift.models.interface import Interpolator
from lift.video.choose import choose, of_model
from lift.video.cuts import mark
from lift.video.engine import Repeats, smooth
from lift.video.frame import Frame, Image
from lift.video.pace import Schedule
from lift.video.parts import fit
from lift.video.settings import DEFAULTS, Settings


def interpolate(
    frames: Iterable[Image],
    model: str | Path | Interpolator | None = None,
    factor: int = 2,
    *,
    window: tuple[int, ...] = (-1, 1),
    device: str = "auto",
    precision: str = "32",
    tile: str = "auto",
    repeats: Repeats = "smooth",
    settings: Settings = DEFAULTS,
) -> Iterator[Image]:
    """Multiply a frame rate, lazily: frames are taken when needed, memory does not grow with their number.

    Args:
        frames: RGB arrays [H, W, 3] of one size and type, uint8 or uint16.
        model: repeat, average, dis, a trained model's name, a weights file, or a built model; None: the
            default.
        factor: A whole number from 2 on.
        window: Offsets of the frames that a built model is given, ascending; names and files bring their own.
        device: auto, cpu, cuda ...
        precision: 32, bf16 or 16.
        tile: auto, off or a tile's side in pixels.
        repeats: smooth: frames that repeat the one before while the scene moves are made anew; keep: they
            are given back.
        settings: Rules of cuts, repeats and memory.

    Yields:
        The given arrays themselves, in order, with `factor` - 1 new ones between any two.

    Example:
        >>> import numpy as np
        >>> from lift.video import interpolate
        >>> def square(left):  # a bright square, 8 pixels further to the right in each frame
        ...     frame = np.zeros((64, 96, 3), np.uint8)
        ...     frame[24:40, left : left + 16] = 255
        ...     return frame
        >>> made = list(interpolate([square(left) for left in (8, 16, 24, 32)], factor=4))
        >>> len(made)
        13
        >>> [round(float(np.nonzero(frame[32].mean(-1) > 127)[0].mean())) for frame in made[4:9]]
        [24, 26, 28, 30, 32]
    """
    schedule = Schedule(factor=factor)
    if isinstance(model, Interpolator):
        method = of_model(model, window, type(model).__name__, device=device, precision=precision)
    else:
        name, weights = (None, model) if isinstance(model, Path) else (model, None)
        method = choose(name, weights, device=device, precision=precision)
    stream = _checked(iter(frames))
    given = list(islice(stream, 2))
    if len(given) < 2:  # there is nothing between them
        yield from (frame.image for frame in given)
        return
    height, width, _ = given[0].image.shape
    method = fit(method, (height, width), tile, settings)
    marked = mark(chain(given, stream), settings.continuity)
    for shown in smooth(marked, method, schedule, settings=settings, repeats=repeats):
        yield shown.frame.image


def _checked(images: Iterator[Image]) -> Iterator[Frame]:
    like: Image | None = None
    for number, image in enumerate(images):
        kind = image.dtype if isinstance(image, np.ndarray) else None
        if kind not in (np.uint8, np.uint16) or image.shape[2:] != (3,):
            raise ValueError(f"frame {number}: expected an RGB array [H, W, 3] of uint8 or uint16")
        like = image if like is None else like
        if image.shape != like.shape or kind != like.dtype:
            raise ValueError(
                f"frame {number}: {kind} {image.shape}, but the first is {like.dtype} {like.shape}"
            )
        yield Frame(image=image, time=Fraction(number))
