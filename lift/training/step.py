"""One optimiser step: forward and backward passes, what to refuse, clipping, update.

PyTorch's generator is seeded anew for every forward pass from (seed, step, pass), the passes numbered over
all processes, so dropout needs no saved state and does not depend on who does which pass.
"""

import logging
import math
import statistics
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from lift import seeds
from lift.errors import UserError
from lift.ops.references import reference_offsets
from lift.training.job import Job
from lift.training.machine import gather, mean
from lift.training.schedule import Schedule

RECENT = 50  # losses that a spike is measured against
ENOUGH = 20  # with fewer, early training's own fall would look like one
LEAST_SCALE = 1.0  # fp16: below it the gradient does not overflow for its scale but is not finite itself

log = logging.getLogger(__name__)


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's parameters into the groups `encoder`, `s1` (its full-resolution layers) and `rest`.

    One optimiser holds all groups from step 0, frozen or not, so that unfreezing changes no state but a
    flag. Biases and normalisation weights are not decayed.
    """
    members: dict[tuple[str, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        stage = "s1" if name.startswith("encoder.s1.") else "encoder"
        group = stage if name.startswith("encoder.") else "rest"
        members.setdefault((group, parameter.ndim > 1), []).append(parameter)
    return [
        {"params": params, "name": group, "weight_decay": weight_decay if decays else 0.0}
        for (group, decays), params in sorted(members.items())
    ]


def freeze(model: nn.Module, names: Collection[str]) -> None:
    """Freeze the parameters called `names`; every other parameter trains.

    A frozen parameter builds no graph, so the steps of a frozen phase are cheaper, and it is skipped by the
    optimiser because its gradient is None.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name not in names)


def drop_context(batch: dict[str, Tensor], chance: float, seed: int) -> dict[str, Tensor]:
    """Mask each present frame with `chance`, never a reference: benchmarks lack frames as well.

    Args:
        batch: `frames` (B, T, 3, H, W), `offsets` (B, T), `valid` (B, T) and more; not changed.
        chance: Of each frame, independently.
        seed: Of this batch.

    Returns:
        The batch, with fewer frames valid; pixels stay, since nothing looks at a frame that is not valid.
    """
    if chance == 0:
        return batch
    random = torch.rand(batch["valid"].shape, generator=torch.Generator().manual_seed(seed))
    first, second = reference_offsets(batch["offsets"])[..., None]
    needed = (batch["offsets"] == first) | (batch["offsets"] == second)  # a clip without both is no clip
    keep = (random >= chance).to(batch["valid"].device) | needed
    return {**batch, "valid": batch["valid"] & keep}


class Average:
    """A running average of the weights, published in their place (Polyak and Juditsky 1992).

    The decay grows from 0.1 to its value, min(decay, (1 + step) / (10 + step)), a function of the step alone,
    so that the random initial weights are forgotten and nothing but the average needs saving.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        """Start from the model's present weights; `decay`: share that a step keeps, late in training."""
        self._parameters = dict(model.named_parameters())
        self._decay = decay
        self.values = self._own()

    def _own(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self._parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after optimiser step `step` (0-based)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(self.values.values()), list(self._parameters.values()), 1 - decay)

    def load(self, values: Mapping[str, Tensor]) -> None:
        """Continue from the `values` of a checkpoint; an empty one had no average, and the present stays."""
        for name, value in values.items():
            self.values[name].copy_(value)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the model have the averaged weights within the block, and its own again after it."""
        own = self._own()
        self._put(self.values)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, values: Mapping[str, Tensor]) -> None:
        for name, parameter in self._parameters.items():
            parameter.copy_(values[name])


def scaler_of(fabric: Fabric) -> Any:
    """Return the gradient scaler of fp16, or None; Fabric has no public way."""
    return getattr(fabric._precision, "scaler", None)


class Stepper:
    """Does the steps of one process, in time with the others."""

    def __init__(self, job: Job, schedule: Schedule, optimizer: Any) -> None:
        """Prepare the steps; `optimizer`: as Fabric has set it up."""
        self._job, self._schedule, self._optimizer = job, schedule, optimizer
        self._train, self._fabric, self._scaler = job.config.train, job.fabric, scaler_of(job.fabric)

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
        for group in self._optimizer.param_groups:
            group["lr"] = rates[group["name"]]
        own: dict[str, float] = {}
        names: list[str] = []
        for number in range(self._schedule.passes):
            batch = next(batches)
            names += batch["clip"]
            for key, value in self._pass(wrapped, batch, step, number).items():
                own[key] = own.get(key, 0.0) + value / self._schedule.passes
        # With the loss, so that all processes learn at the same step that one was asked to stop.
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
        dropped = seeds.derive(seed, "context", step, place)
        tensors = drop_context(tensors, self._train.context_dropout, dropped)
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
            found = {"gradient": gradient}
            self._refuse_non_finite(step, {**found, **values}, names, {**own, **found})
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)  # a gradient of 0 would still decay frozen weights
        logged = {"gradient": gradient, "clipped": float(gradient > self._train.clip_norm)} if finite else {}
        return logged if self._scaler is None else {**logged, "overflow": float(not finite)}

    def _refuse_non_finite(
        self, step: int, values: Mapping[str, float], names: list[str], own: Mapping[str, float]
    ) -> None:
        """Stop all processes where `values` are not finite, naming the clips of those whose `own` are not."""
        if all(map(math.isfinite, values.values())):
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
