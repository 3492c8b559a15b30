"""The arithmetic of a training by the clock: seconds into scenes and steps. Pure functions."""

import math
from collections.abc import Mapping, Sequence


def scenes(seconds: float, workers: int, per_scene: float, least: int, most: int) -> int:
    """Return how many scenes `workers` processes render in so many seconds, `least` to `most`.

    Args:
        seconds: For all of it.
        workers: Processes.
        per_scene: Seconds of one process for a scene.
        least: Scenes without which there is nothing to learn from.
        most: Scenes wanted.
    """
    return max(least, min(most, math.floor(seconds * workers / per_scene)))


def share_of(shares: Sequence[float], index: int, seconds: float) -> float:
    """Return the seconds of group `index`, of those that are left for it and the groups behind it."""
    return seconds * shares[index] / math.fsum(shares[index:])


def steps(seconds: float, per_step: Sequence[float], finish: float, margin: float) -> int:
    """Return how many steps each method of a group takes, the same number for all; 0: there is no time.

    Args:
        seconds: Of the group.
        per_step: Seconds of a step, by method.
        finish: Seconds of a method's validation and last files.
        margin: Share of the time that is not planned.
    """
    left = seconds * (1 - margin) - finish * len(per_step)
    return max(0, math.floor(left / math.fsum(per_step)))


def until(now: float, end: float, per_step: Sequence[float]) -> float:
    """Return when the first of a group's remaining methods has to end, so that all have equally many steps.

    Args:
        now: Clock, seconds.
        end: When the group ends.
        per_step: Seconds of a step, by method; the first one's turn it is.
    """
    return now + max(0.0, end - now) * per_step[0] / math.fsum(per_step)


def chosen(seconds: Mapping[tuple[str, bool], float], gain: float) -> tuple[str, bool]:
    """Choose how to compute: the fastest in 32 bits, unless half of them is `gain` times as fast.

    Args:
        seconds: Of a step, by precision (`32-true` and others) and whether channels are last.
        gain: How many times faster fewer bits must be.

    Raises:
        ValueError: Nothing could be measured.
    """
    if not seconds:
        raise ValueError("no way to compute a step has worked")
    fastest = min(seconds, key=lambda option: seconds[option])
    exact = [option for option in seconds if option[0] == "32-true"]
    best = min(exact, key=lambda option: seconds[option], default=fastest)
    return fastest if seconds[best] >= gain * seconds[fastest] else best
