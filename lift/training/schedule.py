"""What happens at which step: a pure function of the parameters, with nothing to save and nothing to restore.

Specification section 5: three phases with their own rate, crop and freeze state, after a linear warm-up.
"""

import math
from dataclasses import dataclass

from lift.config import Phase, Train
from lift.errors import UserError


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
        """Clips that one optimiser step sees, over all processes: the same however many share it.

        So the number of steps, their rates and their order stay what they are when processes are added.
        """
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

    def phase(self, step: int) -> tuple[int, Phase, int, int]:
        """Return the phase of `step`: its index, itself, its first step and the step after its last."""
        first = 0
        for index, phase in enumerate(self.train.phases):
            end = first + phase.epochs * self.steps_per_epoch
            if step < end or index == len(self.train.phases) - 1:
                return index, phase, first, end
            first = end
        raise AssertionError("a schedule has at least one phase")

    def frozen(self, step: int, stages: int) -> tuple[int, int]:
        """Return how many of the loaded stages, from the shallowest, are frozen at `step`, and until when.

        Returns:
            The number, and the first step for which it is another one, or another phase's.
        """
        _, phase, first, _ = self.phase(step)
        epoch = (step - first) // self.steps_per_epoch
        count = phase.frozen(stages, epoch)
        later = (e for e in range(epoch + 1, phase.epochs) if phase.frozen(stages, e) != count)
        return count, first + next(later, phase.epochs) * self.steps_per_epoch

    def rates(self, step: int) -> dict[str, float]:
        """Return each parameter group's learning rate at `step` (keys as in groups.py)."""
        _, phase, first, end = self.phase(step)
        position = (step - first) / max(1, end - 1 - first)
        base = phase.final_rate + 0.5 * (phase.rate - phase.final_rate) * (1 + math.cos(math.pi * position))
        if step < self.train.warmup:
            base *= (step + 1) / (self.train.warmup + 1)
        encoder = base * phase.encoder_scale
        return {"rest": base, "encoder": encoder, "s1": encoder * self.train.s1_scale}

    def validates_after(self, step: int) -> bool:
        """Whether validation follows `step`: after each `validate_every`-th epoch and at the end."""
        done = step + 1
        if done == self.steps:
            return True
        return self._ends_an(step, self.train.validate_every)

    def snapshot_after(self, step: int) -> bool:
        """Whether a snapshot follows `step`: after each `snapshot_every`-th epoch."""
        every = self.train.snapshot_every
        return every is not None and self._ends_an(step, every)

    def _ends_an(self, step: int, every: int) -> bool:
        """Whether `step` is the last one of an `every`-th epoch."""
        epochs, rest = divmod(step + 1, self.steps_per_epoch)
        return rest == 0 and epochs % every == 0
