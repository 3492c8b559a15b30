"""What a model costs: parameters, multiply-accumulates and memory for one frame, equal on every machine."""

import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

SIZES = ((256, 448), (720, 1280))  # height and width of published operations: protocols section 5.1
MIB = 2**20
DECIMALS = 6  # of metrics.json


def exact(model: nn.Module, offsets: Sequence[int]) -> dict[str, float]:
    """Return what is equal on every machine and quick to count: parameters, and `gmacs_<H>x<W>` by size."""
    counts = zip(SIZES, gmacs(model, offsets, *SIZES), strict=True)
    by_size = {f"gmacs_{height}x{width}": round(count, DECIMALS) for (height, width), count in counts}
    return {"parameters": parameters(model), **by_size}


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
    one, two = (_operations(model, grey_clip(offsets, (side, width))) for width in (side, 2 * side))
    per_area = two - one
    counts = []
    for size in sizes:
        height, width = (multiple * -(-pixels // multiple) for pixels in size)
        counts.append((one - per_area + per_area * height * width / side**2) / 2e9)
    return counts


def grey_clip(offsets: Sequence[int], size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Make (frames, offsets, valid) of one clip of grey frames."""
    times = torch.tensor([offsets], dtype=torch.float32)
    return torch.full((1, len(offsets), 3, *size), 0.5), times, torch.ones_like(times, dtype=torch.bool)


def peak_memory(model: nn.Module, run: Callable[[], object], given: Iterable[Tensor] = ()) -> int:
    """Return the most bytes that tensors hold at once, the weights and the input `given` included.

    `run` is a prediction, or a training step; what else exists before it is not counted.
    """
    there = (*model.parameters(), *model.buffers(), *given)
    known = {tensor.untyped_storage()._cdata for tensor in there}
    now = most = 0

    def freed(key: int, size: int) -> None:
        nonlocal now
        known.discard(key)
        now -= size

    def follow(_: object, given: object, result: Any) -> None:
        nonlocal now, most
        for value in result if isinstance(result, tuple | list) else (result,):
            storage = value.untyped_storage() if isinstance(value, Tensor) else None
            if storage is not None and storage._cdata not in known:
                known.add(storage._cdata)
                now += storage.nbytes()
                most = max(most, now)
                weakref.finalize(storage, freed, storage._cdata, storage.nbytes())

    with _Watch(follow):
        run()
    return most + sum(tensor.numel() * tensor.element_size() for tensor in there)


def _operations(model: nn.Module, clip: tuple[Tensor, ...]) -> int:
    """Add up operations by PyTorch's formulas, as its FlopCounterMode does, which takes 1.5 s to import."""
    total = 0

    def count(function: Any, given: tuple[Any, Any], result: Any) -> None:
        nonlocal total
        formula = flop_registry.get(function.overloadpacket)
        if formula is not None:
            total += int(formula(*given[0], **given[1], out_val=result))

    # The formulas know matrix products; the fused attention of CPUs is none.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _Watch(count):
        model(*clip)
    return total


class _Watch(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Tells a function of every operation: which, its arguments, and its result."""

    def __init__(self, tell: Callable[[Any, tuple[Any, Any], Any], None]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.tell = tell

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # else the first operation imports PyTorch's compiler, 1.5 s

    def __torch_dispatch__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        self.tell(func, (args, kwargs or {}), result)
        return result
