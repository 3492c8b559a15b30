"""One video cut into clips while its frames stream by: read, checked, and where needed cropped and resized.

A frame leaves as soon as every clip that needs it is known to be whole or dropped, so memory holds about one
clip's frames whatever the video's length.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from lift import png
from lift.clips.continuity import AROUND, HELD, Reduced, breaks, differ, peak, reduced, repeats
from lift.clips.plan import Entry, Planned, clips_of
from lift.clips.readers import Payload, Shown, thumbnail
from lift.clips.sources import SOURCES
from lift.config import Clips, ClipSet, Continuity
from lift.data.stored import images, mpeg4
from lift.data.stored.archive import entry_name
from lift.data.stored.images import Pixels, Unreadable, convert, difference
from lift.data.stored.manifest import ClipRow
from lift.data.stored.mpeg4 import Run

JUDDER = "judder"
"""Kind of a clip in which a frame near the missing one repeats the one before it while the scene moves."""


@dataclass(frozen=True)
class Lack:
    """What a set goes without."""

    kind: Literal["dropped", "unfit", "absent"]
    """A clip, for a fault; one that the footage does not allow; a frame of one that does not demand it."""
    reason: str
    message: str


class Written(NamedTuple):
    """An entry of the archive."""

    name: str
    data: bytes


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

    @property
    def form(self) -> tuple[tuple[int, ...], str]:
        """What the frames of one clip must share."""
        return self.shape, self.extension


def cut_video(entry: Entry, clip_set: ClipSet, rules: Clips) -> Iterator[Written | ClipRow | Lack]:
    """Cut the clips of one video; it is opened when the first result is asked for.

    Yields:
        Entries of the archive, ascending; rows of the clips that turn out whole; what is lost.
    """
    try:
        reader = SOURCES[entry.source].open(entry.video)
    except Unreadable as fault:
        yield Lack("dropped", fault.reason, str(fault))
        return
    planned = clips_of(entry.video, reader, clip_set, (rules.before, rules.after))
    if not planned:
        yield Lack("unfit", "too_short", f"{entry.video.path}: {len(reader.numbers)} frames")
    for clip in planned:
        if isinstance(clip, Unreadable):
            yield Lack("dropped", clip.reason, str(clip))
    clips = [clip for clip in planned if isinstance(clip, Planned)]
    if clips:
        cutter = Cutter(entry, clips, rules.continuity)
        for number, payload in reader.read(cutter.numbers):
            stored, pixels = _prepare(payload, clip_set, cutter.judges, number in cutter.references)
            yield from cutter.add(number, stored, pixels)
        yield from cutter.end()


def _prepare(
    payload: Payload, clip_set: ClipSet, judged: bool, referred: bool
) -> tuple[Stored | Unreadable, Pixels | None]:
    """Read and check one frame; give it as it is stored, and its pixels, which a reference must have."""
    if isinstance(payload, Unreadable):
        return payload, None
    data, extension = b"", "png"
    if isinstance(payload, Shown):
        frame, run = payload.frame, payload.run
        size = (frame.height, frame.width)
        if run is not None and {clip_set.crop, clip_set.resize} <= {None, size}:
            small = thumbnail(frame) if judged else None
            stored = Stored(run=run, shape=(*size, 3), extension=mpeg4.EXTENSION, reduced=small)
            return stored, convert(frame) if referred else None
        pixels = convert(frame)
    else:
        try:
            data = payload.read_bytes()
        except OSError as error:
            return Unreadable(payload, f"cannot be read ({error.strerror})"), None
        decoded = images.decode(data)
        if decoded is None:
            return Unreadable(payload, "truncated or damaged" if data else "an empty file"), None
        pixels, extension = decoded, "png" if payload.suffix.lower() == ".png" else "jpg"
    for wanted, change in ((clip_set.crop, images.crop), (clip_set.resize, images.resize)):
        if wanted is not None and pixels.shape[:2] != wanted:
            pixels, data, extension = change(pixels, wanted), b"", "png"
    small = reduced(pixels) if judged else None
    data = data or png.encode(pixels)
    return Stored(data=data, shape=pixels.shape, extension=extension, reduced=small), pixels


class Cutter:
    """Takes all frames that a video's clips need, in ascending order.

    Attributes:
        numbers: Of these frames.
        references: By frame, how many clips still need its pixels, as one of the two at offsets -1 and 1.
        judges: Whether frames must be `reduced`.
    """

    def __init__(self, entry: Entry, clips: list[Planned], rule: Continuity) -> None:
        self._entry, self._rule = entry, rule
        self._ending: dict[int, list[Planned]] = {}
        self._released_by: dict[int, int] = {}  # frame -> the last frame that any of its clips waits for
        for clip in clips:
            last = clip.numbers[-1]
            self._ending.setdefault(last, []).append(clip)
            for number in clip.numbers:
                self._released_by[number] = max(last, self._released_by.get(number, last))
        self.numbers = sorted(self._released_by)
        self.references = Counter(clip.target.at(offset) for clip in clips for offset in (-1, 1))
        self.judges = any(clip.judged for clip in clips)
        self._held: dict[int, Stored | Unreadable] = {}
        self._pictures: dict[int, Pixels] = {}
        self._wanted: set[int] = set()
        # Of a frame and a later one: clips overlap, and a change is measured once.
        self._known: dict[int, dict[int, tuple[float, float]]] = {}
        self._run: Run | None = None
        self._last = 0  # frame of the run that a clip needs

    def add(
        self, number: int, frame: Stored | Unreadable, pixels: Pixels | None
    ) -> Iterator[Written | ClipRow | Lack]:
        """Take the next frame of `numbers`.

        Args:
            number: Its number.
            frame: The frame, or why it cannot be had.
            pixels: uint8 RGB [H, W, 3] of one of the `references`; kept until its last clip ends.

        Yields:
            The clips that it completes and the frames that nothing waits for any more.
        """
        self._held[number] = frame
        if pixels is not None and number in self.references:
            self._pictures[number] = pixels
        for clip in self._ending.pop(number, ()):
            yield from self._decide(clip)
            for reference in (clip.target.at(-1), clip.target.at(1)):
                self.references[reference] -= 1
                if not self.references[reference]:
                    self._pictures.pop(reference, None)
        # In their order: one that waits holds back those behind it.
        while self._held and self._released_by[first := next(iter(self._held))] <= number:
            released, wanted = self._held.pop(first), first in self._wanted
            self._wanted.discard(first)
            self._known.pop(first, None)
            if wanted and isinstance(released, Stored):
                yield from self._write(first, released)

    def _write(self, number: int, frame: Stored) -> Iterator[Written]:
        """Yield the entries that are complete with this frame."""
        if frame.run is not self._run:
            yield from self.end()
        self._run, self._last = frame.run, number
        if frame.run is None:
            yield Written(entry_name(self._entry.stored, number, frame.extension), frame.data)

    def end(self) -> Iterator[Written]:
        """Yield the run that is under way, up to the last frame that a clip needs."""
        run, self._run = self._run, None
        if run is not None:
            yield Written(entry_name(self._entry.stored, run.number, mpeg4.EXTENSION), run.data(self._last))

    def _decide(self, clip: Planned) -> Iterator[ClipRow | Lack]:
        held = {offset: self._held[clip.target.at(offset)] for offset in clip.span}
        demanded = [held[offset] for offset in clip.required]
        lost = next((frame for frame in demanded if isinstance(frame, Unreadable)), None)
        if lost is not None:
            yield Lack("dropped", lost.reason, str(lost))
            return
        forms = {frame.form for frame in demanded if isinstance(frame, Stored)}
        if len(forms) > 1:
            yield Lack("dropped", "mixed_sizes", self._mixed(forms))
            return
        fit = {o: f for o, f in held.items() if isinstance(f, Stored) and f.form in forms}
        offsets, why, judder = self._judge(clip, fit) if clip.judged else (tuple(fit), "", "")
        if why:
            yield Lack("unfit", why, f"{self._entry.video.path}: a {why} within the frames that clips need")
            return
        for frame in held.values():
            if isinstance(frame, Unreadable):
                yield Lack("absent", frame.reason, str(frame))
            elif frame.form not in forms:
                yield Lack("absent", "mixed_sizes", self._mixed({frame.form, *forms}))
        self._wanted.update(clip.target.at(offset) for offset in offsets)
        yield self._row(clip, fit[0], tuple(offset for offset in offsets if offset), judder)

    def _judge(self, clip: Planned, frames: Mapping[int, Stored]) -> tuple[tuple[int, ...], str, str]:
        """Return the offsets up to the nearest breaks, what break a required one lies behind, and the kind.

        It is of `JUDDER` if a frame within `AROUND` + `HELD` of the missing one repeats the one before it.
        """
        span, small = tuple(frames), [frame.reduced for frame in frames.values() if frame.reduced is not None]
        changes = []
        for i, (one, other) in enumerate(pairwise(clip.target.at(offset) for offset in span)):
            known = self._known.setdefault(one, {})
            if other not in known:
                known[other] = differ(small[i], small[i + 1]), peak(small[i], small[i + 1])
            changes.append(known[other])
        found = breaks(small, self._rule, [difference for difference, _ in changes])
        middle = span.index(0)
        first = max((i + 1 for i in range(middle) if found[i]), default=0)
        last = min((i for i in range(middle, len(found)) if found[i]), default=len(found))
        if clip.required[0] < span[first]:
            return (), found[first - 1], ""
        if clip.required[-1] > span[last]:
            return (), found[last], ""
        reach = AROUND + HELD
        near = [i for i, offset in enumerate(span) if abs(offset) <= 2 * reach]
        peaks, middle = [each for _, each in changes[near[0] : near[-1]]], middle - near[0]
        around = range(max(0, middle - reach), min(len(peaks), middle + reach))
        judders = any(repeats(peaks, i, self._rule) for i in around)
        return span[first : last + 1], "", JUDDER if judders else ""

    def _mixed(self, forms: set[tuple[tuple[int, ...], str]]) -> str:
        sizes = " and ".join(sorted({f"{shape[1]}x{shape[0]}" for shape, _ in forms}))
        return f"{self._entry.video.path}: frames of {sizes} in one clip"

    def _row(self, clip: Planned, frame: Stored, offsets: tuple[int, ...], kind: str) -> ClipRow:
        target, entry = clip.target, self._entry
        first, second = (self._pictures[target.at(offset)] for offset in (-1, 1))
        return ClipRow(
            clip=f"{entry.stored}@{target.number}"
            + (f"#{target.kind}" if target.uniform and target.kind else ""),
            source=entry.source,
            video=entry.video.name,
            group=entry.video.group,
            target=target.number,
            step=target.step,
            offsets=offsets,
            kind=target.kind or kind,
            motion=difference(first, second),
            height=frame.shape[0],
            width=frame.shape[1],
            extension=frame.extension,
        )
