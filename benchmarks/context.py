"""What a trained LIFT does with its context: `python -m benchmarks.context MODELS CLIPS [ABLATION ...]`.

MODELS holds `<ablation>/best.safetensors` and CLIPS the sets of clips (data/demo/models, data/demo/clips).
Each intervention takes something from the context and leaves the references alone, so that what it costs is
what the context gave:

- order: the context frames change places, their times stay;
- strangers: the context frames are those of another clip;
- references only: the context frames are masked, as where footage lacks them;
- zeros: F_ctx is 0;
- true motion: the scenes' own flow and visibility in the flow estimator's place (sets with truth only): what
  perfect motion, from whatever context, could give to the stages behind it.

First, true motion in models before their first step, whose stages 4 and 5 then are the warp and the blend
alone: what the specification's way through a quarter of the resolution costs, and what `aligned` keeps.

Beside PSNR stands how far the frame moves from the uncut model's, mean absolute difference in 0-255 units:
0.5 is what rounding to bytes can hide. Looks at: the share of α and of attention (of the references' tokens,
mean over layers, heads and patches) that falls on other frames than the references, beside the share that
equal weights would give.
"""

import statistics
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lift import weights
from lift.config import load
from lift.config.restore import restore
from lift.data.dataset import ClipDataset
from lift.metrics import psnr
from lift.models import build
from lift.models.lift import Lift
from lift.models.transformer import TemporalAttention
from lift.ops.pad import pad_to_multiple
from lift.ops.resize import resize
from lift.seeds import generator

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
SETS = ("davis", "ucf101", "scenes")
TRUE = "scenes"  # the set with truth
UNTRAINED = ("lift15", "aligned", "matched")
NEAR = 1  # |offset| of the references
HIDDEN = 0.01  # weight of a reference in which a pixel is hidden, so that hidden in both is the average
Item = dict[str, Any]


def main(models: Path, clips: Path, names: list[str]) -> None:
    """Print a table per ablation."""
    torch.set_num_threads(1)
    print("| clips | before the first step | own motion, dB | true motion, dB |\n| --- | --- | ---: | ---: |")
    for name in UNTRAINED:
        print(f"| {TRUE} | {name} | {ceiling(name, clips / TRUE)} |", flush=True)
    for name in names or sorted(path.parent.name for path in models.glob("*/best.safetensors")):
        model, offsets = opened(models / name / "best.safetensors")
        if not isinstance(model, Lift) or model.context is None or len(offsets) == 2:
            continue
        print(f"\n{name}: {len(offsets)} frames\n\n| clips | intervention | PSNR, dB | gain | moved, 0-255 |")
        print("| --- | --- | ---: | ---: | ---: |")
        looked = []
        for key in SETS:
            found = ClipDataset(clips / key, offsets)
            looked.append(f"{key}: {looks(model, found)}")
            for line in rows(model, found):
                print(f"| {key} ({len(found)}) | {line} |", flush=True)
        print("\nLooks at other frames than the references. " + "; ".join(looked) + ".", flush=True)


def opened(path: Path) -> tuple[nn.Module, tuple[int, ...]]:
    """Give a model and its window."""
    header = weights.read_config(path)
    clip, described = restore(path, header)
    model = build(described, pretrained=False)
    weights.load(path, model, header)
    return model.eval(), clip.offsets


def ceiling(name: str, folder: Path) -> str:
    """Give an untrained model's PSNR, and that with true motion."""
    config = load(PARAMS, "demo", name)
    model, clips = build(config.model).eval(), ClipDataset(folder, config.clip.offsets)
    assert isinstance(model, Lift)
    own, true = [], []
    for index in range(len(clips)):
        item, truth = clips[index], clips.truth(index)
        assert truth is not None
        own.append(psnr(predicted(model, item), item["target"], data_range=1.0))
        with true_motion(model, *truth):
            true.append(psnr(predicted(model, item), item["target"], data_range=1.0))
    return f"{statistics.fmean(own):.2f} | {statistics.fmean(true):.2f}"


def rows(model: Lift, clips: ClipDataset) -> Iterator[str]:
    """Give a line of the table for each intervention."""
    items = [clips[index] for index in range(len(clips))]
    whole = [predicted(model, item) for item in items]
    exact = [psnr(a, item["target"], data_range=1.0) for a, item in zip(whole, items, strict=True)]
    yield f"none | {statistics.fmean(exact):.3f} | | "
    for name, change in INTERVENTIONS.items():
        yield _line(
            name, whole, exact, items, [predicted(model, change(items, i)) for i in range(len(items))]
        )
    with zero_context(model):
        yield _line("zeros", whole, exact, items, [predicted(model, item) for item in items])
    truths = [clips.truth(index) for index in range(len(clips))]
    if all(truth is not None for truth in truths):
        frames = []
        for item, truth in zip(items, truths, strict=True):
            assert truth is not None
            with true_motion(model, *truth):
                frames.append(predicted(model, item))
        yield _line("true motion", whole, exact, items, frames)


def _line(name: str, whole: list[Tensor], exact: list[float], items: list[Item], frames: list[Tensor]) -> str:
    values = [psnr(a, item["target"], data_range=1.0) for a, item in zip(frames, items, strict=True)]
    gains = np.subtract(values, exact)
    moved = statistics.fmean(255 * float((a - b).abs().mean()) for a, b in zip(frames, whole, strict=True))
    error = 1.96 * float(gains.std(ddof=1)) / len(gains) ** 0.5
    return f"{name} | {statistics.fmean(values):.3f} | {gains.mean():+.3f} ± {error:.3f} | {moved:.3f}"


def predicted(model: nn.Module, item: Item) -> Tensor:
    """Run the model on a clip; (3, H, W)."""
    with torch.inference_mode():
        frame: Tensor = model(*(item[key][None] for key in ("frames", "offsets", "valid"))).frame[0]
    return frame


def reordered(items: list[Item], index: int) -> Item:
    """Let the present context frames change places."""
    item = items[index]
    places = (item["valid"] & (item["offsets"].abs() != NEAR)).nonzero().flatten()
    order = places[torch.from_numpy(generator(index, "order").permutation(len(places)))]
    frames = item["frames"].clone()
    frames[places] = item["frames"][order]
    return {**item, "frames": frames}


def strange(items: list[Item], index: int) -> Item:
    """Take the context frames of the next clip of the same size."""
    item = items[index]
    others = (items[(index + step) % len(items)] for step in range(1, len(items) + 1))
    other = next(o for o in others if o["frames"].shape == item["frames"].shape)
    far = (item["offsets"].abs() != NEAR)[:, None, None, None]
    return {
        **item,
        "frames": torch.where(far, other["frames"], item["frames"]),
        "valid": torch.where(far.flatten(), other["valid"], item["valid"]),
    }


def alone(items: list[Item], index: int) -> Item:
    """Mask all frames but the references."""
    item = items[index]
    return {**item, "valid": item["valid"] & (item["offsets"].abs() == NEAR)}


INTERVENTIONS: Mapping[str, Callable[[list[Item], int], Item]] = {
    "order": reordered,
    "strangers": strange,
    "references only": alone,
}


@contextmanager
def zero_context(model: Lift) -> Iterator[None]:
    """Make F_ctx zero within the block."""
    assert model.context is not None
    handle = model.context.register_forward_hook(lambda m, given, got: (torch.zeros_like(got[0]), got[1]))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def true_motion(model: Lift, flow: Any, visible: Any) -> Iterator[None]:
    """Put a clip's flow (4, H, W) and visibility (2, H, W) in the estimator's place within the block."""
    maps = torch.cat((torch.as_tensor(flow), torch.as_tensor(visible).float()))[None]
    padded, _ = pad_to_multiple(maps, model.multiple)

    def replace(module: nn.Module, given: Any, got: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        small = resize(padded, got[0].shape[3] / padded.shape[3])
        scale = padded.shape[3] // got[0].shape[3]
        return small[:, :4] / scale, small[:, 4:].clamp(min=HIDDEN)

    handle = model.flow.register_forward_hook(replace)
    try:
        yield
    finally:
        handle.remove()


def looks(model: Lift, clips: ClipDataset) -> str:
    """Say which share of α and of the references' attention falls on other frames, beside equal weights'."""
    shares: dict[str, list[float]] = {"α": [], "attention": [], "equal": []}
    for index in range(len(clips)):
        item = clips[index]
        present = item["offsets"][item["valid"]]
        far = present.abs() != NEAR
        with torch.inference_mode(), attention(model) as seen:
            output = model(*(item[key][None] for key in ("frames", "offsets", "valid")))
        shares["equal"].append(float(far.float().mean()))
        shares["α"].append(float(output.weights[0, item["valid"]][far].sum()))
        shares["attention"] += [float(mass[~far][:, far].sum(dim=1).mean()) for mass in seen]
    return ", ".join(f"{key} {statistics.fmean(values):.3f}" for key, values in shares.items() if values)


@contextmanager
def attention(model: Lift) -> Iterator[list[Tensor]]:
    """Collect each layer's attention (V, V), query by key, mean over heads and patches, within the block.

    One sample with all its ranks present, full attention.
    """
    seen: list[Tensor] = []

    def record(module: nn.Module, given: tuple[Tensor, Tensor], got: Tensor) -> None:
        assert isinstance(module, TemporalAttention)
        tokens = given[0][0].transpose(0, 1)  # (L, V, D)
        q, k, _ = module.query_key_value(module.norm(tokens)).unflatten(-1, (3, module.heads, -1)).unbind(2)
        logits = torch.einsum("lqhd,lkhd->lhqk", q, k) / q.shape[-1] ** 0.5
        seen.append(logits.softmax(dim=-1).mean(dim=(0, 1)))

    layers = [m for m in model.modules() if isinstance(m, TemporalAttention) and m.window is None]
    handles = [layer.register_forward_hook(record) for layer in layers]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
