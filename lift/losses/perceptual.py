"""The perceptual loss: L1 of VGG-19's features (Chen & Koltun, ICCV 2017, equation 1)."""

import pickle
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lift.errors import UserError
from lift.losses.frames import l1

# Convolutions' channels between poolings (Simonyan & Zisserman 2015, table 1, column E), up to the last one
# used, conv5_2.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256, 256), (512, 512, 512, 512), (512, 512))
TAPS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")  # Chen & Koltun, section 3
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as the weights were trained
SMALLEST = 16  # pixels: four poolings


class Perceptual(nn.Module):
    """The mean absolute difference of VGG-19's features, averaged over five depths; no parameter trains."""

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        """Load the weights from PyTorch's cache.

        Raises:
            UserError: They are not there, or are no VGG-19.
        """
        super().__init__()
        self.stages = nn.ModuleList(_stages())
        self.register_buffer("mean", torch.tensor(MEAN).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(3, 1, 1))
        self.requires_grad_(False)

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Return the distance of two batches (B, 3, H, W), RGB in [0, 1]; a scalar, 0 is equal.

        Raises:
            UserError: The crop is too small.
        """
        if min(target.shape[2:]) < SMALLEST:
            raise UserError(
                f"loss.perceptual needs crops of at least {SMALLEST} × {SMALLEST} pixels, found "
                f"{target.shape[2]} × {target.shape[3]}; raise train.phases[].crop"
            )
        a, b = ((frame - self.mean) / self.deviation for frame in (prediction, target))
        distances = []
        for stage in self.stages:
            a, b = stage(a), stage(b)
            distances.append(l1(a, b))
        return torch.stack(distances).mean()


def _stages() -> list[nn.Sequential]:
    """Cut the network after each tap: a piece maps one tap's features (first: the image) to the next's."""
    layers: list[nn.Module] = []
    cuts, channels = [0], 3
    with torch.device("meta"):  # no draw from the global generator for weights that are replaced
        for block, widths in enumerate(BLOCKS, start=1):
            for place, width in enumerate(widths, start=1):
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                if f"conv{block}_{place}" in TAPS:
                    cuts.append(len(layers))
                layers.append(nn.ReLU())  # not in place: a tap's features stand before it and are needed
                channels = width
            layers.append(nn.MaxPool2d(2))
    network, state = nn.Sequential(*layers[: cuts[-1]]), _downloaded()  # numbered as torchvision's `features`
    try:
        own = {name: state[f"features.{name}"] for name in network.state_dict()}
        network.load_state_dict(own, assign=True)
    except (KeyError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise UserError(
            f"vgg19 in PyTorch's cache: not VGG-19's weights ({reason}); download it again"
        ) from error
    return [network[start:end] for start, end in pairwise(cuts)]


def _downloaded() -> dict[str, Tensor]:
    """Read VGG-19's ImageNet weights from PyTorch's cache (`TORCH_HOME`, else ~/.cache/torch)."""
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    files = sorted(folder.glob("vgg19-*.pth"))
    if not files:
        raise UserError(
            f"{folder}: no ImageNet weights of vgg19 (vgg19-*.pth), needed by loss.perceptual (0 switches it "
            f"off); run the stage `download`, or put the file there"
        )
    try:
        state: dict[str, Any] = torch.load(files[0], map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise UserError(f"{files[0]}: damaged ({error}); delete it and download it again") from error
    return state
