"""Keep of the blend what the two warped references agree on: the start of stage 5 where `flow: matching`.

Where the flow is exact both references show the same picture and their blend is sharp; where it is not
(water, leaves, what was never found) the blend shows everything twice, and less of its detail is nearer to
the truth. The references themselves tell how much: half their difference has about as much error in it as
their blend. So each band of detail is kept by a Wiener filter's share, measured around the pixel. A small
network corrects these shares, and which reference is believed in each band, by the same evidence.

Sources: bands, the à trous transform with the B3 spline, Starck et al., "The Undecimated Wavelet
Decomposition", IEEE TIP 2007; share, Lee, "Digital Image Enhancement and Noise Filtering by Use of Local
Statistics", IEEE PAMI 1980; learnt shrinkage, Hel-Or & Shaked, "A Discriminative Approach for Wavelet
Denoising", IEEE TIP 2008.

Legend: B samples; W− and W+ the warped references; A their blend, D = (W− − W+) / 2; L bands.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lift.models.blocks import conv, zero_conv
from lift.models.matching.options import Matching
from lift.ops.local import local_mean
from lift.ops.resize import resize

SPLINE = (1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16)  # B3
LEAST = 0.02  # of a share where the network takes over: its logit would be endless at 0 and 1
STRIDE = 2  # of the network


class Agreement(nn.Module):
    """Blend two warped references by visibility, and shrink detail that they do not share."""

    def __init__(self, options: Matching) -> None:
        super().__init__()
        self.options = options
        width = options.share_width
        # For each band how strong both are, close by and around; and visibility, motion, acceleration, rest
        inputs = 4 * options.bands + 4
        self.network = nn.Sequential(
            conv(inputs, width),
            nn.ReLU(inplace=True),
            conv(width, width),
            nn.ReLU(inplace=True),
            conv(width, width),
            nn.ReLU(inplace=True),
            zero_conv(width, 2 * options.bands + 1),
        )

    def forward(self, before: Tensor, after: Tensor, visible: Tensor, flow: Tensor) -> Tensor:
        """Return the blend of W− and W+, (B, 3, H, W), H and W even; float32 or wider.

        Args:
            before: W−.
            after: W+.
            visible: O, (B, 2, H, W) in (0, 1), high = visible.
            flow: By which they were warped, (B, 4, H, W), pixels, − then +.
        """
        exact = torch.promote_types(before.dtype, torch.float32)
        before, after, visible, flow = (maps.to(exact) for maps in (before, after, visible, flow))
        share = visible[:, :1] / visible.sum(dim=1, keepdim=True)  # (B, 1, H, W)
        rest, differ = share * before + (1 - share) * after, (before - after) / 2
        # Visibility counts a reference inversely to its error, so with its share: of D's power the blend has
        error = 8 * (share * (1 - share)) ** 2 / (share**2 + (1 - share) ** 2)  # 1 of equals, 0 of one alone
        bands: list[tuple[Tensor, Tensor, Tensor]] = []
        evidence = [torch.logit(share, LEAST)]
        for level in range(self.options.bands):
            smooth, coarse = _smooth(rest, 2**level), _smooth(differ, 2**level)
            detail, doubt = rest - smooth, differ - coarse
            powers = torch.cat((_power(detail), error * _power(doubt)), dim=1)
            around = local_mean(powers, self.options.around)
            kept = 1 - self.options.doubt * around[:, 1:] / (around[:, :1] + self.options.faint**2)
            bands.append((detail, doubt, torch.logit(kept, LEAST)))
            evidence += [self._strength(around), self._strength(local_mean(powers, self.options.close))]
            rest, differ = smooth, coarse
        speed, bend = (flow[:, 2:] - flow[:, :2]) / 2, (flow[:, 2:] + flow[:, :2]) / 2
        evidence += [self._strength(_power(differ)), _size(speed), _size(bend)]
        corrections = resize(self.network(F.avg_pool2d(torch.cat(evidence, dim=1), STRIDE)), STRIDE)
        shares, sides = corrections.to(exact)[:, : len(bands)], corrections.to(exact)[:, len(bands) :]
        frame = rest + sides[:, -1:] * differ
        for level, (detail, doubt, logit) in enumerate(bands):
            kept = torch.sigmoid(logit + shares[:, level : level + 1])
            frame = frame + kept * detail + sides[:, level : level + 1] * doubt
        return frame

    def _strength(self, power: Tensor) -> Tensor:
        """Return the strength of maps of squares: a logarithm, so factors are steps; 0 where nothing is."""
        strength: Tensor = torch.log10(1 + power / self.options.faint**2)
        return strength


def _smooth(maps: Tensor, step: int) -> Tensor:
    """Smooth maps (B, C, H, W) by the spline with its taps `step` pixels apart, edges repeated."""
    # Not a convolution, which autocast would do in half precision
    for dim, edges in ((2, (0, 0, 2 * step, 2 * step)), (3, (2 * step, 2 * step, 0, 0))):
        size, padded = maps.shape[dim], F.pad(maps, edges, mode="replicate")
        taps = [padded.narrow(dim, i * step, size) for i in range(len(SPLINE))]
        maps = SPLINE[0] * taps[0]
        for weight, tap in zip(SPLINE[1:], taps[1:], strict=True):
            maps = maps + weight * tap
    return maps


def _power(maps: Tensor) -> Tensor:
    """Return the mean square over channels, (B, 1, H, W)."""
    return (maps**2).mean(dim=1, keepdim=True)


def _size(motion: Tensor) -> Tensor:
    """Return the length of motions (B, 2, H, W), pixels, on a logarithmic scale, (B, 1, H, W)."""
    return torch.log10(1 + (motion**2).sum(dim=1, keepdim=True))
