"""Stage `pictures`: the frames of the clips on which the report's base is worst, and of a middling one.

Which these are is known when everything is measured: by the gain in PSNR of the base over the method that
pictures show first beside it, over all clips of a benchmark of which there is footage here.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from lift.config import load, resolved
from lift.data.dataset import ClipDataset
from lift.data.stored.archive import write_archive
from lift.errors import UserError
from lift.evaluation.method import reference
from lift.metrics import to_bytes
from lift.progress import bar
from stages.common import PARAMS, check_resolved, data_folder, run
from stages.evaluate import methods_of, offsets, with_footage

Measured = dict[str, tuple[str, float]]
"""Of each clip its recording, and its PSNR or the gain in it, dB."""


class Chosen(NamedTuple):
    """A clip that is shown."""

    benchmark: str
    clip: str
    rank: str  # middle, or worst1, worst2, …
    gain: float  # by which it was chosen, dB


def main(profile: str) -> None:
    """Write `data/<profile>/pictures/pictures.zip`."""
    base, data = load(PARAMS, profile), data_folder(profile)
    check_resolved(profile, "pictures.json", resolved.pictures(base))
    torch.set_num_threads(min(base.evaluate.threads, torch.get_num_threads()))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    shown = [name for name in resolved.pictured(base) if (data / "results" / name / "clips.csv").is_file()]
    rows = {name: _rows(data / "results" / name / "clips.csv") for name in shown}
    there = [key for key in base.benchmarks if all(key in own for own in rows.values()) and len(shown) > 1]
    chosen = [
        one
        for key in with_footage(there, data)
        for one in choose(key, _gains(rows[shown[0]][key], rows[shown[1]][key]), base.report.worst)
    ]
    pictures: list[dict[str, Tensor]] = [{} for _ in chosen]
    for name in shown:
        config = load(PARAMS, profile, name)
        method = next(iter(methods_of(config, name, data, device).values()))
        keys = {one.benchmark for one in chosen}
        sets = {key: ClipDataset(data / "clips" / key, offsets(config, name, key)) for key in keys}
        places = {(key, row.clip): i for key, clips in sets.items() for i, row in enumerate(clips.rows)}
        pairs = list(zip(chosen, pictures, strict=True))
        for one, kept in bar(pairs, title=f"pictures of {name}", unit="clip"):
            sample = sets[one.benchmark][places[one.benchmark, one.clip]]
            kept.setdefault("before", reference(sample, -1))
            kept.setdefault("target", sample["target"])
            with torch.inference_mode():
                kept[name] = method(sample).frame.cpu()
    write_pictures(data / "pictures" / "pictures.zip", list(zip(chosen, pictures, strict=True)))


def _rows(path: Path) -> dict[str, Measured]:
    """Return each clip's recording and PSNR, of the first training, by benchmark.

    Raises:
        UserError: The file is no table of results.
    """
    found: dict[str, Measured] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                own = found.setdefault(row["benchmark"], {})
                own.setdefault(row["clip"], (row["group"], float(row["psnr"])))
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not a table of results ({error!r}); evaluate again") from error
    return found


def _gains(one: Measured, other: Measured) -> Measured:
    return {clip: (group, psnr - other[clip][1]) for clip, (group, psnr) in one.items() if clip in other}


def choose(benchmark: str, gains: Measured, worst: int) -> list[Chosen]:
    """Choose the `worst` clips by gain, each of another recording, and the middle one of all.

    Args:
        benchmark: Their test set.
        gains: Of each clip.
        worst: How many of the worst.
    """
    order = sorted(gains, key=lambda clip: (gains[clip][1], clip))
    first = {gains[clip][0]: clip for clip in reversed(order)}  # of each recording its worst
    ranked = [clip for clip in order if first[gains[clip][0]] == clip][:worst]
    ranks = {f"worst{place}": clip for place, clip in enumerate(ranked, 1)}
    if order:
        ranks["middle"] = order[len(order) // 2]
    return [Chosen(benchmark, clip, rank, gains[clip][1]) for rank, clip in ranks.items()]


def write_pictures(path: Path, chosen: Sequence[tuple[Chosen, Mapping[str, Tensor]]]) -> None:
    """Write all pictures, (3, H, W) in [0, 1] by name, as PNG into one ZIP; equal ones give equal bytes.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    index = io.StringIO()
    writer = csv.writer(index, lineterminator="\n")
    writer.writerow(("benchmark", "clip", "rank", "gain", "pictures"))
    entries: dict[str, bytes] = {}
    for one, pictures in chosen:
        writer.writerow((*one[:3], f"{one.gain:.6g}", " ".join(pictures)))
        entries |= {f"{one.benchmark}/{one.rank}/{name}.png": _png(frame) for name, frame in pictures.items()}
    entries["index.csv"] = index.getvalue().encode()
    write_archive(path, sorted(entries.items()))


def _png(frame: Tensor) -> bytes:
    pixels = to_bytes(frame, data_range=1.0).astype(np.uint8).transpose(1, 2, 0)
    done, data = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))  # OpenCV's order is BGR
    if not done:
        raise RuntimeError("OpenCV could not encode a PNG")
    return bytes(data)


if __name__ == "__main__":
    run(main, "PROFILE")
