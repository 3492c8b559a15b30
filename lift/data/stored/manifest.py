"""clips.csv: one row per clip of a clip set; and whether there is any footage for it, from summary.json."""

import csv
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lift.errors import UserError
from lift.files import atomic


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipRow:
    """A missing frame and what surrounds it; the frame of offset o is number target + o * step."""

    clip: str
    """Unique name: `<source>/<video>@<target>`, and `#<kind>` where one target has several difficulties."""
    source: str
    """Name of the data set."""
    video: str
    """The video within its source."""
    group: str
    """The recording that it was cut from, as its source knows it: the independent unit of statistics."""
    target: int
    """Number of the missing frame."""
    step: int
    """Frames between two offsets."""
    offsets: tuple[int, ...]
    """Context offsets present, ascending; -1 and 1, the references, always among them."""
    kind: str
    """Difficulty or kind of scene; empty where there is none."""
    motion: float
    """Mean absolute difference of the two references, 0-255."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    extension: str
    """png or jpg; m4v: its frames are stored in runs (`lift/data/stored/mpeg4.py`)."""

    @property
    def stored(self) -> str:
        """Folder of its frames in the archive: with the source, as two sources may name a video alike."""
        return f"{self.source}/{self.video}"

    def number(self, offset: int) -> int:
        """Return the number of the frame at `offset` from the missing one."""
        return self.target + offset * self.step


COLUMNS = tuple(field.name for field in dataclasses.fields(ClipRow))
READ: Mapping[str, Callable[[str], Any]] = {
    **dict.fromkeys(("target", "step", "height", "width"), int),
    "motion": float,
    "offsets": lambda text: tuple(map(int, text.split())),
}
"""How columns are read that are no text."""


def write_manifest(path: Path, rows: Iterable[ClipRow]) -> None:
    """Write rows in the order given."""
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in rows:
            written = {"offsets": " ".join(map(str, row.offsets)), "motion": f"{row.motion:.4f}"}
            writer.writerow(written.get(column, getattr(row, column)) for column in COLUMNS)


def read_manifest(path: Path) -> list[ClipRow]:
    """Read all rows.

    Raises:
        UserError: The file is missing or is not a clip manifest.
    """
    advice = "run `dvc repro clips` again (or `dvc checkout` for the last result)"
    try:
        with path.open(newline="", encoding="utf-8") as file:
            lines = csv.reader(file)
            if tuple(next(lines, ())) != COLUMNS:
                raise UserError(
                    f"{path}: not a clip manifest, its first line must be {','.join(COLUMNS)}; {advice}"
                )
            return [
                ClipRow(**{key: READ.get(key, str)(text) for key, text in zip(COLUMNS, line, strict=True)})
                for line in lines
            ]
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; {advice}") from error
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path}: damaged ({error}); delete it and {advice}") from error


def not_given(folder: Path) -> bool:
    """Whether a clip set is empty because none of its sources is given (`Source.optional`).

    Raises:
        UserError: Its summary is missing or damaged.
    """
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        return "not_given" in summary and not summary["clips"]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path}: cannot be read ({error}); run `dvc repro clips` again") from error
