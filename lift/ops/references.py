"""Which two frames of a window the missing one is made from."""

import torch
from torch import Tensor


def reference_offsets(offsets: Tensor) -> Tensor:
    """Return the offsets of the two references, (2, ...), in a window of frames at `offsets`, (..., T).

    -1 and +1; where all frames lie before the missing one, which then is predicted, the last two.
    """
    last = offsets.amax(dim=-1)
    ahead = last < 0
    first = torch.where(ahead, last - 1, -torch.ones_like(last))
    return torch.stack((first, torch.where(ahead, last, torch.ones_like(last))))
