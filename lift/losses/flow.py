"""Losses of the two flows: smooth where the frame is, and warping the references onto the target.

Flow: (B, 4, h, w) at 1/4 of the frame's size, rounded up; channels 0:2 lead from the target to the
reference at offset -1, 2:4 to the one at +1; pixels at this resolution. Target: (B, 3, H, W), RGB in [0, 1].
"""

import torch
from torch import Tensor

from lift.losses.frames import l1
from lift.ops.pad import pad_to_multiple
from lift.ops.references import reference_offsets
from lift.ops.resize import resize
from lift.ops.warp import backward_warp

STRIDE = 4  # the flow's resolution, s4: specification section 3
# Jonschkowski et al., "What Matters in Unsupervised Optical Flow", ECCV 2020; λ of their published code.
EDGE = 150.0


def smoothness(flow: Tensor, target: Tensor) -> Tensor:
    """Return the mean size of both flows' steps between neighbours, discounted where the target has an edge.

    The mean of |∂F| · exp(-150 · mean over colours of |∂I|), along x plus along y: first order, as in
    Jonschkowski et al. The edges are the target's, in whose pixels the flows live.

    A scalar, in pixels of the flow's resolution; 0 for uniform motion.
    """
    image = _reduced(target, flow)
    along_x = flow.diff(dim=3).abs() * _inside(image.diff(dim=3))
    along_y = flow.diff(dim=2).abs() * _inside(image.diff(dim=2))
    return along_x.mean() + along_y.mean()


def warping(flow: Tensor, references: Tensor, target: Tensor) -> Tensor:
    """Return the L1 distance between the target and the warped references (B, 2, 3, H, W), summed.

    At the size of the flow (B, 4, h, w); frames are RGB in [0, 1], the references in the order of the flows.
    """
    image = _reduced(target, flow)
    before, after = (_reduced(reference, flow) for reference in references.unbind(dim=1))
    return l1(backward_warp(before, flow[:, :2]), image) + l1(backward_warp(after, flow[:, 2:]), image)


def references(frames: Tensor, offsets: Tensor) -> Tensor:
    """Pick every clip's references: the frames at offsets -1 and +1, of prediction the last two.

    Of frames (B, T, 3, H, W) at offsets (B, T), whose signs augmentation changes by clip: (B, 2, 3, H, W).

    Raises:
        ValueError: A clip lacks one of the two.
    """
    places = offsets[:, None] == reference_offsets(offsets).T[..., None]  # (B, 2, T)
    if not bool(places.any(dim=2).all()):
        raise ValueError(f"a clip without both references: offsets {offsets.tolist()}")
    rows = torch.arange(len(frames), device=frames.device)[:, None]
    return frames[rows, places.int().argmax(dim=2)]


def _reduced(frame: Tensor, flow: Tensor) -> Tensor:
    """Reduce a frame (B, 3, H, W) to the flow's (h, w) as the model does: padded, then by 4 exactly."""
    padded, _ = pad_to_multiple(frame, STRIDE)
    reduced = resize(padded, 1 / STRIDE)
    if reduced.shape[2:] != flow.shape[2:]:
        raise ValueError(f"flow {tuple(flow.shape)} is not at 1/{STRIDE} of the frame {tuple(frame.shape)}")
    return reduced


def _inside(step: Tensor) -> Tensor:
    """Return a weight near 1 inside a surface and near 0 across an edge, (B, 1, h, w)."""
    return torch.exp(-EDGE * step.abs().mean(dim=1, keepdim=True))
