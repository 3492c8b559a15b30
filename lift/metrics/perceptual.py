"""LPIPS (Zhang et al., CVPR 2018): the `lpips` package's AlexNet v0.1, ImageNet or fixed random features.

The package's own calibrated linear heads are used in both. With random features the distance still grows
with what an eye would notice, but its numbers compare with nothing outside this project: tables call it
`TITLES["random"]`.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lift.errors import UserError
from lift.metrics.quantise import to_bytes
from lift.ops.imagenet import imagenet
from lift.seeds import generator

TITLES = {"imagenet": "LPIPS", "random": "LPIPS (random features)"}
SMALLEST = 32  # pixels: AlexNet's second pooling has nothing left below 31
SEED = 0  # of the random features: part of the metric's definition, not a parameter of a run


class Lpips(nn.Module):
    """LPIPS as a loss (`forward`) and as a metric (`measure`); always in evaluation mode, frozen."""

    def __init__(self, features: str) -> None:
        """Build the network.

        Args:
            features: imagenet, from PyTorch's cache; or random, the same on every machine.

        Raises:
            UserError: The ImageNet weights are not there.
        """
        super().__init__()
        self.title = TITLES[features]
        self.network = _network(features)
        self.requires_grad_(False)
        self.eval()

    def train(self, mode: bool = True) -> "Lpips":  # noqa: ARG002, FBT001, FBT002, RUF100
        """Stay in evaluation mode: the heads have dropout, which would make the loss random."""
        return super().train(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Give the mean distance of a batch, with a gradient to `prediction`.

        Args:
            prediction: (B, 3, H, W), RGB; [0, 1], but a model in training may overshoot.
            target: (B, 3, H, W), RGB in [0, 1].

        Returns:
            A scalar; 0 is equal.

        Raises:
            ValueError: The target's values are not in [0, 1]: another convention than the network's.
            UserError: Frames below 32 × 32 pixels.
        """
        _assert_range(target)
        if min(target.shape[-2:]) < SMALLEST:
            raise UserError(
                f"LPIPS needs frames of at least {SMALLEST} × {SMALLEST} pixels, found {target.shape[-2]} × "
                f"{target.shape[-1]}; use larger crops or frames, or loss.lpips: 0"
            )
        distance: Tensor = self.network(prediction * 2 - 1, target * 2 - 1)  # the network's range is [-1, 1]
        return distance.mean()

    @torch.no_grad()
    def measure(self, prediction: Tensor, target: Tensor) -> float:
        """Give the distance of one frame, (3, H, W) in [0, 1], from the target, both rounded to 8 bits.

        Raises:
            ValueError: Values outside [0, 1].
            UserError: A frame below 32 × 32 pixels.
        """
        _assert_range(prediction)
        device = next(self.parameters()).device
        frames = [torch.from_numpy(to_bytes(frame, data_range=1.0) / 255) for frame in (prediction, target)]
        value = float(self(*(frame[None].to(device, torch.float32) for frame in frames)))
        return value


def _assert_range(frame: Tensor) -> None:
    low, high = (float(value) for value in torch.aminmax(frame.detach()))
    if not (
        low >= -1e-4 and high <= 1 + 1e-4
    ):  # rounding of a resize or of half precision is no other convention
        raise ValueError(f"LPIPS: frames must lie in [0, 1], found {low:.4g} to {high:.4g}")


def _network(features: str) -> Any:
    import lpips  # late: it imports torchvision, which takes seconds

    # On the meta device nothing is initialised: torchvision's AlexNet would spend most of a second, and the
    # global generator, on a classifier that is dropped. Asking for pretrained weights would download them.
    with torch.device("meta"):
        network = _quietly(lpips.LPIPS)
    network.to_empty(device="cpu")
    network.scaling_layer = lpips.ScalingLayer()
    trunk = _random(network.net.named_parameters()) if features == "random" else _alexnet(network.net)
    network.net.load_state_dict(trunk)
    calibrated = Path(lpips.__file__).parent / "weights/v0.1/alex.pth"
    heads = torch.load(calibrated, map_location="cpu", weights_only=True)
    for index, head in enumerate(network.lins):
        head.load_state_dict({"model.1.weight": heads[f"lin{index}.model.1.weight"]})
    return network.to(memory_format=torch.channels_last)  # a quarter less time on a CPU


def _quietly(constructor: Any) -> Any:
    """Build without weights, and without torchvision's two warnings about the way `lpips` says so."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The parameter 'pretrained' is deprecated", UserWarning)
        warnings.filterwarnings("ignore", "Arguments other than a weight enum", UserWarning)
        return constructor(net="alex", version="0.1", pretrained=False, pnet_rand=True, verbose=False)


def _random(parameters: Iterable[tuple[str, nn.Parameter]]) -> dict[str, Tensor]:
    """Draw He's uniform weights and zero biases.

    PyTorch's default shrinks the signal layer by layer until biases are all that deep features hold.
    """
    state = {}
    for name, parameter in parameters:
        bound = math.sqrt(6 / parameter[0].numel()) if parameter.ndim > 1 else 0.0
        drawn = generator(SEED, "lpips", name).uniform(-bound, bound, tuple(parameter.shape))
        state[name] = torch.from_numpy(drawn).float()
    return state


def _alexnet(network: nn.Module) -> dict[str, Tensor]:
    """Take AlexNet's features: `slice<n>.<index>` of the package is torchvision's `features.<index>`."""
    state = imagenet("alexnet", "LPIPS (evaluate.lpips: imagenet; `random` needs no file)")
    try:
        return {name: state[f"features.{name.split('.', 1)[1]}"] for name, _ in network.named_parameters()}
    except KeyError as error:
        raise UserError(f"alexnet weights in PyTorch's cache: no {error}; download the file again") from error
