"""RIFE v4.25's network: features of each frame, then flow, mask and hidden features from coarse to fine.

Sources: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022,
section 3.2, for the scheme (blocks that correct flow and mask, each at its own scale; a mask that blends the
warped frames). Widths, the features and the residual blocks are read from the shapes of the released weights
(Practical-RIFE 4.25, MIT). Modules carry the names of those weights, so that their keys are ours.

Legend: B samples; − and + the two frames; W their warped frames; s a block's scale.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from lift.models.blocks import FlowDeconv
from lift.ops.resize import resize
from lift.ops.warp import warp_references

SLOPE = 0.2  # of every leaky ReLU: no parameter, so not in the weights; protocols section 8
STEM = 4  # a block's own reduction, after that by its scale
DEPTH = 8  # residual convolutions of a block
FEATURES = 4  # channels of a frame's features
FLOWS = 4  # two flows of two components
HIDDEN = 8  # channels that a block leaves to the next one, beside flow and mask
HEAD = 16  # hidden channels of the features' network


class Estimate(NamedTuple):
    """What the network says of the frame at time t, all at full resolution.

    Attributes:
        frame: The blend of the warped frames, (B, 3, H, W), RGB; not clamped.
        flow: (B, 4, H, W), pixels; channels 0:2 lead to the first frame, 2:4 to the second; of each pair the
            first is x to the right, the second y down; target(p) samples reference(p + flow).
        mask: Share of the first frame in the blend, (B, 1, H, W), in (0, 1).
        warped: Both warped frames, (2·B, 3, H, W), all − then all +.
        features: Of both frames, not warped, (2·B, 4, H, W), all − then all +.
        hidden: What the last block leaves beside flow and mask, (B, 8, H, W).
    """

    frame: Tensor
    flow: Tensor
    mask: Tensor
    warped: Tensor
    features: Tensor
    hidden: Tensor


class IfNet(nn.Module):
    """The features' network and the blocks."""

    def __init__(self, widths: tuple[int, ...], scales: tuple[int, ...]) -> None:
        """Build it.

        Args:
            widths: Channels of each block.
            scales: How many times smaller than the frame each block sees its input.
        """
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
        moment = time.to(seen.dtype).view(-1, 1, 1, 1).expand(-1, 1, *both.shape[2:])

        flow, logit, hidden = None, None, None
        for index, scale in enumerate(self.scales):
            before, after = (seen if flow is None else warp_references(seen, flow)).chunk(2)
            maps = [before[:, :3], after[:, :3], before[:, 3:], after[:, 3:], moment]
            if logit is not None and hidden is not None:
                maps += [logit, hidden]
            block: Block = getattr(self, f"block{index}")
            correction, logit, hidden = block(maps, flow, scale)
            flow = correction if flow is None else flow + correction
        assert flow is not None and logit is not None and hidden is not None  # noqa: PT018

        mask = torch.sigmoid(logit)
        warped = warp_references(both, flow)  # of the frames alone: 4 of 7 channels less
        before, after = warped.chunk(2)
        frame = mask * before + (1 - mask) * after
        return Estimate(frame, flow, mask, warped, features, hidden)


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
        """Estimate.

        Args:
            maps: What it is to see beside the flow, each (B, C, H, W).
            flow: So far, (B, 4, H, W), pixels at this resolution; None: nothing yet.
            scale: How many times smaller it works.

        Returns:
            What to add to the flow, (B, 4, H, W), the mask's logit, (B, 1, H, W), hidden, (B, 8, H, W).
        """
        # Each by itself: only small maps are then put side by side.
        small = [_resized(one, 1 / scale) for one in maps]
        if flow is not None:
            small.append(_resized(flow, 1 / scale) / scale)
        x = self.convblock(self.conv0(torch.cat(small, dim=1)))  # (B, width, H/4s, W/4s)
        x = _resized(self.lastconv(x), scale)  # (B, 13, H/s, W/s), (B, 13, H, W)
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


def _resized(x: Tensor, scale: float) -> Tensor:
    return x if scale == 1 else resize(x, scale)


def _halved(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.LeakyReLU(SLOPE, inplace=True)
    )
