"""Stage `pictures`: the frames of the clips on which the report's base is worst, and of a middling one.

Which these are is known when everything is measured: by the gain in PSNR of the base over the method that
pictures show first beside it, over all clips of a benchmark of which there is footage here.
"""

import csv
from pathlib import Path

import torch

from lift.config import load, resolved
from lift.data.dataset import ClipDataset
from lift.errors import UserError
from lift.evaluation.method import reference
from lift.evaluation.pictures import choose, write_pictures
from lift.progress import bar
from stages.common import PARAMS, check_resolved, data_folder, run
from stages.evaluate import methods_of, offsets, with_footage


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
    pictures: list[dict[str, torch.Tensor]] = [{} for _ in chosen]
    for name in shown:
        config = load(PARAMS, profile, name)
        method = next(iter(methods_of(config, name, data, device).values()))
        sets = {
            key: ClipDataset(data / "clips" / key, offsets(config, name, key))
            for key in dict.fromkeys(one.benchmark for one in chosen)
        }
        places = {(key, row.clip): i for key, clips in sets.items() for i, row in enumerate(clips.rows)}
        for one, kept in bar(
            list(zip(chosen, pictures, strict=True)), title=f"pictures of {name}", unit="clip"
        ):
            sample = sets[one.benchmark][places[one.benchmark, one.clip]]
            kept.setdefault("before", reference(sample, -1))
            kept.setdefault("target", sample["target"])
            with torch.inference_mode():
                kept[name] = method(sample).frame.cpu()
    write_pictures(data / "pictures" / "pictures.zip", list(zip(chosen, pictures, strict=True)))


def _rows(path: Path) -> dict[str, dict[str, tuple[str, float]]]:
    """Return each clip's video and PSNR, of the first training, by benchmark.

    Raises:
        UserError: The file is no table of results.
    """
    found: dict[str, dict[str, tuple[str, float]]] = {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                own = found.setdefault(row["benchmark"], {})
                own.setdefault(row["clip"], (row["group"], float(row["psnr"])))
    except (OSError, KeyError, ValueError) as error:
        raise UserError(f"{path}: not a table of results ({error!r}); evaluate again") from error
    return found


def _gains(
    one: dict[str, tuple[str, float]], other: dict[str, tuple[str, float]]
) -> dict[str, tuple[str, float]]:
    return {clip: (video, psnr - other[clip][1]) for clip, (video, psnr) in one.items() if clip in other}


if __name__ == "__main__":
    run(main, "PROFILE")
