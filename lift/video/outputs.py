"""The files that a run writes: beside what is to be replaced, then renamed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from lift.errors import UserError
from lift.files import atomic, full_disk_explained
from lift.video.codecs import choose_coding
from lift.video.coding import Wish, shifted
from lift.video.file import VideoSource
from lift.video.folder import FolderSource
from lift.video.report import Report
from lift.video.sink import FolderSink, VideoSink, beside, replace_folder


@contextmanager
def open_sink(
    output: Path,
    source: VideoSource | FolderSource,
    *,
    codec: str | None,
    size: tuple[int, int],
    rate: Fraction,
    unit: Fraction,
    stretch: int,
    force: bool,
) -> Iterator[VideoSink | FolderSink]:
    """Yield what writes to a temporary place that becomes the output when all went well.

    Args:
        output: A video, or without a suffix a folder of pictures.
        source: What it is made of.
        codec: FFmpeg's name of an encoder; None: the container's default.
        size: (H, W) of its pictures.
        rate: Mean frame rate.
        unit: Seconds of which all times are multiples.
        stretch: How many times slower than the source it runs.
        force: Replace a folder that is there.

    Raises:
        UserError: It cannot be written, or not like this.
    """
    video = source if isinstance(source, VideoSource) else None
    with _writable(output):
        if not output.suffix:
            with _folder(output, force=force) as folder:
                yield FolderSink(folder, video)
            return
        wish = Wish(
            look=source.look,
            size=size,
            rate=rate,
            unit=unit,
            transparent=source.transparent,
            aspect=source.aspect,
            light=source.light,
            matrix=source.matrix,
            chapters=shifted(source.chapters, source.origin, source.length, stretch),
        )
        coding = choose_coding(output, codec, wish)
        with atomic(output) as path:
            sink = VideoSink(path, coding, source=video, stretch=stretch)
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
    with full_disk_explained(output):
        new = beside(output)
        try:
            yield new
            replace_folder(output, new, force=force)
        finally:
            shutil.rmtree(new, ignore_errors=True)


@contextmanager
def open_report(path: Path | None) -> Iterator[Report | None]:
    """Yield a report to be written to a file; None: none."""
    if path is None:
        yield None
        return
    with _writable(path), atomic(path) as temporary, temporary.open("w", newline="") as file:
        yield Report(file)
