"""Frames after the last one, by a model that was trained to predict (specification section 8)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lift.config.clip import Clip
from lift.errors import UserError
from lift.evaluation.method import of_predictor
from lift.models.interface import Interpolator
from lift.video.methods import REFERENCES, Method, Middle


class Predicting(Method):
    """A model of `clip.task: predict`; see `Method`."""

    def __init__(
        self, model: Interpolator, name: str, clip: Clip, *, device: torch.device, half: torch.dtype | None
    ) -> None:
        """Wrap a model.

        Args:
            model: Is put on `device` and in evaluation mode.
            name: For messages.
            clip: What it was trained with.
            device: Where it computes.
            half: Type of the autocast; None: float32.
        """
        self.name, self.device, self.past = name, device, len(clip.offsets)
        self._learnt, self._recurrent, self._half = clip.learnt, clip.mode == "recurrent", half
        self._function = of_predictor(model, clip.learnt, recurrent=self._recurrent, device=device)

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
        """Refuse.

        Raises:
            UserError: Always.
        """
        raise UserError(
            f"{self.name} was trained to predict and makes no frame between two: use it with --predict and "
            f"--factor 1, or take a model that interpolates"
        )

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Make the frames after the last; where only one is known there is no motion, and it is shown again.

        Raises:
            UserError: So far ahead it has not learnt to look.
        """
        missing = set(range(1, count + 1)) - set(self._learnt)
        if missing and not self._recurrent:
            learnt = ", ".join(f"+{ahead}" for ahead in self._learnt)
            raise UserError(
                f"--predict {count}: {self.name} makes the frames {learnt} after the last one, each from "
                f"what was given, and not +{min(missing)}; ask for fewer, or take a recurrent model"
            )
        if len(past) < len(REFERENCES):
            return [past[-1]] * count
        known = torch.cat(list(past[-self.past :]))
        offsets = torch.arange(-self.past, 0, dtype=torch.float32)
        frames = known.new_zeros(self.past, *known.shape[1:])  # a short scene leaves the first ones absent
        frames[-len(known) :] = known
        sample = {"frames": frames, "offsets": offsets, "valid": offsets >= -len(known)}
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, self._half or torch.bfloat16, enabled=self._half is not None),
        ):
            found = self._function(sample, count)
        return [found[ahead].frame[None].float() for ahead in range(1, count + 1)]
