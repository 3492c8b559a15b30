"""Which of a batch's frames take part: references found, absent frames left out, the rest in time order.

Everything after this works on present frames only. So what stands in an absent frame (even NaN) cannot reach
the result, the order of the input does not matter, and absent slots cost nothing.

Legend: B samples, T frame slots as given, N present frames in all, V most present frames of a sample;
`offsets` (B, T) is each frame's distance from the missing one, in any order, and `valid` (B, T), bool, tells
which are present.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from lift.models.interface import check_inputs

SPAN = 2.0  # offsets between the references: specification section 2.1


class Lineup(NamedTuple):
    """The present frames of a batch, the references first.

    Attributes:
        rows: Sample of each present frame, (N,): first the B first references (at −1), then the B second (at
            +1), then all others.
        slots: Its slot among the T given, (N,).
        ranks: Its place in time order among its sample's present frames, (N,).
        present: (B, V), True for the ranks that a sample has.
        time: When the missing frame is, 0 at the first reference and 1 at the second, (B,): 1/2 between them.
    """

    rows: Tensor
    slots: Tensor
    ranks: Tensor
    present: Tensor
    time: Tensor

    @property
    def samples(self) -> int:
        """B."""
        return self.present.shape[0]

    def by_rank(self, values: Tensor) -> Tensor:
        """Lay out what belongs to present frames, (N, ...), in time order, (B, V, ...); else zeros."""
        laid = values.new_zeros((*self.present.shape, *values.shape[1:]))
        return laid.index_put((self.rows, self.ranks), values)

    def by_slot(self, values: Tensor, slots: int) -> Tensor:
        """Put values in time order, (B, V), back to the T slots of the input, (B, T), zeros where absent."""
        laid = values.new_zeros(self.samples, slots)
        return laid.index_put((self.rows, self.slots), values[self.rows, self.ranks])


def line_up(
    offsets: Tensor, valid: Tensor, task: str = "interpolate", *, references_only: bool = False
) -> Lineup:
    """Return where the references are, and the present frames in time order; see `Lineup`.

    Args:
        offsets: (B, T), of the frames that a batch gives.
        valid: (B, T), false where a sample lacks the frame.
        task: interpolate or predict.
        references_only: For a model without context: no other frame is listed.

    Raises:
        ValueError: A sample has not exactly one present frame at each reference's offset.
    """
    (first, second), valid = references_of(offsets, valid, task)
    before, after = slot_of(offsets, valid, first), slot_of(offsets, valid, second)
    order = offsets.masked_fill(~valid, torch.inf).argsort(dim=1, stable=True)  # (B, T): slot of each rank
    rank = order.argsort(dim=1)  # (B, T): rank of each slot
    samples = torch.arange(len(offsets), device=offsets.device)
    rows, slots = torch.cat((samples, samples)), torch.cat((before, after))
    if not references_only:  # references come first, so that full-resolution features are made of them alone
        others = (valid & (offsets != first[:, None]) & (offsets != second[:, None])).nonzero()
        rows, slots = torch.cat((rows, others[:, 0])), torch.cat((slots, others[:, 1]))
    counts = valid.sum(dim=1)
    present = torch.arange(int(counts.max()), device=offsets.device) < counts[:, None]
    return Lineup(rows, slots, rank[rows, slots], present, -first / (second - first))


def references_of(offsets: Tensor, valid: Tensor, task: str) -> tuple[Tensor, Tensor]:
    """Return the offsets of the references, (2, B), and which frames a task may use, (B, T).

    To interpolate they are at −1 and +1. To predict they are the last frame before the missing one, at −h
    where that is the h-th after it, and its neighbour at −h − 1; no frame from the missing one on is used.
    """
    if task == "interpolate":
        return offsets.new_tensor((-1, 1))[:, None].expand(2, len(offsets)), valid
    past = valid & (offsets < 0)
    last = offsets.masked_fill(~past, -torch.inf).amax(dim=1)
    return torch.stack((last - 1, last)), past


def two_references(frames: Tensor, offsets: Tensor, valid: Tensor, task: str) -> tuple[Tensor, Tensor]:
    """Check a model's input, (B, T, 3, H, W), and pick the references.

    Returns:
        (2, B, 3, H, W), and the time of the missing frame, 0 at the first and 1 at the second, (B,).

    Raises:
        ValueError: The input does not fit, or a sample lacks a reference.
    """
    check_inputs(frames, offsets, valid)
    wanted, valid = references_of(offsets.float(), valid, task)
    rows = torch.arange(len(frames), device=frames.device)
    picked = torch.stack([frames[rows, slot_of(offsets, valid, offset)] for offset in wanted])
    return picked, -wanted[0] / (wanted[1] - wanted[0])


def slot_of(offsets: Tensor, valid: Tensor, offset: Tensor) -> Tensor:
    """Find the slot of the reference at each sample's `offset`, (B,).

    Raises:
        ValueError: A sample has not exactly one present frame there.
    """
    match = valid & (offsets == offset[:, None])
    found = match.sum(dim=1)
    if bool((found != 1).any()):
        sample = int((found != 1).nonzero()[0])
        there = offsets[sample][valid[sample]].tolist()
        raise ValueError(
            f"sample {sample} of the batch has {int(found[sample])} valid frames at offset "
            f"{float(offset[sample]):+.0f}, not one (its valid offsets: {there}); both references are needed"
        )
    return match.int().argmax(dim=1)


def pick_present(
    frames: Tensor, offsets: Tensor, valid: Tensor, wanted: tuple[float, ...]
) -> tuple[Tensor, Tensor]:
    """Pick of frames (B, T, 3, H, W) those at the N `wanted` offsets that are present; zeros for the others.

    Returns:
        (B, N, 3, H, W), and which are present, (B, N).
    """
    match = valid[:, None] & (offsets[:, None] == offsets.new_tensor(wanted)[:, None])  # (B, N, T)
    there, rows = match.any(dim=2), torch.arange(len(frames), device=frames.device)[:, None]
    picked = frames[rows, match.int().argmax(dim=2)]
    return picked.masked_fill(~there[..., None, None, None], 0), there
