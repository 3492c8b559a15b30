"""What every interpolation model returns."""

from typing import NamedTuple

from torch import Tensor


class Output(NamedTuple):
    """A predicted frame and how it came about.

    A NamedTuple and not a frozen dataclass: Lightning Fabric's precision plugins rebuild outputs field by
    field and refuse frozen dataclasses.

    Attributes:
        frame: The missing frame, (B, 3, H, W), RGB; in [0, 1] in evaluation mode, unclamped in training so
            that gradients reach values outside.
        coarse: The frame before full-resolution refinement, (B, 3, ⌈H/4⌉, ⌈W/4⌉), unclamped; None where the
            model has no such frame.
        flow: (B, 4, ⌈H/4⌉, ⌈W/4⌉), pixels at this resolution; channels 0:2 lead to the reference at offset
            −1, 2:4 to the one at +1 (of prediction to the last frame but one, and to the last); of each pair
            the first is x to the right, the second y down; target(p) samples reference(p + flow). None where
            the model estimates no flow.
        occlusion: Blend weights (B, 2, ⌈H/4⌉, ⌈W/4⌉) in [0, 1] of the references at −1 and +1: high = visible
            there. None where the model has no such weights.
        alpha: α, each given frame's share of the context, (B, T), in the order of the input, 0 where
            absent, summing to 1; None where the model has no context.
        blend: The warped references blended by visibility, before any network corrects them, of the size of
            `coarse` and unclamped: `coarse` less this is what the context adds, and the frame less `coarse`
            what the refinement adds. None where `coarse` itself is that blend, or there is none.
        auxiliary: Terms of the training loss, by their name in the configuration, that only the model can
            compute (scalars); None without the true frame, and where it has none.
    """

    frame: Tensor
    coarse: Tensor | None
    flow: Tensor | None
    occlusion: Tensor | None
    alpha: Tensor | None
    blend: Tensor | None = None
    auxiliary: dict[str, Tensor] | None = None
