"""truth.zip: the true flow and visibility of each clip of the procedural scenes, or no entries."""

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lift.data.stored.archive import StoredArchive, write_archive
from lift.data.stored.manifest import ClipRow
from lift.errors import UserError

Truth = tuple[NDArray[np.float32], NDArray[np.bool_]]


def write_truth(path: Path, clips: Iterable[tuple[ClipRow, Path]]) -> None:
    """Write the archive from each clip's `truth.npz`, byte-stable (an npz carries the time of its making).

    Args:
        path: The archive.
        clips: Rows with their truth files: flow (4, H, W) float32, visible (2, H, W) bool, and the number of
            the frame that they are of.

    Raises:
        UserError: A file is missing, damaged, of another size than its frames, of another frame than the
            missing one, or older than the frame's number in it.
    """

    def entries() -> Iterator[tuple[str, bytes]]:
        for row, file in sorted(clips, key=lambda pair: _slug(pair[0].clip)):
            flow, visible = _load(file, row)
            yield _name(row.clip, "flow"), _npy(flow)
            yield _name(row.clip, "visible"), _npy(visible)

    write_archive(path, entries())


class TruthArchive(StoredArchive):
    """The truth of a clip set."""

    def of(self, clip: str) -> Truth:
        """Return flow (4, H, W) float32 and visible (2, H, W) bool of a clip.

        Flow 0:2 points from the missing frame to offset -1 and 2:4 to offset 1, in pixels, x before y.

        Raises:
            UserError: The archive lacks the clip or is damaged.
        """
        flow, visible = (io.BytesIO(self.read(_name(clip, part))) for part in ("flow", "visible"))
        return np.load(flow, allow_pickle=False), np.load(visible, allow_pickle=False)


def _load(file: Path, row: ClipRow) -> Truth:
    advice = "remove the rendered scenes and run `dvc repro download` again (without DVC: stage `download`)"
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            flow, visible = arrays["flow"], arrays["visible"]
            number = int(arrays["number"]) if "number" in arrays else None
    except (OSError, TypeError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(f"{file}: no readable truth ({error}); {advice}") from error
    size = (row.height, row.width)
    found = [(array.shape, array.dtype) for array in (flow, visible)]
    if found != [((4, *size), np.dtype(np.float32)), ((2, *size), np.dtype(bool))]:
        raise UserError(
            f"{file}: flow and visible are {found} and do not belong to frames of {size}; set `resize: null` "
            f"for the set of scenes, or {advice}"
        )
    if number != row.target:
        of = number if number is not None else "a number it does not hold (an older version wrote it)"
        raise UserError(
            f"{file}: the truth of frame {of}, but the missing frame of {row.clip} is {row.target}: scenes "
            "are rendered around one frame, for the largest `before` of the test sets that take them; "
            f"{advice}"
        )
    return flow, visible


def _slug(clip: str) -> str:
    return re.sub(r"[/@]", "_", clip)


def _name(clip: str, part: str) -> str:
    return f"{_slug(clip)}/{part}.npy"


def _npy(array: NDArray[np.float32] | NDArray[np.bool_]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
