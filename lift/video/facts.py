"""What is known of a video file before it is read."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from lift.errors import UserError
from lift.video.filters import Filter, angle, matrix_of, sideways, slanted, turning
from lift.video.hdr import Light
from lift.video.look import Look, transparent
from lift.video.media import TRANSPORT, decoder, read
from lift.video.settings import DEFAULTS
from lift.video.source import WHOLE, Facts, Span
from lift.video.transport import joined

MICROSECONDS = 1_000_000  # the unit of a container's times
FIELDS = {2: "tff", 3: "bff", 4: "bff", 5: "tff"}  # FFmpeg's AVFieldOrder: which field is shown first
COMBED = (
    "{}: its pictures are combs of two moments, and so is all that is made of them; --deinterlace makes "
    "whole pictures of them first"
)
LATE = "it was joined, and what comes later has streams that its beginning lacks: they are left out"
SPHERE = {"SPHERICAL": "what makes it a sphere (360°)", "STEREO3D": "what makes it stereo (3D)"}


def look_into(path: Path, *, turn: bool, deinterlace: bool) -> Facts:
    """Read the header and decode the first frame, which knows more than the header.

    The file is opened anew afterwards: not every format can be wound back.
    """
    try:
        with read(path) as container:
            videos = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
            readable = [s for s in videos if s.codec_context is not None]
            if not readable:
                kinds = ", ".join(sorted({s.type for s in container.streams})) or "no streams"
                what = "none that FFmpeg can decode" if videos else f"only {kinds}"
                raise UserError(f"{path}: no video in it, {what}")
            video = readable[0]
            first = _first(container, video)
            if first is None:
                raise UserError(f"{path}: no frames in it")
            facts = _facts(container, video, first, turn=turn, deinterlace=deinterlace)
            if container.format.name == TRANSPORT and joined(path).lost:
                facts.warnings.append(LATE)
            return facts
    except av.EOFError as error:
        raise UserError(f"{path}: no frames in it") from error
    except (av.FFmpegError, ValueError) as error:
        raise UserError(f"{path}: not a video that FFmpeg can read, or cut off ({why(error)})") from error


def _first(container: InputContainer, video: VideoStream) -> av.VideoFrame | None:
    """Decode the first frame that can be; raises the first error where none can."""
    context, trouble = decoder(video), None
    for packet in container.demux(video):
        if not packet.size and packet.pts is not None:  # AVI: the picture before, again
            continue
        try:
            for frame in context.decode(packet):
                return cast(av.VideoFrame, frame)
        except av.FFmpegError as error:
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    return None


def _facts(
    container: InputContainer, video: VideoStream, first: av.VideoFrame, *, turn: bool, deinterlace: bool
) -> Facts:
    rates = (video.average_rate, video.guessed_rate, video.base_rate)
    rate = next((Fraction(rate) for rate in rates if rate and rate <= DEFAULTS.fastest), Fraction(25))
    unit = video.time_base or 1 / rate
    length, look = container.duration, Look.of(first)
    frames = video.frames or (round(Fraction(length, MICROSECONDS) * rate) if length else None)
    matrix = matrix_of(first)
    interlaced = first.interlaced_frame or video.codec_context.field_order in FIELDS
    warnings = list(_left_out(container, video, first))
    filters: list[Filter] = []
    if deinterlace:
        filters.append(_bwdif(video, first, marked=interlaced))
        rate, unit, frames = rate * 2, unit / 2, frames and frames * 2
        if not interlaced:
            warnings.append("not marked as interlaced; deinterlaced all the same, upper field first")
    elif interlaced:
        warnings.append(COMBED.format("interlaced"))
    aspect = Fraction(video.sample_aspect_ratio or 1)
    width, height = first.width, first.height
    if matrix is not None and slanted(matrix):
        warnings.append(f"it is to be shown turned by {angle(matrix)} degrees, which is left out")
        matrix = None
    if turn:
        filters += turning(matrix)
        if sideways(matrix):
            aspect, width, height = 1 / aspect, height, width
        matrix = None
    return Facts(
        index=video.index,
        size=(height, width),
        rate=rate,
        unit=unit,
        total=frames,
        begin=_begin(container, video, first),
        timed=container.format.name != "avi" or not video.codec_context.has_b_frames,
        look=look,
        light=Light.of(first),
        stored=(first.width, first.height),
        filters=filters,
        aspect=aspect,
        matrix=matrix,
        interlaced=interlaced,
        chapters=list(container.chapters()),
        transparent=look.alpha and transparent(look.unmixed(first)),
        warnings=warnings,
    )


def _bwdif(video: VideoStream, first: av.VideoFrame, *, marked: bool) -> Filter:
    """Make a picture of each field; where pictures say themselves which are interlaced, of those."""
    parity = "auto" if first.interlaced_frame or not marked else FIELDS[video.codec_context.field_order]
    return (
        "bwdif",
        f"mode=send_field:parity={parity}:deint={'interlaced' if first.interlaced_frame else 'all'}",
    )


def _begin(container: InputContainer, video: VideoStream, first: av.VideoFrame) -> Fraction:
    """Return when the first picture or sound is, exactly: the container's own number is rounded."""
    streams = [s for s in container.streams if s.type == "audio" or s is video]
    begins = [s.start_time * s.time_base for s in streams if s.start_time is not None and s.time_base]
    if first.pts is not None and first.time_base:
        begins.append(first.pts * first.time_base)
    return min(begins, default=Fraction(0))


def _left_out(container: InputContainer, video: VideoStream, first: av.VideoFrame) -> Iterator[str]:
    """Return what of the file no output of ours has."""
    others = [
        s for s in container.streams.video if s is not video and not s.disposition & Disposition.attached_pic
    ]
    if others:
        yield f"it has {len(others) + 1} videos; the first one is taken, the others are left out"
    kinds = {entry.type.name for entry in cast(Any, first.side_data)}
    for kind in sorted(kinds & set(SPHERE)):
        yield f"{SPHERE[kind]} is left out"


def count(facts: Facts, span: Span) -> int | None:
    """Estimate how many frames lie in the span."""
    if facts.total is None or span == WHOLE:
        return facts.total
    whole = facts.total / facts.rate
    end = whole if span.end is None else min(span.end, whole)
    return max(0, round((end - span.start) * facts.rate))


def why(error: Exception) -> str:
    """Return the short reason of an error of FFmpeg."""
    return getattr(error, "strerror", None) or str(error)
