"""Which frames make a clip: pure functions of frame numbers (specification section 2).

A clip: a missing frame (the target, offset 0) and the frames around it: offset o is frame target + o * step.
"""

from collections.abc import Collection, Sequence


def spread(count: int, limit: int | None) -> list[int]:
    """Choose `limit` of the positions 0 … count-1, evenly: the middles of equal shares; None: all."""
    if limit is None or limit >= count:
        return list(range(count))
    return [(2 * i + 1) * count // (2 * limit) for i in range(limit)]


def targets(
    numbers: Sequence[int], before: int, after: int, spacing: int, limit: int | None, *, stride: int = 1
) -> list[int]:
    """Choose the missing frames of a video.

    Args:
        numbers: Frames that exist, ascending (gaps allowed).
        before: Frames that must exist directly before a target.
        after: Frames that must exist directly after it.
        spacing: Least distance of two targets.
        limit: Most targets, evenly spread over those; None: all.
        stride: Frames between two neighbours of a clip.

    Returns:
        Frame numbers, ascending; empty where the video is too short.
    """
    chosen: list[int] = []
    exist = frozenset(numbers)
    for number in numbers:
        if chosen and number < chosen[-1] + spacing:
            continue
        if all(number + offset * stride in exist for offset in range(-before, after + 1)):
            chosen.append(number)
    return [chosen[i] for i in spread(len(chosen), limit)]


def present(
    numbers: Collection[int], target: int, step: int, before: int, after: int, *, uniform: bool
) -> tuple[int, ...]:
    """List the context offsets of a target that exist, ascending.

    Args:
        numbers: Frames that exist; a set or range, as membership is asked often.
        target: The missing frame.
        step: Frames between two offsets.
        before: Furthest offset before the target.
        after: Furthest offset after it.
        uniform: Odd offsets alone (±1, ±3, …), as when a frame rate is doubled: with the references at ±1,
            nothing between them is ever seen.
    """
    stride = 2 if uniform else 1
    past = range(-1, -before - 1, -stride)
    offsets = (*reversed(past), *range(1, after + 1, stride))
    return tuple(offset for offset in offsets if target + offset * step in numbers)
