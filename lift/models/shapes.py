"""The shapes that a model's outputs should have, and those that they have.

The expected ones stand here as the specification has them (sections 3 and 8), not as the model gives them.

Legend: B clips, T context frames, H and W the frames' size, a multiple of the model's; C1 … C16
`model.widths`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lift.config import Config
from lift.models.interface import Interpolator

Shape = tuple[int, ...]
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
    """Return the shape that the specification prescribes for each output, and for each stage's of LIFT."""
    model, (height, width), frames = config.model, size, len(config.clip.offsets)
    quarter, c1, _, c4, c8, c16 = (-(-height // 4), -(-width // 4)), *model.widths
    shapes: dict[str, Shape] = {"frame": (batch, 3, *size)}
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
    if hasattr(value, "_asdict"):
        return {f"{part}.{key}": each for key, each in value._asdict().items() if isinstance(each, Tensor)}
    if isinstance(value, tuple | list):
        names = PARTS.get(part, tuple(map(str, range(len(value)))))
        pairs = zip(names, value, strict=False)
        return {f"{part}.{key}": each for key, each in pairs if isinstance(each, Tensor)}
    return {}
