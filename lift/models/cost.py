"""What a model costs: parameters, multiply-accumulates, memory and time for one frame.

Parameters, operations and memory are properties of the model and the size, equal on every machine;
milliseconds are a measurement of this one, and tables say so (protocols section 5).
"""

import statistics
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry
from torch.utils.hooks import RemovableHandle

SIZES = ((256, 448), (720, 1280))  # height and width of published operations: protocols section 5.1
TIMED = 3  # frames, after the one that shows the memory; the median is kept
MIB = 2**20
DECIMALS = 6  # of metrics.json


@dataclass(frozen=True, kw_only=True)
class Cost:
    """One row of the table; `milliseconds` is measured, all else is exact."""

    parameters: int
    """Those that make a frame: parts that only training uses do not count."""
    gmacs: dict[str, float]
    """Billions of multiply-accumulates of convolutions and matrix products, by "HxW"."""
    memory_mib: float
    """Most memory that tensors hold at once during a frame of the first size, weights and input included;
    what an operation needs inside (im2col) is not seen.
    """
    milliseconds: float
    """Median processor time of a frame of the first size on this machine, summed over threads."""
    threads: int
    """CPU threads of that time."""


def cost(model: nn.Module, offsets: Sequence[int]) -> Cost:
    """Measure a model, an `Interpolator` in evaluation mode on the CPU, with all frames of a window present.

    Args:
        model: Has `multiple` (pixels to which it pads) and `training_only` (names of its parts).
        offsets: The window.

    Raises:
        ValueError: The model is in training mode.
    """
    if model.training:
        raise ValueError("a model's cost is that of a prediction: call eval() first")
    size = SIZES[0]
    return Cost(
        parameters=parameters(model),
        gmacs=_by_size(model, offsets),
        memory_mib=peak_memory(model, _clip(offsets, size)) / MIB,
        milliseconds=_milliseconds(model, _clip(offsets, size)),
        threads=torch.get_num_threads(),
    )


def exact(model: nn.Module, offsets: Sequence[int]) -> dict[str, float]:
    """Return what is equal on every machine and quick to count: parameters, and `gmacs_<H>x<W>` by size.

    Args:
        model: As for `cost`.
        offsets: The window.
    """
    counts = {f"gmacs_{size}": round(count, DECIMALS) for size, count in _by_size(model, offsets).items()}
    return {"parameters": parameters(model), **counts}


def parameters(model: nn.Module) -> int:
    """Count the parameters that make a frame, frozen ones (`flow: rife`) too."""
    skipped = tuple(f"{name}." for name in model.training_only)  # type: ignore[union-attr]
    held = (*model.named_parameters(), *model.named_buffers())
    return sum(p.numel() for name, p in held if not name.startswith(skipped))


def gmacs(model: nn.Module, offsets: Sequence[int], *sizes: tuple[int, int]) -> list[float]:
    """Count a frame's multiply-accumulates at each size, in billions: half of PyTorch's operations.

    Every layer's count is a constant or proportional to the padded area, so two small frames give the count
    of any large one, exactly and in a moment.
    """
    multiple: int = model.multiple  # type: ignore[assignment]
    side = multiple * -(-64 // multiple)
    one, two = (_operations(model, _clip(offsets, (side, width))) for width in (side, 2 * side))
    per_area = two - one
    counts = []
    for size in sizes:
        height, width = (multiple * -(-pixels // multiple) for pixels in size)
        counts.append((one - per_area + per_area * height * width / side**2) / 2e9)
    return counts


def _by_size(model: nn.Module, offsets: Sequence[int]) -> dict[str, float]:
    counts = gmacs(model, offsets, *SIZES)
    return {f"{height}x{width}": count for (height, width), count in zip(SIZES, counts, strict=True)}


def peak_memory(model: nn.Module, clip: tuple[Tensor, ...]) -> int:
    """Return the most bytes that tensors hold at once during a forward pass, weights and input included."""
    given = (*model.parameters(), *model.buffers(), *clip)
    held = sum(tensor.numel() * tensor.element_size() for tensor in given)
    with torch.no_grad(), _Held(given) as watch:
        model(*clip)
    most: int = held + watch.most
    return most


def peak_training_memory(model: nn.Module, step: Callable[[], None]) -> int:
    """Return the most bytes that tensors hold at once during a training step, weights included.

    Args:
        model: What is trained; its gradients are gone before the step.
        step: Forward and backward pass, and the optimiser's step; what exists before it is not counted.
    """
    given = (*model.parameters(), *model.buffers())
    held = sum(tensor.numel() * tensor.element_size() for tensor in given)
    with _Held(given) as watch:
        step()
    most: int = held + watch.most
    return most


def kept(model: nn.Module, run: Callable[[], Any]) -> dict[str, int]:
    """Count the bytes that each part of a model keeps for its backward pass.

    Args:
        model: Its parts are its children; what is kept outside of them counts as `rest`.
        run: Does a forward pass of it in training mode, and no backward pass.

    Returns:
        By part, in the model's order. What two parts keep counts for the first, weights for none.
    """
    inside: list[str] = []
    sizes = dict.fromkeys((*(name for name, _ in model.named_children()), "rest"), 0)
    known = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
    alive: list[Tensor] = []  # a storage that is freed on the way may give its place to another

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in known:
            known.add(storage._cdata)
            alive.append(tensor)
            sizes[inside[-1] if inside else "rest"] += storage.nbytes()
        return tensor

    def enter(name: str) -> Callable[..., None]:
        return lambda module, given: inside.append(name)

    hooks: list[RemovableHandle] = []
    for name, part in model.named_children():
        hooks += [
            part.register_forward_pre_hook(enter(name)),
            part.register_forward_hook(lambda module, given, result: inside.pop() and None),
        ]
    try:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            run()
    finally:
        for hook in hooks:
            hook.remove()
    return sizes


def _operations(model: nn.Module, clip: tuple[Tensor, ...]) -> int:
    # PyTorch's formulas know matrix products; the fused attention of CPUs is none.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _Counted() as counter:
        model(*clip)
    return int(counter.total)


def _milliseconds(model: nn.Module, clip: tuple[Tensor, ...]) -> float:
    times = []
    with torch.no_grad():
        for _ in range(TIMED):
            start = time.process_time()  # the processor's own: other programs do not change it
            model(*clip)
            times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def _clip(offsets: Sequence[int], size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Make (frames, offsets, valid) of one clip of grey frames."""
    times = torch.tensor([offsets], dtype=torch.float32)
    return torch.full((1, len(offsets), 3, *size), 0.5), times, torch.ones_like(times, dtype=torch.bool)


class _Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up operations by PyTorch's formulas, as FlopCounterMode does."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operation imports PyTorch's compiler, 1.5 s

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        formula = flop_registry.get(func.overloadpacket)  # type: ignore[attr-defined]
        if formula is not None:
            self.total += int(formula(*args, **(kwargs or {}), out_val=result))
        return result


class _Held(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows the storages that operations make, until they are freed."""

    def __init__(self, given: tuple[Tensor, ...]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known = {tensor.untyped_storage()._cdata for tensor in given}
        self.now = self.most = 0

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else (result,):
            if isinstance(value, Tensor):
                self._follow(value.untyped_storage())
        return result

    def _follow(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self.known:
            return
        self.known.add(key)
        size = storage.nbytes()
        self.now += size
        self.most = max(self.most, self.now)
        weakref.finalize(storage, self._freed, key, size)

    def _freed(self, key: int, size: int) -> None:
        self.known.discard(key)
        self.now -= size
