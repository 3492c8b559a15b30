"""What is measured: a function from a clip to the missing frame, whether a network or not."""

from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

Sample = Mapping[str, Any]
"""A dataset's item: frames (T, 3, H, W), offsets (T), valid (T), target (3, H, W), clip."""
Truth = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""True flow (4, H, W), pixels, and visibility (2, H, W)."""


class Prediction(NamedTuple):
    """A predicted frame and how it came about.

    Attributes:
        frame: (3, H, W), RGB in [0, 1].
        flow: (4, h, w), pixels at this resolution, which is the frame's or a whole fraction of it; channels
            0:2 lead from the missing frame to the reference at offset -1, 2:4 to the one at +1; None: the
            method has no flow.
        alpha: α, each given frame's share of the context, (T); None: the method has none.
    """

    frame: Tensor
    flow: Tensor | None = None
    alpha: Tensor | None = None


Method = Callable[[Sample], Prediction]
Predictor = Callable[[Sample, int], Mapping[int, Prediction]]
"""From a clip whose frames all lie before the missing one, and a horizon, to the frames up to it that the
method makes, by how far ahead they lie: 1 is the missing frame.
"""


def of_model(model: nn.Module, device: torch.device | str = "cpu") -> Method:
    """Make a method of a network, which is put on `device` and in evaluation mode.

    Args:
        model: `model(frames, offsets, valid)`, of batches, gives an `Output` (lift/models).
        device: Where it computes; predictions stay there.
    """
    model = model.to(device).eval()

    def predict(sample: Sample) -> Prediction:
        given = (sample[key][None].to(device) for key in ("frames", "offsets", "valid"))
        output = model(*given)
        maps = (output.flow, output.alpha)
        return Prediction(output.frame[0], *(None if values is None else values[0] for values in maps))

    return predict


def of_predictor(
    model: nn.Module, horizons: Collection[int], *, recurrent: bool, device: torch.device | str = "cpu"
) -> Predictor:
    """Make a predictor of a network, which is put on `device` and in evaluation mode.

    Args:
        model: As for `of_model`; built for prediction.
        horizons: Which frames ahead it has learnt.
        recurrent: Feed each predicted frame back as the newest of a window that moves on; else every frame is
            made from the given ones, at the horizons learnt alone.
        device: As for `of_model`.
    """
    method = of_model(model, device)

    def predict(sample: Sample, horizon: int) -> Mapping[int, Prediction]:
        if not recurrent:
            wanted = [ahead for ahead in sorted(horizons) if ahead <= horizon]
            return {ahead: method({**sample, "offsets": sample["offsets"] - (ahead - 1)}) for ahead in wanted}
        found: dict[int, Prediction] = {}
        window = dict(sample)
        for ahead in range(1, horizon + 1):
            found[ahead] = method(window)
            frame = found[ahead].frame.to(window["frames"].device)
            window["frames"] = torch.cat((window["frames"][1:], frame[None]))
            window["valid"] = torch.cat((window["valid"][1:], torch.ones_like(window["valid"][:1])))
        return found

    return predict


def reference(sample: Sample, offset: int) -> Tensor:
    """Pick the frame at `offset` (-1 or +1; of prediction -2 or -1) of a clip, (3, H, W).

    Raises:
        ValueError: The clip does not have it.
    """
    place = (sample["offsets"] == offset) & sample["valid"]
    if int(place.sum()) != 1:
        raise ValueError(f"{sample['clip']}: no frame at offset {offset}")
    frame: Tensor = sample["frames"][int(place.nonzero()[0])]
    return frame
