"""Clips as tensors, read lazily from a clip set's archive. Only this file and resident.py need torch here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from lift.config import Augment
from lift.data.augment import Draw, centred, check_crop, draw
from lift.data.stored.archive import ClipArchive, Truth, TruthArchive
from lift.data.stored.manifest import ClipRow, read_manifest
from lift.errors import UserError
from lift.seeds import generator

Visit = tuple[int, int, int]
"""Index of a clip, epoch, place in the epoch."""


class Item(TypedDict):
    """A clip. T context frames in the order of the offsets; values in [0, 1], RGB."""

    frames: Tensor
    """float32 [T, 3, H, W]; zeros where not valid."""
    offsets: Tensor
    """float32 [T]: frames from the target, ascending."""
    valid: Tensor
    """bool [T]: whether the video has that frame."""
    target: Tensor
    """float32 [3, H, W]: the missing frame, or one after it that is to be predicted."""
    clip: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an item is made of, before any frame is read."""

    row: ClipRow
    numbers: tuple[int | None, ...]
    """Numbers in the video: of the context in the order of the offsets, then the target's; None: absent."""
    offsets: tuple[int, ...]
    """Of the context, from the target."""
    change: Draw
    """How its frames are changed."""
    shift: int = 0
    """Frames from the clip's own missing one to the one that was drawn."""

    @property
    def clip(self) -> str:
        """The clip's name, and how far from its own the drawn missing frame lies."""
        return f"{self.row.clip}{self.shift:+d}" if self.shift else self.row.clip

    @property
    def valid(self) -> list[bool]:
        """Whether the video has each context frame."""
        return [number is not None for number in self.numbers[:-1]]


class ClipDataset(Dataset[Item]):
    """A clip set seen through one window of offsets.

    `dataset[i]` is clip i as it is (for evaluation; its middle, where a crop is asked). Training
    asks for `dataset[i, epoch, visit]`, augmented by a function of (seed, epoch, visit, i) alone, whichever
    worker reads it.
    """

    def __init__(
        self,
        folder: Path,
        offsets: tuple[int, ...],
        *,
        crop: tuple[int, int] | None = None,
        limits: Mapping[str, tuple[int, int]] | None = None,
        augment: Augment | None = None,
        seed: int = 0,
        horizons: tuple[int, ...] = (1,),
        anywhere: tuple[int, int] | None = None,
        other: tuple[tuple[int, ...], float] | None = None,
    ) -> None:
        """Read the manifest and the archive's index.

        Args:
            folder: The clip set's folder.
            offsets: The model's window, ascending (`config.clip.offsets`).
            crop: Height and width, pixels; None: whole frames.
            limits: By source: what its crops do not exceed (`train.crop_limits`); None: there are none.
            augment: Chances, for training items; None: the random crop alone.
            seed: The run's seed.
            horizons: How many frames after offset -1 the target may lie: 1 is the missing frame. Of several,
                training items draw one as they draw their augmentation, and clip i as it is has the i-th.
            anywhere: Training items draw their missing frame anywhere among the frames that are stored with a
                clip, where at least so many lie before it and after it; None: it is the clip's own.
            other: A second window of as many frames, and the share of training items that see the clip
                through it; None: there is none.

        Raises:
            UserError: The manifest or an archive is missing or damaged, there is no clip, or one is smaller
                than the crop.
        """
        self.rows: list[ClipRow] = read_manifest(folder / "clips.csv")
        if not self.rows:
            raise UserError(f"{folder / 'clips.csv'}: no clip; delete it and run `dvc repro clips` again")
        self._crop, self._limits = crop, dict(limits or {})  # a plain one can be sent to a worker
        for row in self.rows:
            check_crop((row.height, row.width), self._crop_of(row), row.clip)
        self.archive = ClipArchive(folder / "frames.zip")
        self._truth = TruthArchive(folder / "truth.zip")
        self._offsets, self._augment, self._seed = offsets, augment, seed
        self._horizons, self._anywhere, self._other = horizons, anywhere, other

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: int | Visit) -> Item:
        """Read one clip.

        Raises:
            UserError: The archive is damaged, or the clip's frames are smaller than the crop.
        """
        plan = self.plan(key)
        tensor = torch.from_numpy(self._read(plan.row, plan.numbers, plan.change))
        return {
            "frames": tensor[:-1],
            "offsets": torch.tensor(plan.offsets, dtype=torch.float32),
            "valid": torch.tensor(plan.valid),
            "target": tensor[-1],
            "clip": plan.clip,
        }

    def plan(self, key: int | Visit) -> Plan:
        """Decide what an item is made of: a function of the manifest, the seed and the key alone.

        Raises:
            UserError: The clip's frames are smaller than the crop, or it lacks a frame to be predicted.
        """
        index, *visit = (key,) if isinstance(key, int) else key
        row = self.rows[index]
        size = (row.height, row.width)
        horizon = self._horizons[index % len(self._horizons)]
        shift, crop, offsets = 0, self._crop_of(row), self._offsets
        if visit:
            if self._other is not None:
                window, share = self._other
                if generator(self._seed, "window", *visit, index).random() < share:
                    offsets = window
            if self._anywhere is not None:
                places = _places(row, *self._anywhere)
                shift = int(generator(self._seed, "place", *visit, index).choice(places))
            if len(self._horizons) > 1:
                horizon = int(generator(self._seed, "horizon", *visit, index).choice(self._horizons))
            random = generator(self._seed, "augment", *visit, index)
            change = draw(random, size, crop, self._augment, row.clip)
        else:
            change = centred(size, crop, row.clip)
        sign = -1 if change.reverse_time else 1
        ahead = horizon - 1
        stored = {*row.offsets, 0}
        context = (shift + sign * offset for offset in offsets)
        numbers = [row.number(offset) if offset in stored else None for offset in context]
        return Plan(
            row=row,
            numbers=(*numbers, self._number(row, shift + sign * ahead)),
            offsets=tuple(offset - ahead for offset in offsets),
            change=change,
            shift=shift,
        )

    def _crop_of(self, row: ClipRow) -> tuple[int, int] | None:
        if self._crop is None:
            return None
        limit = self._limits.get(row.source, self._crop)
        return min(self._crop[0], limit[0]), min(self._crop[1], limit[1])

    def needed(self) -> dict[str, set[int]]:
        """List the frames that any item may need, by stored video, played forwards or backwards."""
        windows = self._offsets if self._other is None else (*self._offsets, *self._other[0])
        reach = {sign * offset for offset in (*windows, *(h - 1 for h in self._horizons)) for sign in (-1, 1)}
        found: dict[str, set[int]] = {}
        for row in self.rows:
            every = (*row.offsets, 0)
            there = every if self._anywhere is not None else reach.intersection(every)
            found.setdefault(row.stored, set()).update(row.number(offset) for offset in {0, *there})
        return found

    def frame(self, index: int, offset: int) -> Tensor:
        """Read the frame of clip `index` at `offset` from its missing frame, as float32 [3, H, W].

        Raises:
            UserError: The clip has none there.
        """
        row = self.rows[index]
        change = centred((row.height, row.width), self._crop_of(row), row.clip)
        return torch.from_numpy(self._read(row, [self._number(row, offset)], change))[0]

    def truth(self, index: int) -> Truth | None:
        """Return true flow (4, H, W) float32 and visibility (2, H, W) bool of clip `index`, where known.

        Flow 0:2 points from the missing frame to offset -1 and 2:4 to offset 1, in pixels, x before y.
        """
        return self._truth.of(self.rows[index].clip) if len(self._truth) else None

    def _number(self, row: ClipRow, offset: int) -> int:
        if offset not in (0, *row.offsets):
            raise UserError(
                f"{self.archive.path}: {row.clip} has no frame at offset {offset:+d}, which prediction "
                "needs; raise the clip set's before or after, or lower the horizons"
            )
        return row.number(offset)

    def _read(self, row: ClipRow, numbers: Sequence[int | None], change: Draw) -> NDArray[np.float32]:
        """Read frames by number (None: black), changed, as float32 [len(numbers), 3, h, w]."""
        result = np.zeros((len(numbers), 3, *change.size), np.float32)
        slots = {number: slot for slot, number in enumerate(numbers) if number is not None}
        size = (row.height, row.width)
        for number, pixels in self.archive.frames(row.stored, sorted(slots), row.extension, size):
            change.put(pixels, result[slots[number]])
        return result


def _places(row: ClipRow, before: int, after: int) -> list[int]:
    """List where a missing frame may lie, as offsets from the clip's own; that one is always among them."""
    stored = {*row.offsets, 0}
    inside = [o for o in sorted(stored) if all(o + d in stored for d in range(-before, after + 1))]
    return inside or [0]
