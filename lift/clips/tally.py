"""Counts of a clip set's clips, kept and dropped: nothing is lost without a line and a number."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from lift.errors import UserError

SHOWN = 3  # files named in the error line


class Loss(NamedTuple):
    """What a set goes without."""

    kind: Literal["dropped", "unfit", "absent"]
    """A clip, for a fault; one that the footage does not allow; a frame of one that does not demand it."""
    reason: str
    message: str


class Tally:
    """What became of the clips of one set.

    A dropped clip has a reason: `missing` (a listed file is absent), `unreadable` (truncated or damaged) and
    `mixed_sizes` count as lost; `too_short`, `cut` and `duplicate` are properties of the footage and do
    not. A video that cannot be opened, or is too short for a single clip, counts as one.

    A lost frame that a clip's set does not demand costs the clip that frame alone: `absent` counts these.
    """

    def __init__(self, name: str, most: float, say: Callable[[str], object]) -> None:
        """Start at zero.

        Args:
            name: The clip set, for messages.
            most: Largest share of clips that may be lost.
            say: Prints a line.
        """
        self._name, self._most, self._say = name, most, say
        self._kept: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._told: dict[str, None] = {}
        self._unfit: dict[str, str] = {}
        self._absent: Counter[str] = Counter()

    def keep(self, *, clips: int = 0, videos: int = 0, frames: int = 0) -> None:
        """Count what goes into the set."""
        self._kept.update(clips=clips, videos=videos, frames=frames)

    def lose(self, loss: Loss) -> None:
        """Count a loss; one by a fault names its file once."""
        (self._absent if loss.kind == "absent" else self._dropped)[loss.reason] += 1
        if loss.kind == "unfit":
            self._unfit.setdefault(loss.reason, loss.message)
        elif loss.message not in self._told:
            self._told[loss.message] = None
            self._say(f"warning: {loss.message}; clips that need it are dropped, others go without it")

    def check(self) -> None:
        """Refuse a set that is not worth having.

        Raises:
            UserError: More clips are lost than allowed, or none is left.
        """
        lost = sum(count for reason, count in self._dropped.items() if reason not in self._unfit)
        whole = self._kept["clips"] + lost
        if lost > self._most * whole:
            first = "; ".join(list(self._told)[:SHOWN])
            raise UserError(
                f"clip set {self._name}: {lost} of {whole} clips are unusable, more than clips.max_dropped: "
                f"{self._most} allows; first: {first}; restore those files, or raise clips.max_dropped"
            )
        if not self._kept["clips"]:
            raise UserError(
                f"clip set {self._name}: no clip, for every video is too short or broken by cuts or repeated "
                f"frames ({'; '.join(self._unfit.values())}); lower clips.sets.{self._name}.before and after"
            )

    def summary(self) -> dict[str, Any]:
        """Return all counts."""
        return {
            **{key: self._kept[key] for key in ("clips", "videos", "frames")},
            "dropped": dict(sorted(self._dropped.items())),
            "absent": dict(sorted(self._absent.items())),
        }
