"""Which frames a model is given, and where the frame lies that it makes (conventions: schema.py)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lift.options import choice, number


@dataclass(frozen=True, kw_only=True)
class Clip:
    """The window of frames that a model sees (specification section 2; of prediction section 8)."""

    task: str = choice("interpolate", "predict")
    """interpolate: the missing frame lies between the references; predict: after them (section 8)."""
    mode: str = choice("recurrent", "arbitrary", "independent")
    """Of prediction, how it gets beyond the next frame. recurrent: the next frame is learnt, and what
    is predicted is fed back; arbitrary: one model learns several `horizons` and is told which; independent: a
    model for each horizon.
    """
    horizons: tuple[int, ...] = number(1, 64)
    """Of prediction: how many frames after the last given one the learnt frames lie, ascending."""

    frames: int = number(2, 129)
    """Window length. Odd: the missing frame counts and stands inside (15, 7, 3). Even: all are given (64)."""
    shift: int = number(-64, 64)
    """How many context frames have moved from after the gap to before it: 0 is centred, +1 is 8 before and 6
    after, +7 of 15 is all 14 before, as prediction needs.
    """
    sampling: str = choice("dense", "uniform")
    """dense: every frame but the missing one; uniform: offsets ±1, ±3, ±5 …, as when a frame rate is
    doubled.
    """

    def __post_init__(self) -> None:
        """Refuse a window without both references.

        Raises:
            ValueError: The shift leaves no frame on one side (of prediction: leaves one after the gap), an
                even window is not uniform, or the horizons do not go with the mode.
        """
        if self.task == "predict":
            self._check_prediction()
            return
        if self.frames % 2 == 0 and self.sampling != "uniform":
            raise ValueError(
                f"frames: {self.frames} (even, the gap lies between frames) needs sampling: uniform"
            )
        if min(self.before, self.after) < 1:
            raise ValueError(
                f"frames: {self.frames} with shift: {self.shift} leaves {self.before} frames before the gap "
                f"and {self.after} after it; both references are needed: |shift| at most {self.half - 1}"
            )

    def _check_prediction(self) -> None:
        if self.frames % 2 == 0 or self.frames < 3 or self.sampling != "dense" or self.after:
            raise ValueError(
                f"task: predict needs a window wholly in the past: an odd number of frames from 3 on, "
                f"sampling: dense and shift: {self.half}; found frames: {self.frames}, sampling: "
                f"{self.sampling}, shift: {self.shift}"
            )
        if list(self.horizons) != sorted(set(self.horizons)) or not HORIZONS[self.mode](self.horizons):
            raise ValueError(
                f"horizons: {list(self.horizons)} do not go with mode: {self.mode}; recurrent learns [1], "
                f"independent one horizon such as [3], arbitrary several, ascending, such as [1, 2, 3]"
            )

    @property
    def other(self) -> "Clip":
        """The same window with the other sampling."""
        return replace(self, sampling="uniform" if self.sampling == "dense" else "dense")

    @property
    def learnt(self) -> tuple[int, ...]:
        """How many frames after offset -1 the learnt ones lie; between two there is one alone."""
        return self.horizons if self.task == "predict" else (1,)

    @property
    def half(self) -> int:
        """Context frames on each side of a centred window."""
        return self.frames // 2

    @property
    def before(self) -> int:
        """Context frames before the missing one."""
        return self.half + self.shift

    @property
    def after(self) -> int:
        """Context frames after the missing one."""
        return self.half - self.shift

    @property
    def offsets(self) -> tuple[int, ...]:
        """Offsets of the context frames from the missing frame, ascending.

        -1 and +1 are the references, and of prediction -2 and -1. These are counted from the next frame; a
        frame further ahead lies `horizon` - 1 later.
        """
        return window(self.before, self.after, self.sampling)


HORIZONS: dict[str, Callable[[tuple[int, ...]], bool]] = {
    "recurrent": lambda horizons: horizons == (1,),
    "arbitrary": lambda horizons: len(horizons) > 1,
    "independent": lambda horizons: len(horizons) == 1,
}
"""Which horizons each mode of prediction learns."""


def window(before: int, after: int, sampling: str) -> tuple[int, ...]:
    """List the offsets of `before` + `after` context frames, dense (1 apart) or uniform (2 apart)."""
    stride = 2 if sampling == "uniform" else 1
    past = [-(1 + stride * i) for i in reversed(range(before))]
    return (*past, *(1 + stride * i for i in range(after)))
