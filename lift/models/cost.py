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
    """Return what is equal on every machine and quick to count: parameters, and `gmacs_<H>x<W>` by size.

    Args:
        model: Has `multiple` (pixels to which it pads) and `training_only` (names of its parts).
        offsets: The window.
    """
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


def peak_memory(model: nn.Module, run: Callable[[], object], given: Iterable[Tensor] = ()) -> int:
    """Return the most bytes that tensors hold at once, weights included.

    Args:
        model: Its gradients are gone before `run`.
        run: A prediction, or a training step; what else exists before it is not counted.
        given: Its input, which counts.
    """
    there = (*model.parameters(), *model.buffers(), *given)
    with _Held(there) as watch:
        run()
    most: int = watch.most + sum(tensor.numel() * tensor.element_size() for tensor in there)
    return most


def _operations(model: nn.Module, clip: tuple[Tensor, ...]) -> int:
    # PyTorch's formulas know matrix products; the fused attention of CPUs is none.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), _Counted() as counter:
        model(*clip)
    return int(counter.total)


def grey_clip(offsets: Sequence[int], size: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
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
