"""What frames beyond the references give to a motion search: `python -m benchmarks.search [OUT]`.

The model `matched` before its first step is the search (lift/models/search.py) and the formula of
agreement.py, so nothing here depends on a training. It sees the references alone, a dense window and a
uniform one, on procedural scenes of each kind (trials.yaml: `render` and `scenes_per_kind`; seeds that no
training draws) and, where OUT holds the clips of `benchmarks.trials`, on real footage. Gains are means over
scenes or videos with 95 % intervals (normal approximation); EPE is in pixels of the full resolution, where
visible.
"""

import math
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.trials import HERE, PARAMS, TESTS
from lift.config import load
from lift.config.yaml12 import read
from lift.data.dataset import ClipDataset
from lift.metrics import epe, full_size, psnr
from lift.models import Interpolator, build
from lift.scenes import KINDS, make
from lift.seeds import derive

WINDOWS = {"references": (-1, 1), "dense": (-2, -1, 1, 2), "uniform": (-3, -1, 1, 3)}
MIDDLE = 10.0  # time of the missing frame, as in the demo's scenes


def main(out: Path | None) -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    settings = read(HERE / "trials.yaml")
    model = build(load(PARAMS, "demo", "matched").model).eval()
    print("| clips | n | references, dB | dense | uniform | EPE, references | dense | uniform |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for kind in KINDS:
        values = [scene(model, settings, kind, index) for index in range(settings["scenes_per_kind"])]
        print(row(f"scenes, {kind}", values), flush=True)
    for name in TESTS if out is not None else ():
        assert out is not None
        print(row(name, real(model, out / name)), flush=True)


def scene(model: Interpolator, settings: dict[str, Any], kind: str, index: int) -> list[float]:
    """Give PSNR with each window, then EPE."""
    render = settings["render"]
    seed = derive(settings["seed"], "search", kind, index)
    made = make(seed, kind, tuple(render["size"]), tuple(render["speed"]))
    frames = {offset: _tensor(made.render(MIDDLE + offset)) for offset in range(-3, 4)}
    truths = [made.truth(MIDDLE, MIDDLE + side) for side in (-1, 1)]
    flow = torch.from_numpy(np.concatenate([truth.flow for truth in truths]))
    visible = torch.from_numpy(np.stack([truth.visible for truth in truths]))
    outputs = [run(model, torch.stack([frames[o] for o in window]), window) for window in WINDOWS.values()]
    quality = [psnr(frame, frames[0], data_range=1.0) for frame, _ in outputs]
    return [
        *quality,
        *(epe(full_size(found, (flow.shape[1], flow.shape[2])), flow, visible) for _, found in outputs),
    ]


def real(model: Interpolator, folder: Path) -> list[list[float]]:
    """Give PSNR with each window, mean over a video's clips, for each video."""
    columns = []
    for window in WINDOWS.values():
        clips, found = ClipDataset(folder, window), defaultdict(list)
        for index, line in enumerate(clips.rows):
            frame, _ = run(model, clips[index]["frames"], window)
            found[line.video].append(psnr(frame, torch.as_tensor(clips[index]["target"]), data_range=1.0))
        columns.append([float(np.mean(found[video])) for video in sorted(found)])
    return [list(values) for values in zip(*columns, strict=True)]


def run(model: Interpolator, frames: Tensor, window: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Predict from frames (T, 3, H, W): the frame, and the flow (4, h, w)."""
    times = torch.tensor([window]).float()
    with torch.inference_mode():
        output = model(torch.as_tensor(frames)[None], times, torch.ones_like(times).bool())
    assert output.flow is not None
    return output.frame[0], output.flow[0]


def row(title: str, values: list[list[float]]) -> str:
    """Lay out a line: the references' PSNR and the others' gains, then EPE, where it is known."""
    table = np.array(values)
    cells = [title, str(len(table)), f"{table[:, 0].mean():.2f}"]
    for column in (1, 2):
        gain = table[:, column] - table[:, 0]
        cells.append(f"{gain.mean():+.2f} ± {1.96 * gain.std(ddof=1) / math.sqrt(len(gain)):.2f}")
    cells += [f"{value:.2f}" for value in table[:, 3:].mean(axis=0)] or ["", "", ""]
    return "| " + " | ".join(cells) + " |"


def _tensor(pixels: Any) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1).float() / 255


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
