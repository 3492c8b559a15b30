"""Training with less, or other, context than the window holds, so that a model bears what it meets in use.

Benchmarks lack frames (specification section 2: missing context), and doubling a frame rate has uniform
windows where a dense one was trained. Both draws are functions of the seed and the clip's place, as all
randomness here.
"""

from typing import Any, Generic, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Dataset

from lift import seeds
from lift.ops.references import reference_offsets
from lift.training.sampler import Draw


def drop_context(batch: dict[str, Tensor], chance: float, seed: int) -> dict[str, Tensor]:
    """Mask each present frame with `chance`, never a reference.

    Args:
        batch: `frames` (B, T, 3, H, W), `offsets` (B, T), `valid` (B, T) and more; not changed.
        chance: Of each frame, independently.
        seed: Of this batch.

    Returns:
        The batch, with fewer frames valid; pixels stay, since nothing looks at a frame that is not valid.
    """
    if chance == 0:
        return batch
    random = torch.rand(batch["valid"].shape, generator=torch.Generator().manual_seed(seed))
    first, second = reference_offsets(batch["offsets"])[..., None]
    needed = (batch["offsets"] == first) | (batch["offsets"] == second)  # a clip without both is no clip
    keep = (random >= chance).to(batch["valid"].device) | needed
    return {**batch, "valid": batch["valid"] & keep}


View = TypeVar("View", bound=Dataset[Any])


class Mixed(Dataset[Any], Generic[View]):
    """Clips seen through one of two windows of equally many frames, drawn anew at each visit."""

    def __init__(self, usual: View, other: View, share: float, seed: int) -> None:
        """Mix two views of the same clips.

        Args:
            usual: Through the model's own window.
            other: Through the other.
            share: Of visits that see the other.
            seed: The run's seed.
        """
        self._usual, self._other, self._share, self._seed = usual, other, share, seed

    def __getitem__(self, key: Draw) -> Any:
        """Read one clip through the window that is drawn for its place."""
        return self.seen(key)[key]

    def seen(self, key: Draw) -> View:
        """Return the view of the clips through the window that is drawn for a place."""
        index, epoch, visit = key
        drawn = seeds.generator(self._seed, "window", epoch, visit, index).random()
        return self._other if drawn < self._share else self._usual
