"""One optimiser step: forward and backward passes, what to refuse, clipping, update.

PyTorch's generator is seeded anew for every forward pass from (seed, step, pass), the passes numbered over
all processes, so dropout needs no saved state and does not depend on who does which pass.
"""

import logging
import math
import statistics
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from lift import seeds
from lift.errors import UserError
from lift.training.context import drop_context
from lift.training.groups import set_rates
from lift.training.job import Job
from lift.training.processes import gather, mean
from lift.training.schedule import Schedule

RECENT = 50  # losses that a spike is measured against
ENOUGH = 20  # with fewer, early training's own fall would look like one
LEAST_SCALE = 1.0  # fp16: below it the gradient does not overflow for its scale but is not finite itself

log = logging.getLogger(__name__)


class Stepper:
    """Does the steps of one process, in time with the others."""

    def __init__(self, job: Job, schedule: Schedule, optimizer: Any, scaler: Any) -> None:
        """Prepare the steps.

        Args:
            job: What is trained.
            schedule: Rates and passes of a step.
            optimizer: As Fabric has set it up.
            scaler: The gradient scaler of fp16, or None.
        """
        self._job, self._schedule, self._optimizer, self._scaler = job, schedule, optimizer, scaler
        self._train, self._fabric = job.config.train, job.fabric

    def take(
        self, wrapped: nn.Module, batches: Iterator[dict[str, Any]], step: int, recent: list[float]
    ) -> tuple[dict[str, float], bool]:
        """Do optimiser step `step` (0-based).

        Args:
            wrapped: The model, as Fabric has set it up.
            batches: Gives the step's batches.
            step: Which one.
            recent: Losses of the steps before; this step's is added and the oldest dropped.

        Returns:
            What to log of it, the same on all processes, and whether any process was asked to stop.

        Raises:
            UserError: The loss or the gradient is not finite; the step was not taken.
        """
        rates = self._schedule.rates(step)
        set_rates(self._optimizer, rates)
        own: dict[str, float] = {}
        names: list[str] = []
        for number in range(self._schedule.passes):
            batch = next(batches)
            names += batch["clip"]
            for key, value in self._pass(wrapped, batch, step, number).items():
                own[key] = own.get(key, 0.0) + value / self._schedule.passes
        *shared, asked = mean(self._fabric, [*own.values(), float(self._job.stop.asked)])
        values = dict(zip(own, shared, strict=True))
        self._refuse_non_finite(step, values, names, own)
        values |= self._update(step, values, names, own)
        values["spike"] = float(self._spikes(step, values["loss"], recent, names))
        values |= {"rate": rates["rest"], "rate_encoder": rates["encoder"], "rate_s1": rates["s1"]}
        return values, asked > 0

    def _pass(self, wrapped: Any, batch: dict[str, Any], step: int, number: int) -> dict[str, float]:
        fabric, seed = self._fabric, self._job.config.seed
        place = number * self._schedule.world + fabric.global_rank
        torch.manual_seed(seeds.derive(seed, "step", step, place))
        tensors = {k: v.to(fabric.device, non_blocking=True) for k, v in batch.items() if k != "clip"}
        tensors = drop_context(
            tensors, self._train.context_dropout, seeds.derive(seed, "context", step, place)
        )
        last = number == self._schedule.passes - 1
        with fabric.no_backward_sync(wrapped, enabled=not last):
            output = wrapped(*(tensors[key] for key in ("frames", "offsets", "valid", "target")))
            parts = self._job.losses(output, tensors)
            loss = torch.stack(list(parts.values())).sum()
            # Also where the loss is not finite: the other processes wait for this one's gradients.
            fabric.backward(loss / self._schedule.passes)
        return {"loss": loss.item(), **{f"loss_{k}": v.item() for k, v in parts.items()}}

    def _update(
        self, step: int, values: Mapping[str, float], names: list[str], own: Mapping[str, float]
    ) -> dict[str, float]:
        """Clip the gradient and take the step; fp16 leaves out a step whose scaled gradient overflows."""
        norm = self._fabric.clip_gradients(
            self._job.model, self._optimizer, max_norm=self._train.clip_norm, error_if_nonfinite=False
        )
        assert norm is not None
        gradient = float(norm)
        finite = math.isfinite(gradient)
        if self._scaler is None or (not finite and self._scaler.get_scale() < LEAST_SCALE):
            self._refuse_non_finite(
                step, {"gradient": gradient, **values}, names, {**own, "gradient": gradient}
            )
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        logged = {"gradient": gradient, "clipped": float(gradient > self._train.clip_norm)} if finite else {}
        return logged if self._scaler is None else {**logged, "overflow": float(not finite)}

    def _refuse_non_finite(
        self, step: int, values: Mapping[str, float], names: list[str], own: Mapping[str, float]
    ) -> None:
        """Stop all processes where `values` are not finite, naming the clips of those whose `own` are not."""
        if all(math.isfinite(value) for value in values.values()):
            return
        guilty = gather(self._fabric, [] if all(map(math.isfinite, own.values())) else names)
        shown = ", ".join(f"{key} {value:.4g}" for key, value in values.items())
        raise UserError(
            f"training step {step + 1}: not finite ({shown}) on clips {', '.join(guilty)}; the step was not "
            f"taken and the last good checkpoint is kept in {self._job.folder}; lower the rate or look at "
            f"these clips"
        )

    def _spikes(self, step: int, loss: float, recent: list[float], names: list[str]) -> bool:
        """Whether the loss stands far above the last ones; then say so, with the clips."""
        usual = statistics.median(recent) if len(recent) >= ENOUGH else math.inf
        recent.append(loss)
        del recent[:-RECENT]
        if loss <= self._train.spike * usual:
            return False
        clips = gather(self._fabric, names)
        if self._fabric.is_global_zero:
            log.warning(
                "training step %d: loss %.4g is %.1f times the median of the last %d, on clips %s",
                step + 1, loss, loss / usual, len(recent) - 1, ", ".join(clips),
            )  # fmt: skip
        return True
