"""What a method does with its window: the same clips again, with something taken from the context.

Each probe leaves the two references as they are, so that what it costs is what the frames beyond them gave:

- order: the frames beyond the references change places, their times stay;
- strangers: they are those of another clip;
- references: they are missing, as where footage lacks them.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from lift.data.dataset import ClipDataset
from lift.evaluation.method import Method, Sample
from lift.evaluation.results import Row, rounded
from lift.metrics import ie, psnr
from lift.seeds import generator

NEAR = 1  # |offset| of the references


def probe(
    method: Method, clips: ClipDataset, index: int, whole: Tensor, shared: Mapping[str, Any]
) -> list[Row]:
    """Put a method of a window under every probe on one clip.

    Args:
        method: As it is measured.
        clips: Seen through the method's window.
        index: The clip's.
        whole: The frame that the method makes of it as it is.
        shared: What all rows of the clip have (`labels`).

    Returns:
        A row for each probe; none for a clip without any frame beyond the references.
    """
    sample, rows = clips[index], []
    if not bool(_far(sample).any()):
        return []
    for key, change in PROBES.items():
        frame = method(change(clips, index)).frame
        judged = {
            "whole": psnr(whole, sample["target"], data_range=1.0),
            "psnr": psnr(frame, sample["target"], data_range=1.0),
            "moved": ie(frame, whole, data_range=1.0),
        }
        rows.append(rounded({**shared, "probe": key, **judged}))
    return rows


def evenly(count: int, most: int) -> list[int]:
    """Choose `most` of `count` indices, each the middle of an equal share; all where there are fewer."""
    return list(range(count)) if most >= count else [(2 * i + 1) * count // (2 * most) for i in range(most)]


def _far(sample: Sample) -> Tensor:
    """Say which present frames lie beyond the references, (T)."""
    far: Tensor = sample["valid"] & (sample["offsets"].abs() != NEAR)
    return far


def reordered(clips: ClipDataset, index: int) -> dict[str, Any]:
    """Let the frames beyond the references change places; a function of the clip's index."""
    sample = clips[index]
    places = _far(sample).nonzero().flatten()
    order = places[torch.from_numpy(generator(index, "order").permutation(len(places)))]
    frames = sample["frames"].clone()
    frames[places] = sample["frames"][order]
    return {**sample, "frames": frames}


def strange(clips: ClipDataset, index: int) -> dict[str, Any]:
    """Take the frames beyond the references from the next clip of the same size."""
    sample = clips[index]
    others = (clips[(index + step) % len(clips)] for step in range(1, len(clips) + 1))
    other = next(one for one in others if one["frames"].shape == sample["frames"].shape)
    far = sample["offsets"].abs() != NEAR
    return {
        **sample,
        "frames": torch.where(far[:, None, None, None], other["frames"], sample["frames"]),
        "valid": torch.where(far, other["valid"], sample["valid"]),
    }


def alone(clips: ClipDataset, index: int) -> dict[str, Any]:
    """Leave the references alone."""
    sample = clips[index]
    return {**sample, "valid": sample["valid"] & (sample["offsets"].abs() == NEAR)}


PROBES: Mapping[str, Callable[[ClipDataset, int], dict[str, Any]]] = {
    "order": reordered,
    "strangers": strange,
    "references": alone,
}
