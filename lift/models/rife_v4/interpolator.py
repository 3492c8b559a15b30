"""RIFE v4.25: the frame interpolation that people use today; two frames, any time between them.

Sources: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022,
section 3.2, for the scheme (blocks that correct flow and mask, each at its own scale; a mask that blends the
warped frames). Widths, the features and the residual blocks are read from the shapes of the released weights
(Practical-RIFE 4.25, MIT; weights/rife_v4.25.safetensors). Modules carry the names of those weights, so that
their keys are ours.

Legend: B samples; − and + the two frames; s a block's scale.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lift.config.schema import Model
from lift.errors import UserError
from lift.models.blocks import FLOWS, FlowDeconv, blended, narrowed, shrunk, time_channel
from lift.models.interface import Interpolator, Output
from lift.models.lineup import SPAN, two_references
from lift.models.pretrained import LoadReport, Wanted, read_state, start
from lift.ops.pad import pad_to_multiple
from lift.ops.warp import warp_references

SLOPE = 0.2  # of every leaky ReLU: no parameter, so not in the weights; protocols section 8
STEM = 4  # a block's own reduction, after that by its scale
DEPTH = 8  # residual convolutions of a block
FEATURES = 4  # channels of a frame's features
HIDDEN = 8  # channels that a block leaves to the next one, beside flow and mask
HEAD = 16  # hidden channels of the features' network

UNUSED = ("teacher.", "caltime.")  # parts of flownet.pkl that only its authors' training used
WANTED = Wanted(
    part="RIFE v4.25",
    file="RIFE v4.25's IFNet, as in weights/rife_v4.25.safetensors or Practical-RIFE's flownet.pkl of that "
    "version",
    key="model.rife_v4.pretrained",
    otherwise="another version of RIFE, or other widths",
)


class RifeV4(Interpolator):
    """IFNet of RIFE v4.25; the blend is the frame, no network refines it."""

    any_time = True

    def __init__(self, model: Model) -> None:
        """Build the model that `model.rife_v4` describes."""
        super().__init__()
        options = model.rife_v4
        self.network = IfNet(narrowed(options.widths, options.factor, 2), options.scales)
        self.multiple = self.network.multiple

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0; arguments, result and errors as for every `Interpolator`."""
        (first, second), time = two_references(frames, offsets, valid, self.task)
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
        found = self.network(both, time)
        return self.full_output(found.frame, found.flow, found.mask, size)

    def know(self, image: Tensor) -> tuple[Tensor, Tensor, tuple[int, int]]:
        """Return the padded frame, its features, and its size before padding."""
        padded, size = pad_to_multiple(image, self.multiple, "constant")
        return padded, self.network.encode(padded), size

    def forget(self, known: Any) -> None:
        """Keep nothing: this model takes no context."""

    def make(self, known: Mapping[float, Any]) -> Output:
        """Predict the frame at offset 0 from the two frames around it; see `Interpolator.make`."""
        near = {offset: frame for offset, frame in known.items() if abs(offset) < SPAN}
        images, features, sizes = zip(*near.values(), strict=True)
        time = torch.tensor([-min(near) / SPAN], device=images[0].device)
        return Output(self.shown(self.network(torch.cat(images), time, torch.cat(features)).frame, sizes[0]))

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start from the released weights, which then are not frozen; see `load_released`."""
        self.load_report = load_released(self.network, path)
        return self.load_report


create = RifeV4


class Estimate(NamedTuple):
    """What the network says of the frame at time t, all at full resolution.

    Attributes:
        frame: The blend of the warped frames, (B, 3, H, W), RGB; not clamped.
        flow: (B, 4, H, W), pixels, as in `Output`.
        mask: Share of the first frame in the blend, (B, 1, H, W), in (0, 1).
    """

    frame: Tensor
    flow: Tensor
    mask: Tensor


class IfNet(nn.Module):
    """The features' network and the blocks."""

    def __init__(self, widths: tuple[int, ...], scales: tuple[int, ...]) -> None:
        """Build it with so many channels of each block, which sees its input so many times smaller."""
        super().__init__()
        self.scales = scales
        self.multiple = STEM * max(scales)
        self.encode = Encode()
        first = 2 * (3 + FEATURES) + 1  # frames and features, time
        later = first + 1 + HIDDEN + FLOWS  # the same, warped; mask, hidden, flow
        for index, width in enumerate(widths):
            setattr(self, f"block{index}", Block(later if index else first, width))

    def forward(self, both: Tensor, time: Tensor, features: Tensor | None = None) -> Estimate:
        """Estimate the frame between two.

        Args:
            both: All first frames, then all second, (2·B, 3, H, W), RGB in [0, 1]; H and W multiples of
                `multiple`.
            time: When the wanted frame is, 0 at the first frame and 1 at the second, (B,).
            features: What `encode` made of `both`, where the caller has it; None: computed here.

        Raises:
            ValueError: Frames that do not come in pairs, or of another size.
        """
        if len(both) != 2 * len(time) or both.shape[2] % self.multiple or both.shape[3] % self.multiple:
            raise ValueError(
                f"expected {2 * len(time)} frames with sides that are multiples of {self.multiple}, found "
                f"{tuple(both.shape)}"
            )
        if features is None:
            features = self.encode(both)
        seen = torch.cat((both, features), dim=1)  # (2·B, 7, H, W)
        moment = time_channel(time, seen[: len(time)])

        flow: Tensor | None = None
        left: list[Tensor] = []  # mask logit and hidden features of the block before
        for index, scale in enumerate(self.scales):
            before, after = (seen if flow is None else warp_references(seen, flow)).chunk(2)
            maps = [before[:, :3], after[:, :3], before[:, 3:], after[:, 3:], moment, *left]
            block: Block = getattr(self, f"block{index}")
            correction, *left = block(maps, flow, scale)
            flow = correction if flow is None else flow + correction
        assert flow is not None

        mask = torch.sigmoid(left[0])
        before, after = warp_references(both, flow).chunk(2)  # of the frames alone: 4 of 7 channels less
        return Estimate(blended(mask, before, after), flow, mask)


class Encode(nn.Module):
    """Features of one frame: at half the resolution, and back to all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.cnn0 = nn.Conv2d(3, HEAD, 3, stride=2, padding=1)
        self.cnn1 = nn.Conv2d(HEAD, HEAD, 3, padding=1)
        self.cnn2 = nn.Conv2d(HEAD, HEAD, 3, padding=1)
        self.cnn3 = nn.ConvTranspose2d(HEAD, FEATURES, 4, stride=2, padding=1)
        self.relu = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, image: Tensor) -> Tensor:
        """Map (N, 3, H, W), sides even, to (N, 4, H, W)."""
        x = self.relu(self.cnn0(image))  # (N, 16, H/2, W/2)
        x = self.relu(self.cnn2(self.relu(self.cnn1(x))))
        result: Tensor = self.cnn3(x)
        return result


class Block(nn.Module):
    """Sees all `scale` times smaller and corrects the flow; mask and hidden features it makes anew."""

    def __init__(self, inputs: int, width: int) -> None:
        """Build it for `inputs` channels, flow included."""
        super().__init__()
        self.conv0 = nn.Sequential(_halved(inputs, width // 2), _halved(width // 2, width))
        self.convblock = nn.Sequential(*(Residual(width) for _ in range(DEPTH)))
        outputs = 4 * (FLOWS + 1 + HIDDEN)  # four pixels of each, which the shuffle lays out
        self.lastconv = nn.Sequential(FlowDeconv(width, outputs, still=4 * (FLOWS + 1)), nn.PixelShuffle(2))

    def forward(self, maps: list[Tensor], flow: Tensor | None, scale: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return what to add to the flow, (B, 4, H, W), the mask's logit, (B, 1, …), hidden, (B, 8, …).

        It sees `maps`, each (B, C, H, W), and the flow so far (None: nothing yet) `scale` times smaller.
        """
        # Each by itself: only small maps are then put side by side.
        small = [shrunk(one, scale) for one in maps]
        if flow is not None:
            small.append(shrunk(flow, scale) / scale)
        x = self.convblock(self.conv0(torch.cat(small, dim=1)))  # (B, width, H/4s, W/4s)
        x = shrunk(self.lastconv(x), 1 / scale)  # (B, 13, H/s, W/s), (B, 13, H, W)
        return x[:, :FLOWS] * scale, x[:, FLOWS : FLOWS + 1], x[:, FLOWS + 1 :]


class Residual(nn.Module):
    """Leaky ReLU of x + β·conv(x), with a learnt β a channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.beta = nn.Parameter(torch.ones(1, width, 1, 1))
        self.relu = nn.LeakyReLU(SLOPE, inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, H, W) to the same shape."""
        result: Tensor = self.relu(torch.addcmul(x, self.conv(x), self.beta))
        return result


def _halved(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)
    )


def load_released(network: IfNet, path: Path | str) -> LoadReport:
    """Load RIFE v4.25's own weights, all of the network or none: our file, or as Practical-RIFE saves it.

    Raises:
        UserError: The file is missing or damaged, holds values that are not finite, or is of another version
            or of other widths.
    """
    path = Path(path)
    own, state = dict(network.named_parameters()), read_state(path, WANTED)
    odd = [key for key in state if key not in own and not key.startswith(UNUSED)]
    if odd and own.keys() <= state.keys():
        raise UserError(f"{path}: {odd[0]} has no counterpart: {WANTED.otherwise}; {WANTED.advice}")
    return start(path, state, own, {name: name for name in own}, WANTED)
