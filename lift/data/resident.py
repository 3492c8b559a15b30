"""Training batches from frames that lie decoded in the memory of the device that trains.

A loader decodes each clip's frames at each visit; a GPU that takes thousands of crops a second would want
dozens of processors for that. Here every frame is decoded once, before the first step, and kept as bytes; a
batch is cut out of them and augmented where they lie. What is cut and how it is changed is drawn on the
processor as for the loader (`ClipDataset.plan`), bytes are moved and never computed with, and they become
numbers by the same table of 256 values: the batches equal the loader's to the bit, on every device.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lift.data.dataset import ClipDataset, Plan, Visit
from lift.errors import UserError
from lift.progress import bar

GIB = 2**30


class Frames:
    """The frames of a clip set that training may need, decoded, on one device."""

    def __init__(self, clips: Sequence[ClipDataset], device: torch.device) -> None:
        """Decode them, several videos at once.

        Args:
            clips: One clip set, as each method that is to be trained sees it.
            device: Where they are to lie.

        Raises:
            UserError: The device's memory has no room for them, or the archive is damaged.
        """
        self.device, self._clips = device, clips[0]
        numbers: dict[str, set[int]] = {}
        for window in clips:
            for video, needed in window.needed().items():
                numbers.setdefault(video, set()).update(needed)
        self._rows = rows = {row.stored: row for row in self._clips.rows}
        shapes = {v: (len(needed), rows[v].height, rows[v].width, 3) for v, needed in numbers.items()}
        sizes = [int(np.prod(shape)) for shape in shapes.values()]
        _check_room(sum(sizes), device, self._clips.archive.path)
        # One piece of memory: what was checked is what is taken.
        parts = torch.split(torch.empty(sum(sizes), dtype=torch.uint8, device=device), sizes)
        self._pixels = {video: part.view(shapes[video]) for video, part in zip(shapes, parts, strict=True)}
        self._slots = {
            video: {number: slot for slot, number in enumerate(sorted(needed))}
            for video, needed in numbers.items()
        }
        total = sum(map(len, numbers.values()))
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            bar(title="decoding the training frames", unit="frame", total=total) as progress,
        ):
            for count in pool.map(self._decode, numbers):
                progress.update(count)

    def _decode(self, video: str) -> int:
        pixels, slots, row = self._pixels[video], self._slots[video], self._rows[video]
        decoded, size = np.empty(tuple(pixels.shape), np.uint8), (row.height, row.width)
        for number, frame in self._clips.archive.frames(video, list(slots), row.extension, size):
            decoded[slots[number]] = frame
        pixels.copy_(torch.from_numpy(decoded))
        return len(slots)

    def slots(self, plan: Plan) -> list[int]:
        """Return where a plan's frames lie in their video; 0, as good as any, for one that is absent."""
        known = self._slots[plan.row.stored]
        return [0 if number is None else known[number] for number in plan.numbers]

    def cut(self, plan: Plan, slots: Tensor) -> Tensor:
        """Return a plan's frames, arranged: uint8 [T + 1, 3, h, w]; `slots` (T + 1,) lies on the device."""
        change = plan.change
        whole = self._pixels[plan.row.stored]
        rows = slice(change.top, change.top + change.height)
        columns = slice(change.left, change.left + change.width)
        pixels = whole[:, rows, columns].index_select(0, slots)
        if change.turns:
            pixels = pixels.rot90(change.turns, (1, 2))
        flips = [
            axis
            for axis, flipped in (
                (1, change.flip_vertical), (2, change.flip_horizontal), (3, change.reverse_channels),
            )
            if flipped
        ]  # fmt: skip
        arranged: Tensor = pixels.flip(flips) if flips else pixels
        return arranged.permute(0, 3, 1, 2)


class Resident:
    """A training set that gives whole batches, on the device of its frames."""

    def __init__(self, frames: Frames, clips: ClipDataset) -> None:
        """Join frames with the clips, of a window, crop and augmentation, that are made of them."""
        self._frames, self._clips = frames, clips

    def batch(self, keys: Sequence[Visit]) -> dict[str, Any]:
        """Return the items `keys` as a loader collates them, all of one crop.

        Returns:
            `frames` float32 [B, T, 3, h, w], `offsets` float32 [B, T], `valid` bool [B, T], `target` float32
            [B, 3, h, w], all on the device; `clip`: names.

        Raises:
            UserError: As `ClipDataset.plan`.
        """
        frames, device = self._frames, self._frames.device
        plans = [self._clips.plan(key) for key in keys]
        slots = torch.tensor([frames.slots(plan) for plan in plans]).to(device)
        there = torch.tensor([[number is not None for number in plan.numbers] for plan in plans]).to(device)
        pixels = torch.empty((*slots.shape, 3, *plans[0].change.size), dtype=torch.uint8, device=device)
        for plan, own, place in zip(plans, slots, pixels, strict=True):
            place.copy_(frames.cut(plan, own))
        pixels.masked_fill_(~there[..., None, None, None], 0)  # every curve leaves black black
        values, target = _values(pixels, np.stack([plan.change.curve for plan in plans]))
        offsets = [plan.offsets for plan in plans]
        return {
            "frames": values,
            "offsets": torch.tensor(offsets, dtype=torch.float32).to(device),
            "valid": there[:, :-1].contiguous(),
            "target": target,
            "clip": [plan.clip for plan in plans],
        }


def _values(pixels: Tensor, curves: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Look bytes [B, T + 1, 3, h, w] up in each item's curve [B, 256]: context and target.

    Not by arithmetic: CUDA divides by a number as it multiplies by its reciprocal, which rounds differently.
    """
    count, frames, *shape = pixels.shape
    target = torch.empty((count, *shape), device=pixels.device)
    context = torch.empty((count, frames - 1, *shape), device=pixels.device)
    places = torch.empty(pixels[0].numel(), dtype=torch.int32, device=pixels.device)
    first = target[0].numel()
    for item, curve in enumerate(torch.from_numpy(curves).to(pixels.device)):
        places.copy_(pixels[item].flatten())
        torch.index_select(curve, 0, places[:-first], out=context[item].view(-1))
        torch.index_select(curve, 0, places[-first:], out=target[item].view(-1))
    return context, target


def _check_room(size: int, device: torch.device, archive: Path) -> None:
    free = free_memory(device)
    if size > free:
        raise UserError(
            f"train.resident: the frames of {archive} need {size / GIB:.1f} GiB decoded, and "
            f"{free / GIB:.1f} GiB of memory are free ({device}); set train.resident: false, or train on "
            "fewer clips (clips.sets.train.max_sequences)"
        )


def free_memory(device: torch.device) -> int:
    """Return the bytes that can still be taken: of the GPU, or of the machine and of this process' group."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    # macOS does not tell what is free: then all there is, which at least refuses what can never fit.
    pages = "SC_AVPHYS_PAGES" if "SC_AVPHYS_PAGES" in os.sysconf_names else "SC_PHYS_PAGES"
    free = os.sysconf("SC_PAGE_SIZE") * os.sysconf(pages)
    known = Path("/proc/meminfo")
    if known.is_file():  # also counts what the system would give back, such as its cache of files
        lines = dict(line.split(":") for line in known.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024
    limit, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.stat")
    if limit.is_file() and used.is_file() and limit.read_text().strip().isdigit():
        anonymous = next(
            line.split()[1] for line in used.read_text().splitlines() if line.startswith("anon ")
        )
        free = min(free, int(limit.read_text()) - int(anonymous))
    return free
