"""The training loss: the parts that have a weight, each weighted and by name."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from lift.config import Loss
from lift.config.abilities import OF_THE_MODEL
from lift.losses import flow
from lift.losses.frames import FRAME_LOSSES
from lift.losses.perceptual import Perceptual


class Losses(nn.Module):
    """Weighted parts of the training loss; a part of weight 0 is neither built nor computed."""

    def __init__(self, weights: Loss, lpips: nn.Module | None = None) -> None:
        """Choose the parts; `lpips(prediction, target)` gives the mean LPIPS of a batch.

        Raises:
            ValueError: LPIPS has a weight, but there is no network.
            UserError: The perceptual part has a weight, but VGG's weights are not on this machine.
        """
        super().__init__()
        self.weights = {name: weight for name, weight in vars(weights).items() if weight}
        self.networks = nn.ModuleDict()
        if "lpips" in self.weights:
            if lpips is None:
                raise ValueError("loss.lpips has a weight: give Losses the network")
            self.networks["lpips"] = lpips
        if "perceptual" in self.weights:
            self.networks["perceptual"] = Perceptual()

    def forward(self, output: Any, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Compute all parts; their sum is the loss.

        Args:
            output: A model's output: frame (B, 3, H, W), unclamped, flow (B, 4, ⌈H/4⌉, ⌈W/4⌉), and in
                `auxiliary` the parts that the model computes itself.
            batch: frames (B, T, 3, H, W), offsets (B, T) and target (B, 3, H, W).

        Returns:
            Weighted scalars by name, in the order of the configuration's fields.

        Raises:
            ValueError: A part has a weight that this model does not compute.
        """
        return {name: weight * self._part(name, output, batch) for name, weight in self.weights.items()}

    def _part(self, name: str, output: Any, batch: Mapping[str, Tensor]) -> Tensor:
        target = batch["target"]
        if name == "smoothness":
            return flow.smoothness(output.flow, target)
        if name == "warping":
            return flow.warping(output.flow, flow.references(batch["frames"], batch["offsets"]), target)
        if name in OF_THE_MODEL:
            if name not in (output.auxiliary or {}):
                raise ValueError(f"loss.{name} has a weight, but the model computes no such part")
            own: Tensor = output.auxiliary[name]
            return own
        part = self.networks[name] if name in self.networks else FRAME_LOSSES[name]
        value: Tensor = part(output.frame, target)
        return value
