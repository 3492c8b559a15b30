"""Training videos held out for validation: a pure function of the seed, by source video and never by clip."""

from collections.abc import Iterable

from lift.seeds import derive


def held_out(groups: Iterable[str], share: float, seed: int, source: str) -> frozenset[str]:
    """Choose the groups of videos that are for validation.

    Args:
        groups: One name per source video; repeats are one group.
        share: Share of the groups, rounded to the nearest number, but at least one of several if share > 0.
        seed: The run's seed.
        source: Name of the data set, so that two sets are drawn independently.

    Returns:
        Names of the held-out groups: never all of them.
    """
    # Ranked by a hash rather than drawn by position: removing a video elsewhere in the list moves few others.
    ranked = sorted(set(groups), key=lambda group: (derive(seed, "validation", source, group), group))
    if share <= 0 or len(ranked) < 2:
        return frozenset()
    count = min(max(round(share * len(ranked)), 1), len(ranked) - 1)
    return frozenset(ranked[:count])
