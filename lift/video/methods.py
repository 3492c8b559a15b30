"""How frames are made: without training, by a model between two, or by one after the last."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lift.config.schema import Clip
from lift.errors import UserError
from lift.evaluation.baselines import BASELINES
from lift.evaluation.method import of_predictor
from lift.models.interface import Interpolator

REFERENCES = (-1, 1)
Features = Any
"""What a method makes of one frame; none takes another's."""


class Middle(NamedTuple):
    """A frame between two: image (1, 3, H, W) in [0, 1], and α per frame of the window where there is one."""

    image: Tensor
    alpha: list[float] | None = None


class Method:
    """What the engine asks for; as it stands here it keeps frames as they are, and cannot predict.

    Attributes:
        name: By which messages call it.
        title: One line for the user: name, weights, device.
        device: Where images are to be.
        window: Offsets of the frames that it can use, ascending, with -1 and +1.
        past: Most frames that `predict` can use.
        any_time: Whether it makes a frame at any time between two, and not only halfway.
        interpolates: Whether it makes frames between two; else only frames after the last.
        whole: Bytes that it takes per pixel, with the frame as a whole and its features cached.
        tiled: Bytes per pixel of a tile.
    """

    window: tuple[int, ...] = REFERENCES
    past: int = 1
    any_time: bool = False
    interpolates: bool = True
    whole: float = 0.0
    tiled: float = 0.0

    def __init__(self, name: str, title: str, device: torch.device) -> None:
        self.name, self.title, self.device = name, title, device

    def encode(self, image: Tensor) -> Features:
        """Do what can be done with one frame (1, 3, H, W) alone, once for all that it helps to make."""
        return image

    def shrink(self, features: Features) -> Features:
        """Keep of a frame's features what is needed while it is context only, no reference any more."""
        return features

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Make the frame at offset 0 from those at `offsets`, ascending.

        Among them are -1 and +1; of a method of `any_time` the two nearest ones, which are 2 apart.
        """
        raise NotImplementedError

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Make `count` frames after the last of `past`, oldest first, all (1, 3, H, W).

        Raises:
            UserError: The method cannot.
        """
        raise UserError(
            f"--predict: {self.name} cannot predict: it needs a frame on either side of the missing one "
            "(offsets -1 and +1), and after the last frame there is none; repeat can, and --weights of a "
            "model trained with clip.task: predict"
        )


class Baseline(Method):
    """A method without training: repeat, average or dis (lift/evaluation/baselines.py)."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"{name} (no training)", torch.device("cpu"))
        self.any_time = name != "dis"

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Call the baseline; of any time but the middle, the average by nearness."""
        if self.name == "average":
            before, after = features
            return Middle(before + (after - before) * -float(offsets[0]) / 2)
        times = torch.tensor(REFERENCES if self.name == "repeat" else offsets, dtype=torch.float32)
        valid = torch.ones_like(times).bool()
        sample = {"frames": torch.cat(list(features)), "offsets": times, "valid": valid, "clip": "video"}
        return Middle(BASELINES[self.name](sample).frame[None])

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Show the last frame again, by the one method that says so.

        Raises:
            UserError: Any other method: it cannot predict.
        """
        return [past[-1]] * count if self.name == "repeat" else super().predict(past, count)


class Computing(NamedTuple):
    """Where models compute, and the type of the autocast; None: float32."""

    device: torch.device
    half: torch.dtype | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Compute so in the block, without gradients."""
        half = torch.autocast(self.device.type, self.half or torch.bfloat16, enabled=self.half is not None)
        with torch.inference_mode(), half:
            yield


class Network(Method):
    """A model; what it can do with one frame alone is done once."""

    def __init__(
        self, model: Interpolator, name: str, title: str, window: tuple[int, ...], computing: Computing
    ) -> None:
        """Wrap a model, which is put in evaluation mode; `window`: offsets that it is given, ascending."""
        super().__init__(name, f"{title}, on {computing.device}", computing.device)
        self.window, self.any_time = window, model.any_time
        self._model, self._computing = model.to(computing.device).eval(), computing

    def encode(self, image: Tensor) -> Features:
        """Let the model know the frame."""
        with self._computing():
            return self._model.know(image)

    def shrink(self, features: Features) -> Features:
        """Let the model forget what context does not need."""
        return self._model.forget(features)

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Run the model."""
        with self._computing():
            output = self._model.make(dict(zip(offsets, features, strict=True)))
        alpha = None if output.alpha is None else [float(share) for share in output.alpha[0]]
        return Middle(output.frame.float(), alpha)


class Predicting(Method):
    """A model of `clip.task: predict`, for the frames after the last one (specification section 8)."""

    interpolates = False

    def __init__(self, model: Interpolator, name: str, title: str, clip: Clip, computing: Computing) -> None:
        """Wrap a model that was trained with `clip`."""
        super().__init__(name, f"{title}, on {computing.device}", computing.device)
        self.past = len(clip.offsets)
        self._learnt, self._recurrent, self._computing = clip.learnt, clip.mode == "recurrent", computing
        self._function = of_predictor(model, clip.learnt, recurrent=self._recurrent, device=self.device)

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
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
        frames = known.new_zeros(self.past, *known.shape[1:])  # a short shot leaves the first ones absent
        frames[-len(known) :] = known
        with self._computing():
            sample = {"frames": frames, "offsets": offsets, "valid": offsets >= -len(known)}
            found = self._function(sample, count)
        return [found[ahead].frame[None].float() for ahead in range(1, count + 1)]
