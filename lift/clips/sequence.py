"""Pictures of a folder as a sequence: their order, and which are missing between them."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median_low

from lift.errors import UserError

_DIGITS = re.compile(r"([0-9]+)")


def visible(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """List the files of a folder with one of `suffixes` (lower case), in natural order: 2 before 10.

    Hidden files are left out: macOS, for one, keeps a `._0.png` beside each `0.png` on foreign disks.
    """
    files = [file for file in folder.iterdir() if file.suffix.lower() in suffixes and file.name[0] != "."]
    return sorted(files, key=lambda file: natural(file.name))


def natural(name: str) -> list[str | int]:
    """Return a key that sorts digits as numbers."""
    return [int(part) if k % 2 else part for k, part in enumerate(_DIGITS.split(name))]


def numbered(files: Sequence[Path]) -> list[int]:
    """Number the pictures of a sequence from 0, with gaps where pictures are missing.

    The frame number is the one number in the names that differs from file to file; where none does, or more
    than one, names give an order and no more. Frames are as far apart as the median of all steps, so every
    second picture, or stamps of time with some jitter, are no gaps.

    Args:
        files: In natural order.

    Returns:
        A number for each, ascending.

    Raises:
        UserError: Two pictures have the same number.
    """
    values = _frame_numbers(files)
    if values is None:
        return list(range(len(files)))
    steps = [after - before for before, after in pairwise(values)]
    if 0 in steps:
        first = steps.index(0)
        raise UserError(
            f"{files[first]}: {files[first + 1].name} has the same number; which of the two is frame "
            f"{values[first]}? Move the other away"
        )
    usual = median_low(steps)
    numbers = [0]
    for step in steps:
        numbers.append(numbers[-1] + max(1, round(step / usual)))
    return numbers


def missing(files: Sequence[Path], numbers: Sequence[int]) -> str:
    """Return between which files pictures are missing, in words; empty where none is."""
    gaps = [
        (files[k].name, files[k + 1].name, after - before - 1)
        for k, (before, after) in enumerate(pairwise(numbers))
        if after - before > 1
    ]
    if not gaps:
        return ""
    before, after, count = gaps[0]
    more = f", and there are {len(gaps) - 1} more such gaps" if len(gaps) > 1 else ""
    return f"{count} missing between {before} and {after}{more}"


def _frame_numbers(files: Sequence[Path]) -> list[int] | None:
    """Read the frame number of each name, ascending; None where names do not tell it."""
    parts = [natural(file.stem) for file in files]
    if len(parts) < 2 or any(part[::2] != parts[0][::2] for part in parts):
        return None
    columns = [column for column in zip(*(part[1::2] for part in parts), strict=True)]
    differing = [column for column in columns if len(set(column)) > 1]
    if not differing and columns:  # 1.png beside 1.jpg
        differing = columns[-1:]
    return [int(value) for value in differing[0]] if len(differing) == 1 else None
