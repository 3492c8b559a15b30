"""RIFE v4.25 behind the interface of all models."""

from pathlib import Path

import torch
from torch import Tensor

from lift.config.schema import Model
from lift.models.blocks import narrowed
from lift.models.interface import Interpolator, LoadReport, check_inputs
from lift.models.lineup import pick, references_of
from lift.models.output import Output
from lift.models.quarter import quarter
from lift.models.rife_v4.network import IfNet
from lift.models.rife_v4.released import load_released
from lift.ops.pad import crop_to, pad_to_multiple


class RifeV4(Interpolator):
    """IFNet of RIFE v4.25; the blend is the frame, no network refines it."""

    def __init__(self, model: Model) -> None:
        """Build the model that `model.rife_v4` describes."""
        super().__init__()
        options = model.rife_v4
        self.network = IfNet(narrowed(options.widths, options.factor, 2), options.scales)
        self.multiple = self.network.multiple

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        check_inputs(frames, offsets, valid)
        wanted, valid = references_of(offsets.float(), valid, self.task)  # (2, B)
        time = -wanted[0] / (wanted[1] - wanted[0])  # (B,)
        first, second = pick(frames, offsets, valid, wanted)
        return self.between(first, second, time)

    def between(self, first: Tensor, second: Tensor, time: Tensor) -> Output:
        """Predict the frame at any time between two.

        Args:
            first: (B, 3, H, W), RGB in [0, 1], any H and W: inside padded to multiples of `multiple`.
            second: The same.
            time: When the wanted frame is, 0 at the first frame and 1 at the second, (B,).
        """
        # By black, as its users do: what stands beyond the edge shows in the frame.
        both, size = pad_to_multiple(torch.cat((first, second)), self.multiple, "constant")  # (2·B, 3, H, W)
        estimate = self.network(both, time)
        frame, mask = crop_to(estimate.frame, size), estimate.mask
        return Output(
            frame=frame if self.training else frame.clamp(0, 1),
            coarse=None,
            flow=quarter(estimate.flow, size) / 4,
            occlusion=quarter(torch.cat((mask, 1 - mask), dim=1), size),
            alpha=None,
        )

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start from the released weights; see `load_released`. Nothing is frozen then."""
        self.load_report = load_released(self.network, path)
        return self.load_report


create = RifeV4
