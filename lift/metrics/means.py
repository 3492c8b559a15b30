"""Means over clips: sums are updated clip by clip, the mean is computed at the end."""

import math
from collections.abc import Mapping


class Means:
    """The mean of per-clip values by name; a clip without a value for a name does not count for that name.

    The mean of per-clip PSNR, not the PSNR of the pooled error: that is what the field's papers report.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}

    def update(self, values: Mapping[str, float | None]) -> None:
        """Add one clip's values; None: the clip has none."""
        for name, value in values.items():
            if value is not None:
                self._values.setdefault(name, []).append(value)

    def compute(self) -> dict[str, float]:
        """Return the mean of every name that had a value; the order of clips does not matter."""
        return {name: math.fsum(values) / len(values) for name, values in self._values.items()}
