"""Which clip is seen when: a pure function of (seed, step), whatever the number of processes and workers."""

import itertools
from collections.abc import Hashable, Iterator, Sequence

from torch.utils.data import Sampler

from lift import seeds
from lift.training.schedule import Schedule

Draw = tuple[int, int, int]  # (index of the clip, epoch, position in the epoch): the key of its augmentation


class StepSampler(Sampler[list[Draw]]):
    """Yields the batches of steps [start, end) for one process.

    An epoch's batches are laid out in one order for all processes (`epoch_batches`). A step takes
    `accumulate` of them; forward pass m of process r takes number `m * world + r` of these, so that one
    process with double accumulation sees exactly what two processes see.
    """

    def __init__(
        self,
        schedule: Schedule,
        seed: int,
        start: int,
        end: int,
        rank: int = 0,
        sizes: Sequence[Hashable] | None = None,
    ) -> None:
        self._schedule, self._seed, self._start, self._end, self._rank = schedule, seed, start, end, rank
        self._sizes = sizes

    def __len__(self) -> int:
        """Count the batches left."""
        return (self._end - self._start) * self._schedule.passes

    def __iter__(self) -> Iterator[list[Draw]]:
        """Yield one list of draws per forward pass."""
        known, batches = -1, list[list[Draw]]()
        for step in range(self._start, self._end):
            epoch = self._schedule.epoch(step)
            if epoch != known:
                known, batches = epoch, epoch_batches(self._seed, epoch, self._schedule, self._sizes)
            first = (step - epoch * self._schedule.steps_per_epoch) * self._schedule.train.accumulate
            for micro in range(self._schedule.passes):
                yield batches[first + micro * self._schedule.world + self._rank]


def epoch_batches(
    seed: int, epoch: int, schedule: Schedule, sizes: Sequence[Hashable] | None = None
) -> list[list[Draw]]:
    """Lay out an epoch's batches: its visits in order, each batch of clips with one size of crop.

    Args:
        seed: The run's.
        epoch: Which one.
        schedule: How many.
        sizes: Of each clip's crop; None: all alike. Where there are several, a batch is complete as soon as
            there are enough clips of its size; at the epoch's end those that miss the fewest are completed by
            clips of the epoch's beginning, seen anew, and fewer than a batch of each size may be left out.

    Returns:
        As many batches as the epoch's steps take.
    """
    size, count = schedule.train.batch, schedule.steps_per_epoch * schedule.train.accumulate
    visits = [(index, epoch, i) for i, index in enumerate(epoch_visits(seed, epoch, schedule))]
    by_size: dict[Hashable, list[Draw]] = {}
    batches: list[list[Draw]] = []
    for visit in visits:
        own = by_size.setdefault(None if sizes is None else sizes[visit[0]], [])
        own.append(visit)
        if len(own) % size == 0:
            batches.append(own[-size:])
    fresh = itertools.count(len(visits))  # places in the epoch, which augmentation is drawn by
    for own in sorted(by_size.values(), key=lambda own: -(len(own) % size)):
        started = len(own) % size
        if started and len(batches) < count:
            again = itertools.islice(itertools.cycle(own), size - started)
            batches.append(own[-started:] + [(index, epoch, next(fresh)) for index, _, _ in again])
    return batches[:count]


def epoch_visits(seed: int, epoch: int, schedule: Schedule) -> list[int]:
    """List the clips of an epoch in order: whole permutations, one after the other.

    With fewer samples than clips the permutations run on over the epochs, so that every clip has its turn.
    """
    first = epoch * schedule.samples
    rounds = range(first // schedule.clips, (first + schedule.samples - 1) // schedule.clips + 1)
    laid = [index for turn in rounds for index in seeds.order(seed, turn, schedule.clips)]
    skip = first - rounds[0] * schedule.clips
    return laid[skip : skip + schedule.samples]
