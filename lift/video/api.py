"""`interpolate`: arrays in, arrays out."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from pathlib import Path

import numpy as np

from lift.models.interface import Interpolator
from lift.video.choose import choose, fit, of_model
from lift.video.engine import Repeats, smooth
from lift.video.frame import Frame, Image
from lift.video.settings import DEFAULTS, Settings
from lift.video.ticks import Multiple


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
    schedule = Multiple(factor=factor)
    if isinstance(model, Interpolator):
        chosen = of_model(model, window, type(model).__name__, device=device, precision=precision)
    else:
        name, weights = (None, model) if isinstance(model, Path) else (model, None)
        chosen = choose(name, weights, device=device, precision=precision)
    stream = _checked(iter(frames))
    first = next(stream, None)
    if first is None:
        return
    method = fit(chosen, (first.image.shape[0], first.image.shape[1]), tile, settings)
    second = next(stream, None)
    if second is None:
        yield first.image
        return
    for shown in smooth(chain((first, second), stream), method, schedule, settings=settings, repeats=repeats):
        yield shown.frame.image


def _checked(images: Iterator[Image]) -> Iterator[Frame]:
    like: Image | None = None
    for number, image in enumerate(images):
        if (
            not isinstance(image, np.ndarray)
            or image.dtype not in (np.uint8, np.uint16)
            or image.shape[2:] != (3,)
        ):
            raise ValueError(f"frame {number}: expected an RGB array [H, W, 3] of uint8 or uint16")
        like = image if like is None else like
        if image.shape != like.shape or image.dtype != like.dtype:
            raise ValueError(
                f"frame {number}: {image.dtype} {image.shape}, but the first is {like.dtype} {like.shape}"
            )
        yield Frame(image=image, time=Fraction(number))
