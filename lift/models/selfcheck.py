"""What a model is made of and whether it is the specification's: `python -m lift.models`."""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from lift.config import Config, Phase
from lift.models.cost import MIB, parameters, peak_memory
from lift.models.interface import Interpolator
from lift.models.shapes import expected, found

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
    """Return the MiB that tensors hold at once in a prediction and in a training step, weights included.

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
        "prediction": peak_memory(model, partial(_predict, model, given), given) / MIB,
        "training step": peak_memory(model, step) / MIB,
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
    name = config.method or "base"
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
    learns = any(True for _ in model.parameters())  # LIFT on RIFE may have nothing learnt of its own
    unreached = without_gradient(model, clip) if learns else []
    if unreached:
        faults.append(f"{len(unreached)} parameters get no gradient: {', '.join(unreached[:5])} …")
    if not learns:
        yield "  nothing to train, so no training step is measured (python -m benchmarks.cost: a prediction)"
    elif measure:
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
