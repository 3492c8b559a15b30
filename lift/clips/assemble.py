"""Clips of one video, decided while its frames stream by.

A frame leaves as soon as every clip that needs it is known to be whole or dropped, so memory holds about one
clip's frames whatever the video's length.
"""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from lift.clips.continuity import AROUND, HELD, Reduced, breaks, differ, peak, repeats
from lift.clips.plan import Entry, Planned
from lift.clips.tally import Loss
from lift.config import Continuity
from lift.data.stored.images import Pixels, Unreadable, difference
from lift.data.stored.manifest import ClipRow
from lift.data.stored.mpeg4 import Run

Form = tuple[tuple[int, ...], str]  # shape and extension
JUDDER = "judder"
"""Kind of a clip in which a frame near the missing one repeats the one before it while the scene moves."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A whole frame as the archive will hold it."""

    data: bytes = b""
    """Encoded by itself; empty where it is a frame of a run."""
    run: Run | None = None
    """What it is stored with, where that is the video's own encoding."""
    shape: tuple[int, ...]
    """(H, W, 3)."""
    extension: str
    reduced: Reduced | None = None
    """What cuts and duplicates are found by, where they are looked for."""


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What one more frame settled."""

    frames: list[tuple[int, Stored]] = field(default_factory=list)
    """Frames for the archive, ascending over all calls."""
    rows: list[ClipRow] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


class Assembler:
    """Takes all frames that a video's clips need, in ascending order."""

    def __init__(self, entry: Entry, clips: list[Planned], rule: Continuity) -> None:
        self._entry, self._rule = entry, rule
        self._ending: dict[int, list[Planned]] = {}
        self._released_by: dict[int, int] = {}  # frame -> the last frame that any of its clips waits for
        for clip in clips:
            last = clip.numbers[-1]
            self._ending.setdefault(last, []).append(clip)
            for number in clip.numbers:
                self._released_by[number] = max(last, self._released_by.get(number, last))
        self._references = Counter(number for clip in clips for number in clip.references)
        self._pictures: dict[int, Pixels] = {}
        self._held: dict[int, Stored | Unreadable] = {}
        self._known: dict[int, dict[int, float]] = {}  # difference to a later frame: clips overlap
        self._queue: deque[int] = deque()
        self._wanted: set[int] = set()
        self.numbers = sorted(self._released_by)
        self.judges = any(clip.judged for clip in clips)

    def refers_to(self, number: int) -> bool:
        """Return whether a clip has the frame as a reference, so that `add` needs its pixels."""
        return self._references[number] > 0

    def add(self, number: int, frame: Stored | Unreadable, pixels: Pixels | None) -> Decided:
        """Take the next frame of `numbers`.

        Args:
            number: Its number.
            frame: The frame, or why it cannot be had.
            pixels: uint8 RGB [H, W, 3] of a frame that `refers_to` names; kept until its last clip ends.

        Returns:
            The clips that it completes and the frames that nothing waits for any more.
        """
        decided = Decided()
        if pixels is not None and self._references[number]:
            self._pictures[number] = pixels
        self._held[number] = frame
        self._queue.append(number)
        for clip in self._ending.pop(number, ()):
            self._decide(clip, decided)
        while self._queue and self._released_by[self._queue[0]] <= number:
            first = self._queue.popleft()
            released = self._held.pop(first)
            self._known.pop(first, None)
            if first in self._wanted and isinstance(released, Stored):
                self._wanted.remove(first)
                decided.frames.append((first, released))
        return decided

    def _decide(self, clip: Planned, decided: Decided) -> None:
        span = sorted((*clip.offsets, 0))
        held = dict(zip(span, (self._held[number] for number in clip.numbers), strict=True))
        demanded = [held[offset] for offset in clip.required if offset in held]
        lost = next((frame for frame in demanded if isinstance(frame, Unreadable)), None)
        form = _form(held[0])
        sizes = {_form(frame) for frame in demanded} | {form}
        if lost is not None:
            decided.losses.append(Loss("dropped", lost.reason, str(lost)))
        elif len(sizes) > 1:
            decided.losses.append(Loss("dropped", "mixed_sizes", self._mixed(sizes)))
        else:
            fit = {o: f for o, f in held.items() if isinstance(f, Stored) and _form(f) == form}
            offsets, why = self._continuous(clip, fit)
            if why:
                message = f"{self._entry.video.path}: a {why} within the frames that clips need"
                decided.losses.append(Loss("unfit", why, message))
            else:
                gone = (frame for offset, frame in held.items() if offset not in fit)
                decided.losses.extend(self._absence(frame, form) for frame in gone)
                judder = JUDDER if self._judders(clip, fit) else ""
                decided.rows.append(self._row(clip, fit[0], offsets, judder))
                self._wanted.update(clip.target.number + o * clip.target.step for o in (*offsets, 0))
        for number in clip.references:
            self._references[number] -= 1
            if not self._references[number]:
                self._pictures.pop(number, None)

    def _continuous(self, clip: Planned, frames: Mapping[int, Stored]) -> tuple[tuple[int, ...], str]:
        """Return the offsets up to the nearest breaks, and what kind of break a required one lies behind."""
        span = tuple(frames)
        if not clip.judged:
            return tuple(o for o in span if o), ""
        small = {clip.target.number + o * clip.target.step: f.reduced for o, f in frames.items()}
        reduced = {number: each for number, each in small.items() if each is not None}
        found = breaks(list(reduced.values()), self._rule, self._differences(reduced))
        middle = span.index(0)
        first = max((i + 1 for i in range(middle) if found[i]), default=0)
        last = min((i for i in range(middle, len(found)) if found[i]), default=len(found))
        if min(clip.required) < span[first]:
            return (), found[first - 1]
        if max(clip.required) > span[last]:
            return (), found[last]
        return tuple(o for o in span[first : last + 1] if o), ""

    def _judders(self, clip: Planned, frames: Mapping[int, Stored]) -> bool:
        """Tell whether a frame repeats the one before it within `AROUND` + `HELD` of the missing one."""
        reach = AROUND + HELD
        small = [
            f.reduced for o, f in sorted(frames.items()) if abs(o) <= 2 * reach and f.reduced is not None
        ]
        peaks = [peak(*pair) for pair in pairwise(small)] if clip.judged else []
        middle = sum(-2 * reach <= o < 0 for o in frames)
        near = range(max(0, middle - reach), min(len(peaks), middle + reach))
        return any(repeats(peaks, i, self._rule) for i in near)

    def _differences(self, reduced: Mapping[int, Reduced]) -> list[float]:
        found = []
        for (number, first), (after, second) in pairwise(reduced.items()):
            known = self._known.setdefault(number, {})
            if after not in known:
                known[after] = differ(first, second)
            found.append(known[after])
        return found

    def _absence(self, frame: Stored | Unreadable, form: Form) -> Loss:
        if isinstance(frame, Unreadable):
            return Loss("absent", frame.reason, str(frame))
        return Loss("absent", "mixed_sizes", self._mixed({_form(frame), form}))

    def _mixed(self, forms: set[Form]) -> str:
        sizes = " and ".join(sorted({f"{shape[1]}x{shape[0]}" for shape, _ in forms}))
        return f"{self._entry.video.path}: frames of {sizes} in one clip"

    def _row(self, clip: Planned, frame: Stored, offsets: tuple[int, ...], kind: str) -> ClipRow:
        target, stored = clip.target, self._entry.stored
        first, second = clip.references
        return ClipRow(
            clip=f"{stored}@{target.number}" + (f"#{target.kind}" if target.uniform and target.kind else ""),
            source=self._entry.source,
            video=self._entry.video.name,
            group=self._entry.video.group,
            target=target.number,
            step=target.step,
            offsets=offsets,
            kind=target.kind or kind,
            motion=difference(self._pictures[first], self._pictures[second]),
            height=frame.shape[0],
            width=frame.shape[1],
            extension=frame.extension,
        )


def _form(frame: Stored | Unreadable) -> Form:
    """Return what the frames of one clip must share."""
    return (frame.shape, frame.extension) if isinstance(frame, Stored) else ((), "")
