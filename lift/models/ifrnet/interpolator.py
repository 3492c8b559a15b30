"""IFRNet and its variants: flow and an intermediate feature refined together from coarse to fine; two frames.

For interpolation, and for prediction as IFRVP (Real-Time Video Prediction with Fast Video Interpolation Model
and Prediction Training, ICIP 2024): the same network, whose references lie before the missing frame and whose
input of time says how far.

Source: Kong et al., "IFRNet: Intermediate Feature Refine Network for Efficient Frame Interpolation", CVPR
2022, section 3; IFRVP's light variants: protocols section 7. Beside the paper: flows, mask
and residual start at zero, as LIFT's do, so that the untrained model is the average of its references; and
the distillation of flows that another network has estimated is left out, since none of the compared models
may have one.

Legend: B samples; − and + the references; level k: 1/2^k of the resolution, C_k its channels; φ_t the
intermediate feature.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.config.schema import Model
from lift.models.blocks import narrowed
from lift.models.ifrnet.parts import Decoder, Pyramid
from lift.models.interface import Interpolator, check_inputs
from lift.models.lineup import pick, references_of
from lift.models.output import Output
from lift.models.quarter import quarter
from lift.ops.census import census_distance
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize_flow
from lift.ops.warp import warp_references

FLOWS = 4  # two flows of two components
WINDOW = 3  # of the geometry loss: Kong et al., section 3.3


class IfrNet(Interpolator):
    """A pyramid shared by the references, and a decoder a level."""

    def __init__(self, model: Model) -> None:
        """Build the model that `model.ifrnet` describes."""
        super().__init__()
        options = model.ifrnet
        widths = narrowed(options.widths, options.factor)
        self.multiple = max(2 ** len(widths), 4)
        self.pyramid = Pyramid(widths, options.first_kernel)
        # Coarsest first. Its input: both references and the time; the others': φ_t, both warped, two flows.
        inputs = [2 * widths[-1] + 1, *(3 * width + FLOWS for width in widths[-2::-1])]
        hidden = [2 * widths[-1], *(3 * width for width in widths[-2::-1])]
        outputs = [FLOWS + width for width in widths[-2::-1]]
        final = FLOWS + 1 + 3  # flows, mask, residual
        *early, late = zip(inputs, hidden, [*outputs, final], strict=True)
        block, side = options.block, widths[0]
        self.decoders = nn.ModuleList(
            Decoder(*sizes, block=block, side=side, still=still)
            for sizes, still in (*((sizes, FLOWS) for sizes in early), (late, final))
        )

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        check_inputs(frames, offsets, valid)
        wanted, valid = references_of(offsets.float(), valid, self.task)  # (2, B)
        time = -wanted[0] / (wanted[1] - wanted[0])  # (B,): 0 at the first reference, 1 at the second
        references = pick(frames, offsets, valid, wanted)  # (2, B, 3, H, W)
        mean = references.mean(dim=(0, 2, 3, 4))[:, None, None, None]  # (B, 1, 1, 1)
        both, size = pad_to_multiple((references - mean).flatten(0, 1), self.multiple)

        # 1. the references' features, finest level first
        features = self.pyramid(both)  # each (2·B, C_k, H/2^k, W/2^k)

        # 2. flow and φ_t together, coarsest level first
        flow, intermediate, last = self._decoded(features, time)

        # 3. synthesis at full resolution
        mask, residual = torch.sigmoid(last[:, :1]), last[:, 1:]
        before, after = warp_references(both, flow).chunk(2)
        merged = mask * before + (1 - mask) * after + mean
        frame = crop_to(merged + residual, size)

        auxiliary = None
        if target is not None:
            auxiliary = {"geometry": self._geometry(intermediate, target - mean)}
        return Output(
            frame=frame if self.training else frame.clamp(0, 1),
            coarse=quarter(merged, size),
            flow=quarter(flow, size) / 4,
            occlusion=quarter(torch.cat((mask, 1 - mask), dim=1), size),
            alpha=None,
            auxiliary=auxiliary,
        )

    def _decoded(self, features: list[Tensor], time: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
        """Run the decoders: flow (B, 4, H, W), φ_t of all but the coarsest level (finest first), the rest."""
        before, after = features[-1].chunk(2)
        moment = time.to(before.dtype).view(-1, 1, 1, 1).expand(-1, 1, *before.shape[2:])
        x = self.decoders[0](torch.cat((before, after, moment), dim=1))
        flow, rest = x[:, :FLOWS], x[:, FLOWS:]
        intermediate: list[Tensor] = []
        for decoder, level in zip(list(self.decoders)[1:], features[-2::-1], strict=True):
            intermediate.insert(0, rest)
            warped = warp_references(level, flow).chunk(2)
            x = decoder(torch.cat((rest, *warped, flow), dim=1))
            flow = x[:, :FLOWS] + resize_flow(flow, 2)
            rest = x[:, FLOWS:]
        return flow, intermediate, rest

    def _geometry(self, intermediate: list[Tensor], truth: Tensor) -> Tensor:
        """Compare φ_t with the true frame's features by the census of each channel (section 3.3)."""
        wanted = self.pyramid(pad_to_multiple(truth, self.multiple)[0])
        distances = [
            census_distance(_planes(found), _planes(true), WINDOW)
            for found, true in zip(intermediate, wanted[:-1], strict=True)
        ]
        return torch.stack(distances).sum()


create = IfrNet


def _planes(features: Tensor) -> Tensor:
    """Return each channel as a map of its own, (B·C, 1, H + 2, W + 2), edges repeated for whole windows."""
    return F.pad(features.flatten(0, 1)[:, None], (1, 1, 1, 1), mode="replicate")
