"""examples.zip: the frames of a few clips, for the report's pictures; the same clips for every method."""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lift.evaluation.method import Prediction, Sample, reference
from lift.evaluation.results import Row
from lift.files import atomic
from lift.metrics import to_bytes

FIXED_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that ZIP can express: equal entries must give equal bytes
UNIX = 3  # the "made by" field, which would otherwise name the writing system


@dataclass(frozen=True, kw_only=True)
class Example:
    """A clip's kept frames: its line of index.csv, and the encoded files of its folder by name."""

    index: tuple[str, str, str, str, str]
    """benchmark, clip, slug, kind, psnr."""
    files: dict[str, bytes]


def spread(count: int, wanted: int) -> frozenset[int]:
    """Choose `wanted` of `count` indices, each the middle of an equal share; all where there are fewer."""
    return (
        frozenset((2 * i + 1) * count // (2 * wanted) for i in range(wanted))
        if wanted < count
        else frozenset(range(count))
    )


def keep(row: Row, prediction: Prediction, sample: Sample, true_flow: NDArray[np.float32] | None) -> Example:
    """Encode a clip's references, target, prediction and flows.

    Args:
        row: The clip's results.
        prediction: What the method gave.
        sample: What it was given.
        true_flow: (4, H, W), pixels; None: not known.

    Returns:
        PNG files before, after (the references), target, frame, coarse and blend, and flow and true_flow as
        float16 arrays.
    """
    pictures = {
        "before": reference(sample, -1),
        "after": reference(sample, 1),
        "target": sample["target"],
        "frame": prediction.frame,
        "coarse": prediction.coarse,
        "blend": prediction.blend,
    }
    flows = {
        "flow": None if prediction.flow is None else prediction.flow.cpu().numpy(),
        "true_flow": true_flow,
    }
    files = {f"{name}.png": _png(frame) for name, frame in pictures.items() if frame is not None}
    files |= {f"{name}.npy": _npy(flow) for name, flow in flows.items() if flow is not None}
    slug = re.sub(r"[^A-Za-z0-9_.-]", "_", row.clip)
    return Example(index=(row.benchmark, row.clip, slug, row.kind, f"{row.psnr:.7g}"), files=files)


def write_examples(path: Path, examples: Sequence[Example]) -> None:
    """Write all examples into one stored ZIP, sorted, with a fixed date.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    index = io.StringIO()
    writer = csv.writer(index, lineterminator="\n")
    writer.writerow(("benchmark", "clip", "slug", "kind", "psnr"))
    writer.writerows(example.index for example in examples)
    entries = {"index.csv": index.getvalue().encode()}
    for example in examples:
        benchmark, _, slug, *_ = example.index
        entries |= {f"{benchmark}/{slug}/{name}": data for name, data in example.files.items()}
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


def _npy(flow: NDArray[np.floating]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, flow.astype(np.float16), allow_pickle=False)
    return stream.getvalue()
