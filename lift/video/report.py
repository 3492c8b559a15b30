"""What was done to each frame, as a CSV file: for finding out why a passage looks as it does."""

import csv
from typing import TextIO

from lift.video.frame import Shown

COLUMNS = ("frame", "time", "kind", "scene", "cut", "motion", "weights")


class Report:
    """Rows of COLUMNS.

    motion is the mean absolute difference (0-255, of shrunken frames) between an original and the one before
    it, or, for a frame in between, of the two around it; weights is α as offset:share pairs.
    """

    def __init__(self, file: TextIO) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(COLUMNS)
        self._count, self._scene = 0, 0

    def add(self, shown: Shown) -> None:
        """Write the row of the next frame."""
        frame = shown.frame
        weights = " ".join(f"{offset:+d}:{share:.4f}" for offset, share in (frame.weights or {}).items())
        cut = frame.scene != self._scene
        row = (
            self._count,
            f"{float(shown.time):.6f}",
            frame.kind,
            frame.scene,
            int(cut),
            f"{frame.motion:.3f}",
        )
        self._rows.writerow((*row, weights))
        self._count, self._scene = self._count + 1, frame.scene
