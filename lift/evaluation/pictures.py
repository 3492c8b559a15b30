"""pictures.zip: frames of chosen clips, for the report: the worst of a benchmark, and a middling one."""

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from torch import Tensor

from lift.files import atomic
from lift.metrics import to_bytes

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can express: equal entries must give equal bytes
UNIX = 3  # the "made by" field, which would otherwise name the writing system


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A clip that is shown."""

    benchmark: str
    clip: str
    rank: str
    """middle, or worst1, worst2, …"""
    gain: float
    """By which it was chosen, dB."""


def choose(benchmark: str, gains: Mapping[str, tuple[str, float]], worst: int) -> list[Chosen]:
    """Choose the `worst` clips by gain, each of another video, and the middle one of all.

    Args:
        benchmark: Their test set.
        gains: Clip -> its video, and the gain by which it is judged.
        worst: How many of the worst.
    """
    order = sorted(gains, key=lambda clip: (gains[clip][1], clip))
    first = {gains[clip][0]: clip for clip in reversed(order)}  # of each video its worst
    ranked = [clip for clip in order if first[gains[clip][0]] == clip][:worst]
    ranks = {f"worst{place}": clip for place, clip in enumerate(ranked, 1)}
    if order:
        ranks["middle"] = order[len(order) // 2]
    return [
        Chosen(benchmark=benchmark, clip=clip, rank=rank, gain=gains[clip][1]) for rank, clip in ranks.items()
    ]


def write_pictures(path: Path, chosen: Sequence[tuple[Chosen, Mapping[str, Tensor]]]) -> None:
    """Write all pictures, (3, H, W) in [0, 1] by name, as PNG into one stored ZIP, sorted, with a fixed date.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    index = io.StringIO()
    writer = csv.writer(index, lineterminator="\n")
    writer.writerow(("benchmark", "clip", "rank", "gain", "pictures"))
    entries: dict[str, bytes] = {}
    for one, pictures in chosen:
        writer.writerow((one.benchmark, one.clip, one.rank, f"{one.gain:.6g}", " ".join(pictures)))
        entries |= {f"{one.benchmark}/{one.rank}/{name}.png": _png(frame) for name, frame in pictures.items()}
    entries["index.csv"] = index.getvalue().encode()
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            info = zipfile.ZipInfo(name, FIXED_DATE)
            info.create_system = UNIX
            archive.writestr(info, entries[name])


def _png(frame: Tensor) -> bytes:
    pixels = to_bytes(frame, data_range=1.0).astype(np.uint8).transpose(1, 2, 0)
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))  # OpenCV's order is BGR
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return bytes(data)
