"""How a predicted frame and its flow are judged (protocols section 0).

Frames are single, RGB, (3, H, W), from 0 to `data_range`, the value of white; every metric of frames rounds
both to 8 bits first, what a viewer sees, and gives one number per frame. Means over clips are taken
afterwards, from those numbers (`Means`).
"""

from lift.metrics.error import Means, edges, ie, ie_rms, ie_where, psnr, to_bytes
from lift.metrics.flow import epe, full_size, occluded, warping_error
from lift.metrics.perceptual import Lpips
from lift.metrics.similarity import both_ssims, ms_ssim, ssim, ssim_matlab

__all__ = [
    "Lpips", "Means", "both_ssims", "edges", "epe", "full_size", "ie", "ie_rms", "ie_where", "ms_ssim",
    "occluded", "psnr", "ssim", "ssim_matlab", "to_bytes", "warping_error",
]  # fmt: skip
