"""What a model is made of and whether it has the specification's shapes: `python -m lift.models`.

The shapes that are expected stand here as the specification has them (sections 3 and 8) and are not taken
from the model.

Legend: B clips, T context frames, H and W the frames' size, a multiple of the model's; C1 … C16
`model.widths`.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from lift.config import Config, Phase
from lift.config.abilities import ABILITIES
from lift.models.cost import MIB, parameters, peak_memory, peak_training_memory
from lift.models.interface import Interpolator

Shape = tuple[int, ...]
STAGES = {
    "encoder": "1 encoder",
    "context": "2 temporal transformer",
    "flow": "3 flow and occlusion",
    "synthesis": "4 coarse frame",
    "refiner": "5 full resolution",
    "aligned_refiner": "4 and 5, aligned",
}
"""LIFT's parts under their names in the model's figure; another model's parts keep the code's."""
TIMED = 3  # passes, after one that is not counted
ONE = 1e-5  # how far a sum of float32 weights may lie from it


def clip_of(config: Config, batch: int, size: tuple[int, int]) -> dict[str, Tensor]:
    """Make a batch of noise through the configuration's window.

    Args:
        config: Of the model.
        batch: Clips, B.
        size: H and W.

    Returns:
        frames (B, T, 3, H, W), offsets (B, T), valid (B, T) and target (B, 3, H, W), in the model's order.
    """
    generator = torch.Generator().manual_seed(config.seed)
    offsets = torch.tensor([config.clip.offsets], dtype=torch.float32).repeat(batch, 1)
    return {
        "frames": torch.rand(batch, offsets.shape[1], 3, *size, generator=generator),
        "offsets": offsets,
        "valid": torch.ones_like(offsets).bool(),
        "target": torch.rand(batch, 3, *size, generator=generator),
    }


def expected(config: Config, batch: int, size: tuple[int, int]) -> dict[str, Shape]:
    """Give the shape that the specification prescribes for each output, and for each stage's of LIFT."""
    model, (height, width), frames = config.model, size, len(config.clip.offsets)
    quarter, c1, _, c4, c8, c16 = (-(-height // 4), -(-width // 4)), *model.widths
    shapes: dict[str, Shape] = {"frame": (batch, 3, *size)}
    if ABILITIES[model.name].flow:
        shapes["flow"] = (batch, 4, *quarter)
    if model.name != "lift":
        return shapes
    shapes |= dict.fromkeys(("coarse", "blend"), (batch, 3, *quarter))
    shapes |= {"occlusion": (batch, 2, *quarter)}
    for name, channels, scale in (("s1", c1, 1), ("s4", c4, 4), ("s8", c8, 8)):
        shapes[f"encoder.{name}"] = (2 * batch, channels, height // scale, width // scale)
    if model.use_context:
        shapes["weights"] = (batch, frames)
        shapes["encoder.s16"] = (batch * frames, c16, height // 16, width // 16)
        shapes["context.F_ctx"] = (batch, c16, height // 16, width // 16)
        shapes["context.α"] = (batch, frames)
    fine = 2 if model.flow == "matching" else 4  # matching ends at s2
    shapes["flow.flow"] = (batch, 4, height // fine, width // fine)
    shapes["flow.occlusion"] = (batch, 2, height // fine, width // fine)
    if model.refinement == "aligned":
        shapes["aligned_refiner.frame"] = (batch, 3, *size)
        shapes["aligned_refiner.coarse"] = (batch, 3, height // 4, width // 4)
    else:
        shapes |= dict.fromkeys(("synthesis.coarse", "synthesis.blend"), (batch, 3, height // 4, width // 4))
        shapes["refiner"] = (batch, 3, *size)
    return shapes


PARTS = {
    "context": ("F_ctx", "α"),
    "flow": ("flow", "occlusion"),
    "synthesis": ("coarse", "blend"),
    "aligned_refiner": ("frame", "coarse", "blend"),
}
"""Names of the tensors that a stage returns as a plain tuple."""


def found(model: Interpolator, clip: Mapping[str, Tensor]) -> tuple[dict[str, Shape], list[str]]:
    """Predict once and look at each output, and at what each part of the model returns.

    Returns:
        Shapes by name, and what is wrong with the values, in words.
    """
    seen: dict[str, list[Any]] = {}

    def watch(name: str) -> Callable[..., None]:
        return lambda module, given, result: seen.setdefault(name, []).append(result)

    hooks = [part.register_forward_hook(watch(name)) for name, part in model.named_children()]
    model.eval()
    with torch.no_grad():
        output = model(clip["frames"], clip["offsets"], clip["valid"])
    for hook in hooks:
        hook.remove()
    tensors = {name: value for name, value in output._asdict().items() if isinstance(value, Tensor)}
    faults = [f"{name}: not finite" for name, value in tensors.items() if not bool(value.isfinite().all())]
    if float(output.frame.min()) < 0 or float(output.frame.max()) > 1:
        faults.append("frame: outside [0, 1]")
    if output.weights is not None and bool(((output.weights.sum(1) - 1).abs() > ONE).any()):
        faults.append("weights: α does not sum to 1")
    for name, (value, *_) in seen.items():  # LIFT's encoder sees the references first, then all others
        tensors |= _named(name, value)
    shapes = {name: tuple(value.shape) for name, value in tensors.items()}
    if "encoder.s16" in shapes:
        count = sum(len(pyramid.s16) for pyramid in seen["encoder"])
        shapes["encoder.s16"] = (count, *shapes["encoder.s16"][1:])
    return shapes, faults


def _named(part: str, value: Any) -> dict[str, Tensor]:
    """Name the tensors that a part returned."""
    if isinstance(value, Tensor):
        return {part: value}
    if hasattr(value, "_asdict"):
        return {f"{part}.{key}": each for key, each in value._asdict().items() if isinstance(each, Tensor)}
    if isinstance(value, tuple | list):
        names = PARTS.get(part, tuple(map(str, range(len(value)))))
        pairs = zip(names, value, strict=False)
        return {f"{part}.{key}": each for key, each in pairs if isinstance(each, Tensor)}
    return {}


def counted(model: Interpolator) -> dict[str, int]:
    """Count the parameters of each stage of the figure, in its order."""
    sums: dict[str, int] = {}
    for name, part in model.named_children():
        title = STAGES.get(name, name) + (" (training alone)" if name in model.training_only else "")
        sums[title] = sum(parameter.numel() for parameter in part.parameters())
    own = sum(p.numel() for name, p in model.named_parameters() if "." not in name)
    return sums | ({"outside of any part": own} if own else {})


def frozen(model: Interpolator, phase: Phase) -> list[tuple[int, int]]:
    """Count what is frozen over a training phase.

    Args:
        model: With its pretrained weights, or without where the file is not here: then of what it replaces.
        phase: With `freeze` and `thaw`.

    Returns:
        (epoch of the phase from 0, frozen parameters), one for each change.
    """
    stages = model.by_stage(model.loaded or model.loadable) if model.freezable else ()
    own = dict(model.named_parameters())
    sizes = [sum(own[name].numel() for name in stage) for stage in stages]
    changes: list[tuple[int, int]] = []
    for epoch in range(phase.epochs):
        count = sum(sizes[: phase.frozen(len(sizes), epoch)])
        if not changes or changes[-1][1] != count:
            changes.append((epoch, count))
    return changes


class Step:
    """A training step of the model on one batch: forward, backward, AdamW."""

    def __init__(self, model: Interpolator, clip: Mapping[str, Tensor]) -> None:
        """Make the optimiser."""
        self._model, self._clip = model, clip
        self._optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)

    def passes(self) -> None:
        """Do the forward and the backward pass."""
        self._model.train()
        output = self._model(*(self._clip[key] for key in ("frames", "offsets", "valid", "target")))
        loss = (output.frame - self._clip["target"]).abs().mean()
        torch.autograd.backward(loss + sum((output.auxiliary or {}).values(), loss.new_zeros(())))

    def __call__(self) -> None:
        """Take the step; the rate is 0 and the weights stay as they are."""
        self.passes()
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)


def without_gradient(model: Interpolator, clip: Mapping[str, Tensor]) -> list[str]:
    """Name the parameters that a training step does not reach: they would never learn."""
    model.zero_grad(set_to_none=True)
    Step(model, clip).passes()
    unreached = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    model.zero_grad(set_to_none=True)
    return unreached


def memory(model: Interpolator, clip: Mapping[str, Tensor]) -> dict[str, float]:
    """Give the MiB that tensors hold at once in a prediction and in a training step, weights included.

    A property of model and size, the same on every machine; on a GPU what its allocator counts.
    """
    given = (clip["frames"], clip["offsets"], clip["valid"])
    step = Step(model, clip)
    if clip["frames"].is_cuda:
        taken = {}
        for name, run in (("prediction", partial(_predict, model, given)), ("training step", step.__call__)):
            torch.cuda.reset_peak_memory_stats()
            run()
            taken[name] = torch.cuda.max_memory_allocated() / MIB
        return taken
    return {
        "prediction": peak_memory(model.eval(), given) / MIB,
        "training step": peak_training_memory(model, step) / MIB,
    }


def milliseconds(model: Interpolator, clip: Mapping[str, Tensor]) -> dict[str, float]:
    """Time a prediction and a training step on this machine: medians of wall time."""
    given, step = (clip["frames"], clip["offsets"], clip["valid"]), Step(model, clip)
    return {"prediction": _timed(lambda: _predict(model, given)), "training step": _timed(step)}


def _predict(model: nn.Module, given: tuple[Tensor, ...]) -> None:
    model.eval()
    with torch.no_grad():
        model(*given)


def _timed(run: Callable[[], None]) -> float:
    times: list[float] = []
    for _ in range(TIMED + 1):
        start = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


def report(
    config: Config, model: Interpolator, clip: Mapping[str, Tensor], *, measure: bool = True
) -> Iterator[str]:
    """Check one model and say what it is, line by line; a line that starts with `FAULT` is a fault.

    Args:
        config: That it was built from.
        model: With its pretrained weights where their file is here.
        clip: As `clip_of` makes it, on the model's device.
        measure: Take memory and time as well.
    """
    batch, frames, _, height, width = clip["frames"].shape
    window = " ".join(f"{offset:+d}" for offset in config.clip.offsets)
    name = config.ablation or "base"
    yield f"{name} of profile {config.profile}: {config.model.name} to {config.clip.task}"
    yield f"  input: {batch} clips of {frames} frames of {height}x{width}; offsets {window}"
    every = sum(parameter.numel() for parameter in model.parameters())
    yield f"  parameters: {every:,}; {parameters(model):,} make a frame"
    for title, count in counted(model).items():
        yield f"    {title:32} {count:>12,}"
    yield from _phases(config, model, every)
    shapes, faults = found(model, clip)
    wanted = expected(config, batch, (height, width))
    yield "  outputs:"
    for part, shape in shapes.items():
        told = "" if part not in wanted else "as specified" if wanted[part] == shape else "NOT as specified"
        yield f"    {part:32} {'x'.join(map(str, shape)):>20}  {told}".rstrip()
    faults += [
        f"{part}: {shapes.get(part, 'no such output')}, expected {shape}"
        for part, shape in wanted.items()
        if shapes.get(part) != shape
    ]
    unreached = without_gradient(model, clip)
    if unreached:
        faults.append(f"{len(unreached)} parameters get no gradient: {', '.join(unreached[:5])} …")
    if measure:
        where = "GPU allocator" if clip["frames"].is_cuda else "tensors held at once"
        taken = ", ".join(f"{what} {mib:,.0f} MiB" for what, mib in memory(model, clip).items())
        yield f"  memory ({where}): {taken}"
        where = "GPU" if clip["frames"].is_cuda else f"{torch.get_num_threads()} CPU threads"
        taken = ", ".join(f"{what} {ms:,.0f} ms" for what, ms in milliseconds(model, clip).items())
        yield f"  time ({where}): {taken}"
    yield from (f"FAULT {name}: {fault}" for fault in faults)


def _phases(config: Config, model: Interpolator, every: int) -> Iterator[str]:
    if model.freezable and model.loadable and not model.loaded and config.model.start is not None:
        yield f"  {config.model.start} is not here: what it would load counts as loaded"
    first = 1
    for number, phase in enumerate(config.train.phases, 1):
        yield f"  phase {number}, epochs {first} to {first + phase.epochs - 1}:"
        for epoch, count in frozen(model, phase):
            yield f"    from epoch {first + epoch:<3} {every - count:>12,} train, {count:>12,} frozen"
        first += phase.epochs
