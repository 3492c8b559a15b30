"""What a method does with its window: the same clips again, with something taken from the context.

Each probe leaves the two references as they are, so that what it costs is what the frames beyond them gave:

- order: the frames beyond the references change places, their times stay;
- strangers: they are those of another clip;
- references: they are missing, as where footage lacks them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lift.evaluation.method import Method, Sample
from lift.evaluation.results import Measured, labels
from lift.evaluation.run import Clips
from lift.metrics import ie, psnr
from lift.progress import bar
from lift.seeds import generator

NEAR = 1  # |offset| of the references


@dataclass(frozen=True, kw_only=True)
class Probe(Measured):
    """One clip under one probe; the fields are the columns of probes.csv."""

    probe: str
    whole: float
    """PSNR of the frame from the whole window, dB."""
    psnr: float
    """PSNR of the frame under the probe, dB."""
    moved: float
    """Mean absolute difference of the two frames, 0-255: 0.5 is what rounding to bytes can hide."""


def probe(
    methods: Mapping[int | None, Method], name: str, benchmark: str, clips: Clips, most: int
) -> list[Probe]:
    """Put a method of a window, by the seed of its training, under every probe on some clips.

    Args:
        methods: As for `evaluate`.
        name: For progress.
        benchmark: The clips' name.
        clips: Seen through the method's window.
        most: How many of them, evenly spread.

    Returns:
        A row for each seed, clip and probe; none for clips without any frame beyond the references.
    """
    rows = []
    for seed, method in methods.items():
        for index in bar(_evenly(len(clips), most), title=f"probes of {name} on {benchmark}", unit="clip"):
            sample = clips[index]
            if not bool(_far(sample).any()):
                continue
            with torch.inference_mode():
                whole = method(sample).frame
                changed = {key: method(change(clips, index)).frame for key, change in PROBES.items()}
            rows += [_row(benchmark, seed, clips, index, key, whole, frame) for key, frame in changed.items()]
    return rows


def _evenly(count: int, most: int) -> list[int]:
    """Choose `most` of `count` indices, each the middle of an equal share; all where there are fewer."""
    return list(range(count)) if most >= count else [(2 * i + 1) * count // (2 * most) for i in range(most)]


def _row(
    benchmark: str, seed: int | None, clips: Clips, index: int, key: str, whole: Tensor, frame: Tensor
) -> Probe:
    entry, sample = clips.rows[index], clips[index]
    return Probe(
        **labels(benchmark, seed, entry, sample),
        probe=key,
        whole=psnr(whole, sample["target"], data_range=1.0),
        psnr=psnr(frame, sample["target"], data_range=1.0),
        moved=ie(frame, whole, data_range=1.0),
    )


def _far(sample: Sample) -> Tensor:
    """Say which present frames lie beyond the references, (T)."""
    far: Tensor = sample["valid"] & (sample["offsets"].abs() != NEAR)
    return far


def reordered(clips: Clips, index: int) -> dict[str, Any]:
    """Let the frames beyond the references change places; a function of the clip's index."""
    sample = clips[index]
    places = _far(sample).nonzero().flatten()
    order = places[torch.from_numpy(generator(index, "order").permutation(len(places)))]
    frames = sample["frames"].clone()
    frames[places] = sample["frames"][order]
    return {**sample, "frames": frames}


def strange(clips: Clips, index: int) -> dict[str, Any]:
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


def alone(clips: Clips, index: int) -> dict[str, Any]:
    """Leave the references alone."""
    sample = clips[index]
    return {**sample, "valid": sample["valid"] & (sample["offsets"].abs() == NEAR)}


PROBES: Mapping[str, Callable[[Clips, int], dict[str, Any]]] = {
    "order": reordered,
    "strangers": strange,
    "references": alone,
}
