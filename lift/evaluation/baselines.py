"""Methods without training (specification sections 3 and 8): what any trained model has to beat."""

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lift.errors import UserError
from lift.evaluation.method import Method, Prediction, Predictor, Sample, reference
from lift.metrics import to_bytes
from lift.ops.warp import backward_warp

STRIDE = 4  # resolution of the models' flows, so that all methods' flow maps compare
SMALLEST = 16  # pixels: below its patches of 8 at half size, OpenCV's DIS ends the process instead of raising


def repeat(sample: Sample) -> Prediction:
    """Show the nearest earlier frame again: the material as it is, with no interpolation."""
    return Prediction(reference(sample, -1))


def average(sample: Sample) -> Prediction:
    """Cross-fade: the mean of the two references; its flow is zero."""
    before, after = reference(sample, -1), reference(sample, 1)
    height, width = before.shape[1:]
    still = before.new_zeros(4, -(-height // STRIDE), -(-width // STRIDE))
    return Prediction((before + after) / 2, flow=still)


def dis(sample: Sample) -> Prediction:
    """Warp both references half way along their optical flow, and average.

    The flow between the references is OpenCV's DIS, preset medium (Kroeger et al., ECCV 2016), in both
    directions. Motion is taken as uniform in time and, over half an interval, in space: the missing frame's
    flow to one reference is half of the flow found in the other reference at the same pixel.

    Raises:
        UserError: Frames below 16 pixels.
    """
    before, after = reference(sample, -1), reference(sample, 1)
    _refuse_small(sample, before, "dis")
    grey_before, grey_after = _grey(before), _grey(after)
    flows = (_flow(grey_after, grey_before), _flow(grey_before, grey_after))  # to offset -1, to offset +1
    flow = torch.cat(flows).to(before.device) / 2
    warped = backward_warp(torch.stack((before, after)), flow.reshape(2, 2, *flow.shape[1:]))
    return Prediction(warped.mean(dim=0), flow=flow)


def last(sample: Sample, horizon: int) -> Mapping[int, Prediction]:
    """Show the last frame again, up to `horizon` frames ahead."""
    frame = reference(sample, -1)
    return {ahead: Prediction(frame) for ahead in range(1, horizon + 1)}


def extrapolated(sample: Sample, horizon: int) -> Mapping[int, Prediction]:
    """Carry the motion between the last two frames on: DIS flow as in `dis`, uniform in time and nearby.

    The flow from the last frame to the one before, h times, is where the frame h ahead samples the last one.

    Raises:
        UserError: Frames below 16 pixels.
    """
    before, frame = reference(sample, -2), reference(sample, -1)
    _refuse_small(sample, frame, "extrapolated")
    flow = _flow(_grey(frame), _grey(before))[None].to(frame.device)
    return {ahead: Prediction(backward_warp(frame[None], ahead * flow)[0]) for ahead in range(1, horizon + 1)}


def _refuse_small(sample: Sample, frame: Tensor, name: str) -> None:
    if min(frame.shape[1:]) < SMALLEST:
        raise UserError(
            f"{sample['clip']}: the baseline {name} needs frames of at least {SMALLEST} × {SMALLEST} pixels, "
            f"found {frame.shape[1]} × {frame.shape[2]}; leave it out of `baselines`"
        )


def _grey(frame: Tensor) -> NDArray[np.uint8]:
    pixels = to_bytes(frame, data_range=1.0).astype(np.uint8).transpose(1, 2, 0)
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), np.uint8)


def _flow(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Tensor:
    """Return (2, H, W), pixels: second(p + flow(p)) shows what first(p) shows."""
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    unset = np.zeros((*first.shape, 2), np.float32)
    return torch.from_numpy(np.asarray(estimator.calc(first, second, unset), np.float32)).permute(2, 0, 1)


BASELINES: dict[str, Method] = {"repeat": repeat, "average": average, "dis": dis}
PREDICTORS: dict[str, Predictor] = {"last": last, "extrapolated": extrapolated}
