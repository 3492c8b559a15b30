"""Check a model: `python -m lift.models [NAME …] [--profile demo] [--size 256x256] [--batch 2]`.

Builds the model of a method (without NAME: the first that the profile trains; `all`: every ablation and what
is released), prints its parameters, by stage and as phases freeze them, the shape of every output, memory and
time; exits with 1 where a shape is not the specification's, a value is not finite, or a parameter would never
learn.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lift.config import Config, Phase, load, load_all
from lift.config.checks import named
from lift.config.parse import check_known
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.files import ROOT
from lift.models.cost import MIB, parameters, peak_memory
from lift.models.interface import Interpolator
from lift.models.registry import build

PARAMS = ROOT / "params.yaml"
STAGES = {
    "encoder": "1 encoder",
    "context": "2 temporal transformer",
    "flow": "3 flow and occlusion",
    "synthesis": "4 coarse frame",
    "refiner": "5 full resolution",
    "aligned_refiner": "4 and 5, aligned",
}
"""LIFT's parts under their names in the model's figure; another model's parts keep the code's."""
PARTS = {
    "context": ("F_ctx", "α"),
    "flow": ("flow", "occlusion"),
    "synthesis": ("coarse", "blend"),
    "aligned_refiner": ("frame", "coarse", "blend"),
}
"""Names of the tensors that a stage returns as a plain tuple."""
TIMED = 3  # passes, after one that is not counted
ONE = 1e-5  # how far a sum of float32 weights may lie from it
Shapes = dict[str, tuple[int, ...]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks that the command line asks for; return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        base, _ = load_all(PARAMS, asked.profile)
        known = (*named(read(PARAMS), "ablations"), *base.released)
        names = known if asked.names == ["all"] else asked.names or base.ablations[:1]
        for name in names:
            check_known(name, known, "ablations", "no such method")
        faults = sum(_check(load(PARAMS, asked.profile, name), asked) for name in names)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    told = "all shapes are the specification's" if not faults else f"faults: {faults}"
    sys.stdout.write(f"models checked: {len(names)}; {told}\n")
    return int(faults > 0)


def _check(config: Config, asked: argparse.Namespace) -> int:
    start = config.model.start
    there = start is not None and start.is_file()
    model = build(config.model, task=config.clip.task, seed=config.seed, pretrained=there).to(asked.device)
    height, width = (model.multiple * -(-side // model.multiple) for side in asked.size)
    clip = {key: part.to(asked.device) for key, part in clip_of(config, asked.batch, (height, width)).items()}
    faults = 0
    for line in report(config, model, clip, measure=not asked.quick):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        faults += line.startswith("FAULT")
    return faults


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lift.models", description=(__doc__ or "").partition("\n\n")[2]
    )
    add, gpu = parser.add_argument, torch.cuda.is_available()
    told = "a method of params.yaml; all: every one (default: the first that the profile trains)"
    add("names", nargs="*", metavar="NAME", help=told)
    add("--profile", default="demo", help="whose widths (default demo; thesis: the specification's)")
    told = "HxW of the frames (default 256x256), rounded up to what the model pads to"
    add("--size", type=_size, default=(256, 256), help=told)
    add("--batch", type=int, default=2, help="clips (default 2)")
    add("--quick", action="store_true", help="neither memory nor time")
    add("--device", type=torch.device, default="cuda" if gpu else "cpu", help="cpu or cuda")
    return parser


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit() and min(int(height), int(width)) > 0):
        raise argparse.ArgumentTypeError(f"{text}: expected height x width, such as 256x448")
    return int(height), int(width)


def clip_of(config: Config, batch: int, size: tuple[int, int]) -> dict[str, Tensor]:
    """Make a batch of noise through the configuration's window: a model's arguments by name."""
    generator = torch.Generator().manual_seed(config.seed)
    offsets = torch.tensor([config.clip.offsets], dtype=torch.float32).repeat(batch, 1)
    return {
        "frames": torch.rand(batch, offsets.shape[1], 3, *size, generator=generator),
        "offsets": offsets,
        "valid": torch.ones_like(offsets).bool(),
        "target": torch.rand(batch, 3, *size, generator=generator),
    }


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

    shapes, faults = _found(model, clip)
    wanted = expected(config, batch, (height, width))
    yield "  outputs:"
    for part, shape in shapes.items():
        told = "" if part not in wanted else "as specified" if wanted[part] == shape else "NOT as specified"
        yield f"    {part:32} {'x'.join(map(str, shape)):>20}  {told}".rstrip()
    for part, shape in wanted.items():
        if shapes.get(part) != shape:
            faults.append(f"{part}: {shapes.get(part, 'no such output')}, expected {shape}")
    if every:
        model.zero_grad(set_to_none=True)
        _backward(model, clip)
        unreached = [own for own, parameter in model.named_parameters() if parameter.grad is None]
        model.zero_grad(set_to_none=True)
        if unreached:
            faults.append(f"{len(unreached)} parameters get no gradient: {', '.join(unreached[:5])} …")
        if measure:
            yield from _measured(model, clip)
    else:  # LIFT on RIFE may have nothing learnt of its own
        yield "  nothing to train, so no training step is measured (python -m benchmarks.cost: a prediction)"
    yield from (f"FAULT {name}: {fault}" for fault in faults)


def counted(model: Interpolator) -> dict[str, int]:
    """Count the parameters of each stage of the figure, in its order."""
    sums: dict[str, int] = {}
    for name, part in model.named_children():
        title = STAGES.get(name, name) + (" (training alone)" if name in model.training_only else "")
        sums[title] = sum(parameter.numel() for parameter in part.parameters())
    return sums


def _phases(config: Config, model: Interpolator, every: int) -> Iterator[str]:
    if model.loadable and not model.loaded and config.model.start is not None:
        yield f"  {config.model.start} is not here: what it would load counts as loaded"
    first = 1
    for number, phase in enumerate(config.train.phases, 1):
        yield f"  phase {number}, epochs {first} to {first + phase.epochs - 1}:"
        for epoch, count in frozen(model, phase):
            yield f"    from epoch {first + epoch:<3} {every - count:>12,} train, {count:>12,} frozen"
        first += phase.epochs


def frozen(model: Interpolator, phase: Phase) -> list[tuple[int, int]]:
    """Count what is frozen over a training phase: (its epoch from 0, frozen parameters) for each change.

    Where the file of pretrained weights is not here, of what it would replace.
    """
    stages = model.by_stage(model.loaded or model.loadable)
    own = dict(model.named_parameters())
    sizes = [sum(own[name].numel() for name in stage) for stage in stages]
    counts = [sum(sizes[: phase.frozen(len(sizes), epoch)]) for epoch in range(phase.epochs)]
    return [(epoch, count) for epoch, count in enumerate(counts) if not epoch or count != counts[epoch - 1]]


def expected(config: Config, batch: int, size: tuple[int, int]) -> Shapes:
    """Return the shape that the specification prescribes for each output, and for each stage's of LIFT.

    They stand here as the specification has them (sections 3 and 8), not as the model gives them.
    """
    model, (height, width), frames = config.model, size, len(config.clip.offsets)
    quarter, c1, _, c4, c8, c16 = (-(-height // 4), -(-width // 4)), *model.widths
    shapes: Shapes = {"frame": (batch, 3, *size)}
    if model.family.estimates_flow:
        shapes["flow"] = (batch, 4, *quarter)
    if model.name != "lift":
        return shapes
    shapes |= {"occlusion": (batch, 2, *quarter)}
    if model.flow == "rife":  # specification section 3.7: motion and blend at full resolution
        shapes |= {"window.frame": (batch, 3, *size), "window.flow": (batch, 4, *size)}
    if model.refinement in ("none", "fusion"):  # neither encoder nor transformer
        return shapes
    shapes |= dict.fromkeys(("coarse", "blend"), (batch, 3, *quarter))
    for name, channels, scale in (("s1", c1, 1), ("s4", c4, 4), ("s8", c8, 8)):
        shapes[f"encoder.{name}"] = (2 * batch, channels, height // scale, width // scale)
    if model.use_context:
        shapes["alpha"] = (batch, frames)
        shapes["encoder.s16"] = (batch * frames, c16, height // 16, width // 16)
        shapes["context.F_ctx"] = (batch, c16, height // 16, width // 16)
        shapes["context.α"] = (batch, frames)
    fine = 2 if model.flow == "matching" else 4  # matching ends at s2
    if model.flow != "rife":
        shapes["flow.flow"] = (batch, 4, height // fine, width // fine)
        shapes["flow.occlusion"] = (batch, 2, height // fine, width // fine)
    if model.refinement == "aligned":
        shapes["aligned_refiner.frame"] = (batch, 3, *size)
        shapes["aligned_refiner.coarse"] = (batch, 3, height // 4, width // 4)
    else:
        shapes |= dict.fromkeys(("synthesis.coarse", "synthesis.blend"), (batch, 3, height // 4, width // 4))
        shapes["refiner"] = (batch, 3, *size)
    return shapes


def _found(model: Interpolator, clip: Mapping[str, Tensor]) -> tuple[Shapes, list[str]]:
    """Predict once; return the shape of each output and of what each part returns, and what is wrong."""
    seen: dict[str, list[Any]] = {}

    def watch(name: str) -> Callable[..., None]:
        return lambda module, given, result: seen.setdefault(name, []).append(result)

    hooks = [part.register_forward_hook(watch(name)) for name, part in model.named_children()]
    output = _predict(model, clip)
    for hook in hooks:
        hook.remove()
    tensors = _named("", output)
    faults = [f"{name}: not finite" for name, value in tensors.items() if not bool(value.isfinite().all())]
    if float(output.frame.min()) < 0 or float(output.frame.max()) > 1:
        faults.append("frame: outside [0, 1]")
    if output.alpha is not None and bool(((output.alpha.sum(1) - 1).abs() > ONE).any()):
        faults.append("alpha: α does not sum to 1")
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
    names = getattr(value, "_fields", PARTS.get(part, map(str, range(len(value)))))
    named = zip(names, value, strict=True)
    return {f"{part}.{key}".lstrip("."): each for key, each in named if isinstance(each, Tensor)}


def _predict(model: Interpolator, clip: Mapping[str, Tensor]) -> Any:
    model.eval()
    with torch.no_grad():
        return model(clip["frames"], clip["offsets"], clip["valid"])


def _backward(model: Interpolator, clip: Mapping[str, Tensor]) -> None:
    model.train()
    output = model(clip["frames"], clip["offsets"], clip["valid"], clip["target"])
    loss = (output.frame - clip["target"]).abs().mean()
    torch.autograd.backward(loss + sum((output.auxiliary or {}).values(), loss.new_zeros(())))


def _measured(model: Interpolator, clip: Mapping[str, Tensor]) -> Iterator[str]:
    """Say the memory and the time (median of wall time) that a prediction and a training step take.

    Memory is what tensors hold at once, weights included: a property of model and size, the same on every
    machine; on a GPU what its allocator counts.
    """
    gpu, given = clip["frames"].is_cuda, (clip["frames"], clip["offsets"], clip["valid"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0)  # weights stay as they are

    def predict() -> None:
        _predict(model, clip)

    def step() -> None:
        _backward(model, clip)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    runs = {"prediction": (predict, given), "training step": (step, ())}
    taken = []
    for name, (run, counts) in runs.items():
        if gpu:
            torch.cuda.reset_peak_memory_stats()
            run()
            most = torch.cuda.max_memory_allocated()
        else:
            most = peak_memory(model, run, counts)
        taken.append(f"{name} {most / MIB:,.0f} MiB")
    yield f"  memory ({'GPU allocator' if gpu else 'tensors held at once'}): {', '.join(taken)}"
    taken = [f"{name} {_milliseconds(run):,.0f} ms" for name, (run, _) in runs.items()]
    yield f"  time ({'GPU' if gpu else f'{torch.get_num_threads()} CPU threads'}): {', '.join(taken)}"


def _milliseconds(run: Callable[[], None]) -> float:
    times: list[float] = []
    for _ in range(TIMED + 1):
        start = time.perf_counter()
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times[1:])


if __name__ == "__main__":
    sys.exit(main())
