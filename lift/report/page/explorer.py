"""The kept clips for the page's explorer: every method's frame as a small file, and its numbers."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from lift.report.examples import Example, Examples, Image
from lift.report.results import Results
from lift.report.tables.results import stand_in, title

QUALITY = (
    90  # WebP, of 100: a tenth of a PNG's size, so that the page can be kept in git; figures are lossless
)
_GIVEN = {"before": "reference −1", "target": "truth", "after": "reference +1"}


def write_clips(results: Results, folder: Path) -> list[dict[str, Any]]:
    """Write the frames of every kept clip below `folder`; give what the page's script needs to know of them.

    Returns:
        One entry per clip: label, folder, frames (name -> label; references and truth first) and numbers
        (method -> metric -> text).
    """
    examples = Examples(results.data)
    source = next((m for m in results.methods if examples.listed(m)), None)
    if source is None:
        return []
    kept = [e for e in examples.listed(source) if results.measured(e.benchmark)]
    return [_clip(results, examples, example, source, folder) for example in kept]


def _clip(
    results: Results, examples: Examples, example: Example, source: str, folder: Path
) -> dict[str, Any]:
    own = folder / example.benchmark / example.slug
    own.mkdir(parents=True)
    frames = {}
    for name, label in _GIVEN.items():
        image = examples.picture(source, example, name)
        if image is not None:
            _write(own / f"{name}.webp", image)
            frames[name] = label
    for method in results.measured(example.benchmark):
        image = examples.picture(method, example, "frame")
        if image is not None:
            _write(own / f"{method}.webp", image)
            frames[method] = method
    return {
        "label": f"{example.clip}{stand_in(results, example.benchmark)}",
        "benchmark": title(results, example.benchmark),
        "folder": f"{folder.name}/{example.benchmark}/{example.slug}",
        "frames": frames,
        "numbers": {
            m: _numbers(results, m, example) for m in frames if m in results.measured(example.benchmark)
        },
    }


def _numbers(results: Results, method: str, example: Example) -> dict[str, str]:
    frame = results.seeded[method][example.benchmark][0]  # the training of which the frames were kept
    row = frame[frame["clip"] == example.clip].iloc[0]
    return {
        metric.heading: f"{float(row[metric.key]):.{metric.digits}f}"
        for metric in results.metrics.values()
        if results.has(method, example.benchmark, metric.key)
    }


def _write(path: Path, image: Image) -> None:
    done, data = cv2.imencode(
        ".webp", np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_WEBP_QUALITY, QUALITY]
    )
    if not done:
        raise RuntimeError("OpenCV could not encode a WebP picture")
    path.write_bytes(bytes(data))
