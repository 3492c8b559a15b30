"""What happens at which step, and which clip is seen when: pure functions of the parameters.

Specification section 5: three phases with their own rate, crop and freeze state, after a linear warm-up.
There is nothing to save and nothing to restore, whatever the number of processes and workers.
"""

import itertools
import math
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from lift import seeds
from lift.config import Phase, Train
from lift.errors import UserError

Draw = tuple[int, int, int]  # (index of the clip, epoch, position in the epoch): the key of its augmentation


@dataclass(frozen=True)
class Schedule:
    """Maps an optimiser step (0-based) to its epoch, phase and learning rates.

    Attributes:
        train: Training parameters.
        clips: Clips in the training set.
        world: Processes that train together.
    """

    train: Train
    clips: int
    world: int = 1

    def __post_init__(self) -> None:
        """Refuse a step that the processes cannot share equally, or that the training set does not fill.

        Raises:
            UserError: Passes per step no multiple of the processes, or fewer samples per epoch than clips per
                step.
        """
        if self.train.accumulate % self.world:
            raise UserError(
                f"params.yaml: train.accumulate: {self.train.accumulate} forward passes per step cannot be "
                f"shared by {self.world} processes; make it a multiple of {self.world} (a step sees batch x "
                f"accumulate clips, whatever the number of processes)"
            )
        if self.samples < self.clips_per_step:
            raise UserError(
                f"training set: {self.samples} clips per epoch do not fill one step of {self.clips_per_step} "
                f"(batch x accumulate); lower train.batch or raise train.samples_per_epoch"
            )

    @property
    def samples(self) -> int:
        """Clips drawn in an epoch."""
        return self.train.samples_per_epoch or self.clips

    @property
    def clips_per_step(self) -> int:
        """Clips that one optimiser step sees, over all processes: the same however many share it."""
        return self.train.batch * self.train.accumulate

    @property
    def passes(self) -> int:
        """Forward passes per optimiser step of each process."""
        return self.train.accumulate // self.world

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps in an epoch; an incomplete last step is left out."""
        return self.samples // self.clips_per_step

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return sum(phase.epochs for phase in self.train.phases) * self.steps_per_epoch

    def epoch(self, step: int) -> int:
        """Return the epoch of `step`."""
        return step // self.steps_per_epoch

    def phase(self, step: int) -> tuple[Phase, int, int]:
        """Return the phase of `step`, its first step, and the step after its last."""
        end = 0
        for phase in self.train.phases:
            first, end = end, end + phase.epochs * self.steps_per_epoch
            if step < end:
                break
        return phase, first, end

    def frozen(self, step: int, stages: int) -> tuple[int, int]:
        """Return how many of the loaded stages, from the shallowest, are frozen at `step`, and until when.

        Returns:
            The number, and the first step for which it is another one, or another phase's.
        """
        phase, first, _ = self.phase(step)
        epoch = (step - first) // self.steps_per_epoch
        count = phase.frozen(stages, epoch)
        later = (e for e in range(epoch + 1, phase.epochs) if phase.frozen(stages, e) != count)
        return count, first + next(later, phase.epochs) * self.steps_per_epoch

    def rates(self, step: int) -> dict[str, float]:
        """Return the learning rate at `step` of each group of `step.parameter_groups`."""
        phase, first, end = self.phase(step)
        position = (step - first) / max(1, end - 1 - first)  # 1 at the last step, which has the final rate
        base = phase.final_rate + 0.5 * (phase.rate - phase.final_rate) * (1 + math.cos(math.pi * position))
        if step < self.train.warmup:
            base *= (step + 1) / (self.train.warmup + 1)
        encoder = base * phase.encoder_scale
        return {"rest": base, "encoder": encoder, "s1": encoder * self.train.s1_scale}

    def ends_an(self, step: int, every: int | None) -> bool:
        """Whether `step` is the last one of an `every`-th epoch; None: never."""
        epochs, rest = divmod(step + 1, self.steps_per_epoch)
        return every is not None and rest == 0 and epochs % every == 0

    def validates_after(self, step: int) -> bool:
        """Whether validation follows `step`: after each `validate_every`-th epoch and at the end."""
        return step + 1 == self.steps or self.ends_an(step, self.train.validate_every)


def draws(
    schedule: Schedule,
    seed: int,
    start: int,
    end: int,
    rank: int = 0,
    sizes: Sequence[Hashable] | None = None,
) -> Iterator[list[Draw]]:
    """Yield the batches of steps [start, end) for process `rank`, a list of draws per forward pass.

    An epoch's batches are laid out in one order for all processes (`epoch_batches`). A step takes
    `accumulate` of them; forward pass m of process r takes number `m * world + r` of these, so that one
    process with double accumulation sees exactly what two processes see.
    """
    known, batches = -1, list[list[Draw]]()
    for step in range(start, end):
        epoch = schedule.epoch(step)
        if epoch != known:
            known, batches = epoch, epoch_batches(seed, epoch, schedule, sizes)
        first = (step - epoch * schedule.steps_per_epoch) * schedule.train.accumulate
        yield from batches[first + rank : first + schedule.train.accumulate : schedule.world]


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
