"""LPIPS (Zhang et al., CVPR 2018, section 3): the distance of AlexNet's features, weighted as people see it.

Version 0.1 of its authors' network `alex`, the one that the field states. Their package is not used: it
imports torchvision, keeps its calibrated weights in a pickle and takes the features from a download. Both lie
in one file here, features in half precision; tests hold the distances to the package's and to published ones.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from lift.errors import UserError
from lift.metrics.error import to_bytes

WEIGHTS = Path(__file__).resolve().parents[2] / "weights/lpips_alexnet.safetensors"
SMALLEST = 32  # pixels: AlexNet's second pooling has nothing left below 31
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of RGB in [-1, 1]: version 0.1's input
TINY = 1e-10  # length of features below which they are not brought to length 1: version 0.1


class Lpips(nn.Module):
    """LPIPS as a loss (`forward`) and as a metric (`measure`); frozen."""

    shift: Tensor
    scale: Tensor

    def __init__(self, weights: Path = WEIGHTS) -> None:
        """Build the network.

        Raises:
            UserError: The weights are not there, or damaged.
        """
        super().__init__()
        with torch.device("meta"):  # no draw from the global generator for weights that are replaced
            self.features = _alexnet()
            self.heads = nn.ParameterList(
                torch.empty(layer.out_channels) for layer in self.features if isinstance(layer, nn.Conv2d)
            )
        _load(self, weights)
        self.register_buffer("shift", torch.tensor(SHIFT).view(3, 1, 1))
        self.register_buffer("scale", torch.tensor(SCALE).view(3, 1, 1))
        self.requires_grad_(False)
        self.to(memory_format=torch.channels_last)  # a quarter less time on a CPU

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the mean distance of a batch (B, 3, H, W), RGB in [0, 1], with a gradient to `prediction`.

        A scalar; 0 is equal. A model in training may overshoot.

        Raises:
            ValueError: The target's values are not in [0, 1]: another convention than the network's.
            UserError: Frames below 32 × 32 pixels.
        """
        _check(target)
        return torch.stack(self.by_layer(prediction, target)).sum(dim=0).mean()

    def by_layer(self, prediction: Tensor, target: Tensor) -> list[Tensor]:
        """Return what each of the five layers adds to the distance, (B,) each (equation 1).

        One target may stand for all of B.
        """
        a, b = ((2 * frame - 1 - self.shift) / self.scale for frame in (prediction, target))
        heads, distances = iter(self.heads), []
        for layer in self.features:
            a, b = layer(a), layer(b)
            if isinstance(layer, nn.ReLU):
                gap = F.normalize(a, dim=1, eps=TINY) - F.normalize(b, dim=1, eps=TINY)  # (B, C, h, w)
                weight = next(heads).view(-1, 1, 1)
                distances.append((weight * gap.square()).sum(dim=1).mean(dim=(1, 2)))
        return distances

    @torch.no_grad()
    def measure(self, prediction: Tensor, target: Tensor) -> float:
        """Return the distance of one frame, (3, H, W) in [0, 1], from the target, both rounded to 8 bits.

        Raises:
            ValueError: Values outside [0, 1].
            UserError: A frame below 32 × 32 pixels.
        """
        return self.measure_all([prediction], target)[0]

    @torch.no_grad()
    def measure_all(self, predictions: Sequence[Tensor], target: Tensor) -> list[float]:
        """Return what `measure` gives for each of several frames; the target's features are computed once."""
        for prediction in predictions:
            _assert_range(prediction)
        device = next(self.parameters()).device
        rounded = [to_bytes(frame, data_range=1.0) / 255 for frame in (*predictions, target)]
        frames = torch.from_numpy(np.stack(rounded)).to(device, torch.float32)
        _check(frames[-1:])
        distances: list[float] = torch.stack(self.by_layer(frames[:-1], frames[-1:])).sum(dim=0).tolist()
        return distances


def _check(target: Tensor) -> None:
    _assert_range(target)
    if min(target.shape[-2:]) < SMALLEST:
        raise UserError(
            f"LPIPS needs frames of at least {SMALLEST} × {SMALLEST} pixels, found {target.shape[-2]} × "
            f"{target.shape[-1]}; use larger crops or frames, or loss.lpips: 0"
        )


def _assert_range(frame: Tensor) -> None:
    low, high = (float(value) for value in torch.aminmax(frame.detach()))
    if not (
        low >= -1e-4 and high <= 1 + 1e-4
    ):  # rounding of a resize or of half precision is no other convention
        raise ValueError(f"LPIPS: frames must lie in [0, 1], found {low:.4g} to {high:.4g}")


def _alexnet() -> nn.Sequential:
    """Make AlexNet's convolutions (Krizhevsky 2014, "One weird trick"), numbered as torchvision does."""
    # No ReLU in place: the distance needs the features that the next layer would overwrite.
    return nn.Sequential(
        *(nn.Conv2d(3, 64, 11, stride=4, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(64, 192, 5, padding=2), nn.ReLU(), nn.MaxPool2d(3, 2)),
        *(nn.Conv2d(192, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(256, 256, 3, padding=1), nn.ReLU()),
    )


def _load(network: Lpips, path: Path) -> None:
    """Fill a network that has no values yet, in single precision."""
    try:
        state = {name: value.float() for name, value in load_file(path).items()}
        network.load_state_dict(state, assign=True)
    except (SafetensorError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"{path}: LPIPS's weights are missing or damaged ({reason}); restore them: "
            f"git checkout -- {path.parent.name}"
        ) from error
    for name, value in state.items():
        if not bool(value.isfinite().all()):
            raise UserError(f"{path}: {name} holds values that are not finite; restore the file with git")
