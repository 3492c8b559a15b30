"""One video cut into clips: read, checked, and where needed converted, cropped, resized and encoded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from lift import png
from lift.clips.assemble import Assembler, Stored
from lift.clips.continuity import reduced
from lift.clips.plan import Entry, Planned, clips_of
from lift.clips.readers import Payload, Shown, thumbnail
from lift.clips.sources import SOURCES
from lift.clips.tally import Loss
from lift.config import Clips, ClipSet
from lift.data.stored import images, mpeg4
from lift.data.stored.archive import entry_name
from lift.data.stored.colour import convert
from lift.data.stored.images import Pixels, Unreadable
from lift.data.stored.manifest import ClipRow
from lift.data.stored.mpeg4 import Run


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What a further frame of a video gave."""

    entries: list[tuple[str, bytes]] = field(default_factory=list)
    """For the archive, ascending over a video."""
    frames: int = 0
    """Needed by the clips."""
    rows: list[ClipRow] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)


def size_of(cut: Cut) -> int:
    """Return the bytes that a result holds."""
    return sum(len(data) for _, data in cut.entries)


def cut_video(entry: Entry, clip_set: ClipSet, rules: Clips) -> Iterator[Cut]:
    """Cut the clips of one video; it is opened when the first result is asked for."""
    try:
        reader = SOURCES[entry.source].open(entry.video)
    except Unreadable as fault:
        yield Cut(losses=[Loss("dropped", fault.reason, str(fault))])
        return
    planned = clips_of(entry.video, reader, clip_set, (rules.before, rules.after))
    losses = [Loss("dropped", clip.reason, str(clip)) for clip in planned if isinstance(clip, Unreadable)]
    if not planned:
        losses = [Loss("unfit", "too_short", f"{entry.video.path}: {len(reader.numbers)} frames")]
    yield Cut(losses=losses)
    clips = [clip for clip in planned if isinstance(clip, Planned)]
    if not clips:
        return
    assembler, writer = Assembler(entry, clips, rules.continuity), _Writer(entry.stored)
    for number, payload in reader.read(assembler.numbers):
        stored, pixels = _prepare(payload, clip_set, assembler.judges, assembler.refers_to(number))
        decided = assembler.add(number, stored, pixels)
        yield Cut(
            entries=[written for frame in decided.frames for written in writer.add(*frame)],
            frames=len(decided.frames),
            rows=decided.rows,
            losses=decided.losses,
        )
    yield Cut(entries=writer.end())


class _Writer:
    """Turns a video's frames, ascending, into entries: one each, or one for all those of a run."""

    def __init__(self, video: str) -> None:
        self._video = video
        self._run: Run | None = None
        self._last = 0

    def add(self, number: int, frame: Stored) -> list[tuple[str, bytes]]:
        """Take the next frame; return what is complete now."""
        complete = [] if frame.run is self._run else self.end()
        self._run, self._last = frame.run, number
        if frame.run is None:
            complete.append((entry_name(self._video, number, frame.extension), frame.data))
        return complete

    def end(self) -> list[tuple[str, bytes]]:
        """Return the run that is under way, up to the last frame that a clip needs."""
        run, self._run = self._run, None
        if run is None:
            return []
        return [(entry_name(self._video, run.number, mpeg4.EXTENSION), run.data(self._last))]


def _prepare(
    payload: Payload, clip_set: ClipSet, judged: bool, referred: bool
) -> tuple[Stored | Unreadable, Pixels | None]:
    """Read and check one frame; give it as it is stored, and its pixels, which a reference must have."""
    if isinstance(payload, Unreadable):
        return payload, None
    data, extension = b"", "png"
    if isinstance(payload, Shown):
        frame = payload.frame
        if payload.run is not None and {clip_set.crop, clip_set.resize} <= {
            None,
            (frame.height, frame.width),
        }:
            small = thumbnail(frame) if judged else None
            shape = (frame.height, frame.width, 3)
            stored = Stored(run=payload.run, shape=shape, extension=mpeg4.EXTENSION, reduced=small)
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
        pixels = decoded
        extension = "png" if payload.suffix.lower() == ".png" else "jpg"
    for size, change in ((clip_set.crop, images.crop), (clip_set.resize, images.resize)):
        if size is not None and pixels.shape[:2] != size:
            pixels, data, extension = change(pixels, size), b"", "png"
    small = reduced(pixels) if judged else None
    data = data or png.encode(pixels)
    return Stored(data=data, shape=pixels.shape, extension=extension, reduced=small), pixels
