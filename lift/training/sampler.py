"""Which clip is seen when: a pure function of (seed, step), whatever the number of processes and workers."""

from collections.abc import Iterator

from torch.utils.data import Sampler

from lift import seeds
from lift.training.schedule import Schedule

Draw = tuple[int, int, int]  # (index of the clip, epoch, position in the epoch): the key of its augmentation


class StepSampler(Sampler[list[Draw]]):
    """Yields the batches of steps [start, end) for one process.

    An epoch's visits are laid out in one order for all processes. A step takes `batch x accumulate` of them;
    forward pass m of process r takes the slice number `m * world + r`, so that one process with double
    accumulation sees exactly what two processes see.
    """

    def __init__(self, schedule: Schedule, seed: int, start: int, end: int, rank: int = 0) -> None:
        self._schedule, self._seed, self._start, self._end, self._rank = schedule, seed, start, end, rank

    def __len__(self) -> int:
        """Count the batches left."""
        return (self._end - self._start) * self._schedule.passes

    def __iter__(self) -> Iterator[list[Draw]]:
        """Yield one list of draws per forward pass."""
        train = self._schedule.train
        known, visits = -1, list[int]()
        for step in range(self._start, self._end):
            epoch = self._schedule.epoch(step)
            if epoch != known:
                known, visits = epoch, epoch_visits(self._seed, epoch, self._schedule)
            first = (step - epoch * self._schedule.steps_per_epoch) * self._schedule.clips_per_step
            for micro in range(self._schedule.passes):
                at = first + (micro * self._schedule.world + self._rank) * train.batch
                yield [(visits[i], epoch, i) for i in range(at, at + train.batch)]


def epoch_visits(seed: int, epoch: int, schedule: Schedule) -> list[int]:
    """List the clips of an epoch in order: whole permutations, one after the other.

    With fewer samples than clips the permutations run on over the epochs, so that every clip has its turn.
    """
    first = epoch * schedule.samples
    rounds = range(first // schedule.clips, (first + schedule.samples - 1) // schedule.clips + 1)
    laid = [index for turn in rounds for index in seeds.order(seed, turn, schedule.clips)]
    skip = first - rounds[0] * schedule.clips
    return laid[skip : skip + schedule.samples]
