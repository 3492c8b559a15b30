"""What is measured: a function from a clip to the missing frame, whether a network or not."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

Sample = Mapping[
    str, Any
]  # a dataset's item: frames (T, 3, H, W), offsets (T), valid (T), target (3, H, W), clip


class Prediction(NamedTuple):
    """A predicted frame and how it came about.

    Attributes:
        frame: (3, H, W), RGB in [0, 1].
        coarse: The frame before refinement, (3, h, w); None where the method has no such thing.
        flow: (4, h, w), pixels at this resolution, which is the frame's or a whole fraction of it; channels
        0:2 lead from the
            missing frame to the reference at offset -1, 2:4 to the one at +1; None: the method has no flow.
        weights: α, each given frame's share of the context, (T); None: the method has none.
    """

    frame: Tensor
    coarse: Tensor | None = None
    flow: Tensor | None = None
    weights: Tensor | None = None


Method = Callable[[Sample], Prediction]


def of_model(model: nn.Module, device: torch.device | str = "cpu") -> Method:
    """Make a method of a network, which is put on `device` and in evaluation mode.

    Args:
        model: `model(frames, offsets, valid)`, of batches, gives frame, coarse, flow and weights
        (lift/models/output.py).
        device: Where it computes; predictions stay there.
    """
    model = model.to(device).eval()

    def predict(sample: Sample) -> Prediction:
        given = (sample[key][None].to(device) for key in ("frames", "offsets", "valid"))
        output = model(*given)
        maps = (output.coarse, output.flow, output.weights)
        return Prediction(output.frame[0], *(None if values is None else values[0] for values in maps))

    return predict


def reference(sample: Sample, offset: int) -> Tensor:
    """Pick the frame at `offset` (-1 or +1) of a clip, (3, H, W).

    Raises:
        ValueError: The clip does not have it.
    """
    place = (sample["offsets"] == offset) & sample["valid"]
    if int(place.sum()) != 1:
        raise ValueError(f"{sample['clip']}: no frame at offset {offset}")
    frame: Tensor = sample["frames"][int(place.nonzero()[0])]
    return frame
