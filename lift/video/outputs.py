"""The files that a run writes: beside what is to be replaced, then renamed."""

import csv
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO

from lift.errors import UserError
from lift.files import atomic, full_disk_explained, umask
from lift.video.codecs import choose_coding
from lift.video.coding import shifted
from lift.video.file import VideoSource
from lift.video.frame import Shown
from lift.video.job import Job
from lift.video.sink import FolderSink, Sink, VideoSink
from lift.video.source import Format, Source

COLUMNS = ("frame", "time", "kind", "scene", "cut", "motion", "alpha")


@contextmanager
def open_sink(job: Job, source: Source) -> Iterator[Sink]:
    """Yield what writes to a temporary place that becomes the job's output when all went well.

    Raises:
        UserError: It cannot be written, or not like this.
    """
    video = source if isinstance(source, VideoSource) else None
    (height, width), schedule = source.size, job.schedule
    with _writable(job.output):
        if not job.output.suffix:
            with _folder(job.output, force=job.force) as folder:
                yield FolderSink(folder, video)
            return
        wish: dict[str, Any] = {field.name: getattr(source, field.name) for field in fields(Format)} | {
            "size": (height, 2 * width if job.preview else width),
            "rate": schedule.rate(source.rate),
            "unit": schedule.unit(source.unit),
            "chapters": shifted(source.chapters, source.origin, source.length, schedule.stretch),
        }
        coding = choose_coding(job.output, job.codec, Format(**wish))
        with atomic(job.output) as path:
            sink = VideoSink(path, coding, source=video, stretch=schedule.stretch)
            try:
                yield sink
            finally:
                sink.abandon()


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """Explain a folder that is none, or is not there and cannot be made."""
    try:
        yield
    except (NotADirectoryError, FileExistsError, FileNotFoundError) as error:
        raise UserError(f"{path}: cannot be written ({error.strerror}); check its folder") from error


@contextmanager
def _folder(output: Path, *, force: bool) -> Iterator[Path]:
    """Yield a folder that takes the place of `output`, which holds nothing but our pictures."""
    with full_disk_explained(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
        try:
            yield new
            if force and output.exists():
                shutil.rmtree(output)
            new.chmod(0o777 & ~umask())  # mkdtemp makes it private
            new.replace(output)
        finally:
            shutil.rmtree(new, ignore_errors=True)


@contextmanager
def open_report(path: Path | None) -> Iterator["Report | None"]:
    """Yield a report to be written to a file; None: none."""
    if path is None:
        yield None
        return
    with _writable(path), atomic(path) as temporary, temporary.open("w", newline="") as file:
        yield Report(file)


class Report:
    """What was done to each frame, rows of COLUMNS: for finding out why a passage looks as it does.

    motion is the mean absolute difference (0-255, of shrunken frames) between an original and the one before
    it, or, for a frame in between, of the two around it; alpha is α as offset:share pairs.
    """

    def __init__(self, file: TextIO) -> None:
        self._rows = csv.writer(file, lineterminator="\n")
        self._rows.writerow(COLUMNS)
        self._count, self._scene = 0, 0

    def add(self, shown: Shown) -> None:
        """Write the row of the next frame."""
        frame = shown.frame
        alpha = " ".join(f"{offset:+d}:{share:.4f}" for offset, share in (frame.alpha or {}).items())
        cut = frame.scene != self._scene
        row = (
            self._count,
            f"{float(shown.time):.6f}",
            frame.kind,
            frame.scene,
            int(cut),
            f"{frame.motion:.3f}",
        )
        self._rows.writerow((*row, alpha))
        self._count, self._scene = self._count + 1, frame.scene
