"""Flow as colour: direction is hue, magnitude is saturation.

The colour wheel of Baker et al., "A Database and Evaluation Methodology for Optical Flow", IJCV 2011, section
4.1 and its published colour code.
"""

import numpy as np
from numpy.typing import NDArray

# Six pure hues and the wheel positions where they stand; the unequal steps follow the eye's sense of hue.
POSITIONS = (0, 15, 21, 25, 36, 49, 55)
HUES = ((1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1), (1, 0, 0))
BEYOND = 0.75  # brightness of a motion longer than the longest shown


def flow_to_rgb(flow: NDArray[np.floating], longest: float | None = None) -> NDArray[np.uint8]:
    """Paint a flow: white is no motion, full colour the longest motion, darker colour a longer one.

    Args:
        flow: (2, H, W), pixels, channel 0 = x to the right, 1 = y down.
        longest: Magnitude of full colour, pixels; None: the largest of this flow. Give one to compare
            pictures.

    Returns:
        RGB, (H, W, 3), 0-255; black where the flow is not finite.

    Raises:
        ValueError: `flow` is no (2, H, W), or `longest` is not positive.
    """
    if flow.ndim != 3 or flow.shape[0] != 2:
        raise ValueError(f"expected a flow of shape (2, H, W), found {flow.shape}")
    if longest is not None and not longest > 0:
        raise ValueError(f"longest: expected a positive number of pixels, found {longest}")
    known = np.isfinite(flow).all(axis=0)
    x, y = np.where(known, flow, 0.0).astype(np.float64)
    magnitude = np.hypot(x, y)
    scale = longest if longest is not None else float(magnitude.max(initial=0.0)) or 1.0
    radius = (magnitude / scale)[..., None]
    hue = _hue(x, y)
    colour = np.where(radius <= 1, 1 - radius * (1 - hue), BEYOND * hue)
    return np.where(known[..., None], np.rint(255 * colour), 0).astype(np.uint8)


def _hue(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the pure colour (H, W, 3), 0-1, of each direction."""
    turn = (np.arctan2(-y, -x) / np.pi + 1) / 2  # 0 … 1
    place = turn * (POSITIONS[-1] - 1)  # the published code counts the wheel's entries from 0
    return np.stack([np.interp(place, POSITIONS, ramp) for ramp in zip(*HUES, strict=True)], axis=-1)
