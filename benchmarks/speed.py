"""How long a frame takes and how much memory, by model, size and precision: on a GPU where there is one.

    python -m benchmarks.speed OUT [END]
    python -m benchmarks.speed RESULTS table

OUT: a file of JSON with a row for each, rewritten after each. END: seconds since 1970 after which no further
row is begun. RIFE v4.25 comes first, and its rows are measured once more at the end, so that what changes
over the run shows. Milliseconds are the median by the clock of whole predictions, the GPU waited for; memory
is the most that tensors took on the GPU, weights and input included. Half: autocast in float16, as the video
tool does. Without a GPU only the smallest size, in 32 bits: that the measurement runs. RESULTS: such a file,
or what `slurm/quarter.sh` leaves, printed as a table.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.training import batch_of
from lift.config import Config, load_all
from lift.config.load import Reader
from lift.files import write_json
from lift.models.interface import Interpolator
from lift.models.registry import build

PARAMS, PROFILE = Path("params.yaml"), "quarter"
YARDSTICK = "rife_v4"
SIZES = ((256, 448), (480, 854), (720, 1280), (1080, 1920))
LEFT_OUT, TIMED = 2, 5
AGAIN = 4.0  # seconds kept for the yardstick's second turn
MIB = 2**20


def main(out: str, end: str = "inf") -> None:
    """Measure every model of the profile, then every further ablation, as far as the time goes."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    configs = methods()
    rows: list[dict[str, Any]] = []
    found = {"device": torch.cuda.get_device_name() if device.type == "cuda" else "cpu", "rows": rows}

    def measure(name: str, until: float) -> None:
        first = len(rows)
        for row in _rows(configs[name], device, until):
            rows.append({"method": name, **row})
            write_json(Path(out), found, sort=False)
        shown = (f"{row['size']} {row['precision']}: {row.get('ms', row.get('why'))}" for row in rows[first:])
        print(f"speed: {name}:", *shown, flush=True)

    last = float(end) - AGAIN
    for name in configs:
        if time.time() >= last:
            print(f"speed: the time is over before {name}", flush=True)
            break
        measure(name, last)
    measure(YARDSTICK, float(end))


def table(path: Path) -> str:
    """Return the rows of a file as a table in Markdown: milliseconds (MiB) of a frame by size."""
    found = json.loads(path.read_text(encoding="utf-8"))
    found = found.get("speed", found)
    sizes = [f"{height}x{width}" for height, width in SIZES]
    turns: list[dict[str, str]] = []
    for row in found["rows"]:
        own = {"method": row["method"], "bits": row["precision"]}
        free = [turn for turn in turns if own.items() <= turn.items() and row["size"] not in turn]
        turns += [] if free else [own]
        shown = f"{row['ms']:.1f} ({row['peak_mib']:.0f})" if "peak_mib" in row else str(row.get("ms", "-"))
        (free or turns)[-1][row["size"]] = shown
    lines = [f"{found['device']}: milliseconds of a frame (MiB at most)", ""]
    lines += ["| method | bits | " + " | ".join(sizes) + " |", "| --- | ---: |" + " ---: |" * len(sizes)]
    for turn in turns:
        cells = [turn["method"], turn["bits"], *(turn.get(size, "") for size in sizes)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def methods() -> dict[str, Config]:
    """Return what is measured, in order; of ablations that compute the same, the first."""
    _, listed = load_all(PARAMS, PROFILE)
    reader = Reader(PARAMS, PROFILE)
    further = {name: reader.trained(name) for name in reader.ablations if name not in listed}
    ordered = {YARDSTICK: listed[YARDSTICK], **listed, **further}
    known, found = set(), {}
    for name, config in ordered.items():
        computes = json.dumps([config.described()["model"], len(config.clip.offsets), config.clip.task])
        if computes not in known:
            known.add(computes)
            found[name] = config
    return found


def _rows(config: Config, device: torch.device, end: float) -> Iterator[dict[str, Any]]:
    model = build(config.model, task=config.clip.task, seed=1, pretrained=False)
    model = model.channels_last().to(device).eval()
    halves = {"32": None, "16": torch.float16} if device.type == "cuda" else {"32": None}
    for size in SIZES if device.type == "cuda" else SIZES[:1]:
        for precision, half in halves.items():
            if time.time() >= end:
                return
            row: dict[str, Any] = {"size": f"{size[0]}x{size[1]}", "precision": precision}
            try:
                yield {**row, **_measured(model, config, size, device, half, end)}
            except torch.OutOfMemoryError as error:
                yield {**row, "why": str(error).splitlines()[0]}
                torch.cuda.empty_cache()


def _measured(
    model: Interpolator,
    config: Config,
    size: tuple[int, int],
    device: torch.device,
    half: torch.dtype | None,
    end: float,
) -> dict[str, float]:
    batch = batch_of(config, 1, 16)
    frames = torch.rand(1, len(config.clip.offsets), 3, *size).to(device)
    given = (frames, batch["offsets"].to(device), batch["valid"].to(device))
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    milliseconds = []
    with (
        torch.inference_mode(),
        torch.autocast(device.type, half or torch.bfloat16, enabled=half is not None),
    ):
        for _ in range(LEFT_OUT + TIMED):
            before = time.perf_counter()
            model(*given)
            if device.type == "cuda":
                torch.cuda.synchronize()
            milliseconds.append(1e3 * (time.perf_counter() - before))
            if time.time() >= end:
                break
    found = {
        "ms": round(median(milliseconds[LEFT_OUT:] or milliseconds), 3),
        "timed": len(milliseconds[LEFT_OUT:]),
    }
    if device.type == "cuda":
        found["peak_mib"] = round(torch.cuda.max_memory_allocated() / MIB, 1)
    return found


if __name__ == "__main__":
    if sys.argv[2:] == ["table"]:
        print(table(Path(sys.argv[1])))
    else:
        main(*sys.argv[1:])
