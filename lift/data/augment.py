"""Augmentation: one draw per clip, applied to all its frames (specification section 5).

A crop drawn per frame ruins training without an error (protocols section 4, trap); here a `Draw` is a
value that all frames share.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from lift.config import Augment
from lift.data.stored.images import Pixels
from lift.errors import UserError

_QUARTERS = {1: cv2.ROTATE_90_COUNTERCLOCKWISE, 3: cv2.ROTATE_90_CLOCKWISE}


@dataclass(frozen=True, kw_only=True)
class Draw:
    """How one clip is changed. Steps in this order: cut, quarter turns, flips, channels, colour."""

    top: int
    left: int
    height: int
    """Of the cut, before turning, pixels."""
    width: int
    turns: int = 0
    """Quarter turns, counter-clockwise."""
    flip_horizontal: bool = False
    flip_vertical: bool = False
    reverse_time: bool = False
    """The frame at offset o is that at offset -o of the video; the missing frame stays."""
    reverse_channels: bool = False
    gain: float = 1.0
    gamma: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the result, pixels."""
        return (self.width, self.height) if self.turns % 2 else (self.height, self.width)

    @cached_property
    def curve(self) -> NDArray[np.float32]:
        """The value in [0, 1] of each of the 256 levels: min(gain * level ** gamma, 1)."""
        if (self.gain, self.gamma) == (1.0, 1.0):
            return np.arange(256, dtype=np.float32) / np.float32(255)
        return np.minimum(self.gain * (np.arange(256) / 255) ** self.gamma, 1.0).astype(np.float32)

    def arrange(self, pixels: Pixels) -> Pixels:
        """Cut the crop out of one frame [H, W, 3], turn and flip it."""
        # First: what is cut away costs nothing further.
        pixels = pixels[self.top : self.top + self.height, self.left : self.left + self.width]
        half = self.turns == 2  # the same as both flips
        horizontal, vertical = self.flip_horizontal != half, self.flip_vertical != half
        if self.turns % 2:  # OpenCV turns whole pixels four times as fast as NumPy turns planes
            pixels = cv2.rotate(pixels, _QUARTERS[self.turns])
        if horizontal or vertical:
            pixels = cv2.flip(pixels, -1 if horizontal and vertical else int(horizontal))
        return pixels

    def put(self, pixels: Pixels, out: NDArray[np.float32]) -> None:
        """Change one frame, uint8 [H, W, 3], into `out`, float32 [3, *size] in [0, 1]."""
        planes = cv2.split(self.arrange(pixels))
        for plane, place in zip(planes[::-1] if self.reverse_channels else planes, out, strict=True):
            cv2.LUT(plane, self.curve, dst=place)


def centred(size: tuple[int, int], crop: tuple[int, int] | None, clip: str) -> Draw:
    """Return the middle crop, or the whole frame, without augmentation; arguments as of `draw`."""
    height, width = check_crop(size, crop, clip)
    return Draw(top=(size[0] - height) // 2, left=(size[1] - width) // 2, height=height, width=width)


def draw(
    random: np.random.Generator,
    size: tuple[int, int],
    crop: tuple[int, int] | None,
    augment: Augment | None,
    clip: str,
) -> Draw:
    """Draw a clip's augmentation: a pure function of the generator's state.

    All numbers are drawn whatever the chances, so switching one kind off leaves the others as they were.

    Args:
        random: Made for this clip, epoch and visit.
        size: Height and width of the frames, pixels.
        crop: Height and width of the result; None: the frames' own.
        augment: Chances; None: the random crop alone.
        clip: Its id, for the message.

    Raises:
        UserError: The crop is larger than the frames.
    """
    height, width = check_crop(size, crop, clip)
    place, chance, jitter = random.random(2), random.random(6), random.uniform(-1, 1, 2)
    turns = int(random.integers(1, 4))
    if augment is None or chance[0] >= augment.rotate:
        turns = 0
    elif turns % 2 and (width > size[0] or height > size[1]):
        turns = 2  # the frame cannot hold the crop lying on its side
    if turns % 2:
        height, width = width, height
    top, left = int(place[0] * (size[0] - height + 1)), int(place[1] * (size[1] - width + 1))
    if augment is None:
        return Draw(top=top, left=left, height=height, width=width)
    gain, gamma = 1 + augment.jitter * jitter if chance[5] < augment.colour else (1.0, 1.0)
    return Draw(
        top=top,
        left=left,
        height=height,
        width=width,
        turns=turns,
        flip_horizontal=bool(chance[1] < augment.flip_horizontal),
        flip_vertical=bool(chance[2] < augment.flip_vertical),
        reverse_time=bool(chance[3] < augment.reverse_time),
        reverse_channels=bool(chance[4] < augment.reverse_channels),
        gain=float(gain),
        gamma=float(gamma),
    )


def check_crop(size: tuple[int, int], crop: tuple[int, int] | None, clip: str) -> tuple[int, int]:
    """Return the size of what is cut out of frames of `size`; arguments and errors as of `draw`."""
    if crop is None:
        return size
    if crop[0] > size[0] or crop[1] > size[1]:
        raise UserError(
            f"clip {clip}: frames of {size[0]}x{size[1]} (height x width) are smaller than the crop "
            f"{crop[0]}x{crop[1]}; lower train.phases.crop, give its source a limit in train.crop_limits, or "
            f"set the clip set's resize"
        )
    return crop
