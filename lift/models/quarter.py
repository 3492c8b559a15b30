"""Maps that a model makes at full resolution, at the quarter that `Output` promises."""

from torch import Tensor

from lift.ops.pad import crop_to
from lift.ops.resize import resize


def quarter(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Reduce padded maps to a quarter.

    Args:
        x: (B, C, H, W), sides multiples of 4. Flows keep their values: divide by 4.
        size: Height and width before padding.

    Returns:
        (B, C, ⌈height/4⌉, ⌈width/4⌉).
    """
    return crop_to(resize(x, 0.25), (-(-size[0] // 4), -(-size[1] // 4)))
