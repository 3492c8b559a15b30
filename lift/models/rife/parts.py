"""RIFE's boxes: a block of IFNet, ContextNet and the refining U-Net.

Sources: Huang et al., "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022,
sections 3.2 and 3.4, figures 3 and 4. Modules carry the names of RIFE's published weights, so that its keys
are ours.

Legend: B samples; − and + the two references; C context width.
"""

import torch
from torch import Tensor, nn

from lift.models.blocks import FlowDeconv, prelu_conv, zero
from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp

DEPTH = 8  # convolutions of an IFNet block: Huang et al., figure 3
FLOWS = 4  # two flows of two components
LEVELS = 4  # of ContextNet and the U-Net: 1/2 … 1/16


class Block(nn.Module):
    """One of IFNet's blocks: sees the frames `scale` times smaller, and corrects flow and mask."""

    def __init__(self, inputs: int, width: int) -> None:
        """Build it for `inputs` channels, flow included."""
        super().__init__()
        self.conv0 = nn.Sequential(
            prelu_conv(inputs, width // 2, stride=2), prelu_conv(width // 2, width, stride=2)
        )
        self.convblock = nn.Sequential(*(prelu_conv(width, width) for _ in range(DEPTH)))
        self.lastconv = FlowDeconv(width, FLOWS + 1, still=FLOWS + 1)

    def forward(self, images: Tensor, flow: Tensor | None, scale: int) -> tuple[Tensor, Tensor]:
        """Estimate a correction.

        Args:
            images: Frames, warped frames, mask and whatever else it is to see, (B, C, H, W).
            flow: So far, (B, 4, H, W), pixels at this resolution; None: nothing yet.
            scale: How many times smaller it works.

        Returns:
            What to add to the flow, (B, 4, H, W), and to the mask's logit, (B, 1, H, W).
        """
        x = _shrunk(images, scale)
        if flow is not None:
            x = torch.cat((x, _shrunk(flow, scale) / scale), dim=1)
        x = self.conv0(x)  # (B, width, H/4s, W/4s)
        x = self.lastconv(x + self.convblock(x))  # (B, 5, H/2s, W/2s)
        x = resize(x, 2 * scale)
        return x[:, :FLOWS] * (2 * scale), x[:, FLOWS:]


class Conv2(nn.Module):
    """Two 3x3 convolutions with PReLU; the first halves the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = prelu_conv(inputs, outputs, stride=2)
        self.conv2 = prelu_conv(outputs, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H/2, W/2)."""
        result: Tensor = self.conv2(self.conv1(x))
        return result


class ContextNet(nn.Module):
    """Features of one reference at 1/2 … 1/16, each warped towards the missing frame."""

    def __init__(self, width: int) -> None:
        """Build it with `width` channels at 1/2, doubling from level to level."""
        super().__init__()
        self.conv1 = Conv2(3, width)
        self.conv2 = Conv2(width, 2 * width)
        self.conv3 = Conv2(2 * width, 4 * width)
        self.conv4 = Conv2(4 * width, 8 * width)

    def forward(self, image: Tensor, flow: Tensor) -> list[Tensor]:
        """Map an image (N, 3, H, W) and a flow (N, 2, H, W) to four warped maps, finest first."""
        features = []
        for block in (self.conv1, self.conv2, self.conv3, self.conv4):
            image, flow = block(image), resize_flow(flow, 0.5)
            features.append(backward_warp(image, flow))
        return features


class Unet(nn.Module):
    """Corrects the blended frame with both references' warped features."""

    def __init__(self, width: int) -> None:
        """Build it for a ContextNet of `width`."""
        super().__init__()
        c = width
        self.down0 = Conv2(4 * 3 + 1 + FLOWS, 2 * c)
        self.down1 = Conv2(4 * c, 4 * c)
        self.down2 = Conv2(8 * c, 8 * c)
        self.down3 = Conv2(16 * c, 16 * c)
        self.up0 = _up(32 * c, 8 * c)
        self.up1 = _up(16 * c, 4 * c)
        self.up2 = _up(8 * c, 2 * c)
        self.up3 = _up(4 * c, c)
        self.conv = zero(nn.Conv2d(c, 3, 3, padding=1))

    def forward(self, images: Tensor, before: list[Tensor], after: list[Tensor]) -> Tensor:
        """Return the correction, (B, 3, H, W) in (-1, 1).

        Args:
            images: References, warped references, mask logit and flow, (B, 17, H, W).
            before: ContextNet's features of −, finest first, each (B, C·2^k, H/2^(k+1), W/2^(k+1)).
            after: The same of +.
        """
        s0 = self.down0(images)  # (B, 2·C, H/2, W/2)
        s1 = self.down1(torch.cat((s0, before[0], after[0]), dim=1))
        s2 = self.down2(torch.cat((s1, before[1], after[1]), dim=1))
        s3 = self.down3(torch.cat((s2, before[2], after[2]), dim=1))  # (B, 16·C, H/16, W/16)
        x = self.up0(torch.cat((s3, before[3], after[3]), dim=1))
        x = self.up1(torch.cat((x, s2), dim=1))
        x = self.up2(torch.cat((x, s1), dim=1))
        x = self.up3(torch.cat((x, s0), dim=1))  # (B, C, H, W)
        return 2 * torch.sigmoid(self.conv(x)) - 1


def _up(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1), nn.PReLU(outputs))


def _shrunk(x: Tensor, scale: int) -> Tensor:
    return x if scale == 1 else resize(x, 1 / scale)
