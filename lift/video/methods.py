"""How frames are made: without training, by any model, or by one that keeps what it made of a frame alone."""

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
from lift.models.lift.encoder import Encoded, Pyramid
from lift.models.lift.interpolator import Lift
from lift.models.lift_rife.interpolator import LiftRife
from lift.models.rife_v4.interpolator import RifeV4
from lift.ops.pad import crop_to, pad_to_multiple

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

    def __init__(self, title: str, device: torch.device) -> None:
        self.title, self.device = title, device
        self.name = title.split(" ")[0].rstrip(",")  # by which messages call it

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
        super().__init__(f"{name} (no training)", torch.device("cpu"))
        self.any_time = name != "dis"

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Call the baseline; of any time but the middle, the average by nearness."""
        if self.name == "average":
            before, after = features
            return Middle(before + (after - before) * -float(offsets[0]) / 2)
        sample = _clip(REFERENCES if self.name == "repeat" else offsets, features)
        baseline = BASELINES[self.name]
        return Middle(baseline({**{k: v[0] for k, v in sample.items()}, "clip": "video"}).frame[None])

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Show the last frame again, for the one method that says so.

        Raises:
            UserError: For all others.
        """
        return [past[-1]] * count if self.name == "repeat" else super().predict(past, count)


class Computing(NamedTuple):
    """Where models compute, and the type of the autocast; None: float32."""

    device: torch.device
    half: torch.dtype | None = None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Compute so in the block, without gradients."""
        kind = self.half or torch.bfloat16
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, kind, enabled=self.half is not None),
        ):
            yield


class Direct(Method):
    """Any model, given the whole window anew for every frame: nothing is cached."""

    def __init__(
        self, model: Interpolator, title: str, window: tuple[int, ...], computing: Computing
    ) -> None:
        """Wrap a model, which is put in evaluation mode; `window`: offsets that it is given, ascending."""
        super().__init__(f"{title}, on {computing.device}", computing.device)
        self.window, self.any_time = window, self.any_time or model.any_time
        self._model: Any = model.to(computing.device).eval()
        self._computing = computing

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Run the model."""
        with self._computing():
            output = self._model(**_clip(offsets, features))
        return _middle(output.frame, output.alpha)


class Timed(Direct):
    """RIFE v4: two frames, any time between them, each frame's features computed once."""

    any_time = True
    _model: RifeV4

    def encode(self, image: Tensor) -> Features:
        """Pad by black, as its users do, and compute the features."""
        padded, size = pad_to_multiple(image, self._model.multiple, "constant")
        with self._computing():
            return padded, self._model.network.encode(padded), size

    def shrink(self, features: Features) -> Features:
        """Return None: this method takes no context."""
        return None

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Run the network."""
        images, encoded, sizes = zip(*features, strict=True)
        time = torch.tensor([-float(offsets[0]) / 2], device=self.device)
        with self._computing():
            estimate = self._model.network(torch.cat(images), time, torch.cat(encoded))
        return _middle(crop_to(estimate.frame, sizes[0]), None)


class Windowed(Direct):
    """LIFT on RIFE: what is made of one frame alone is made once."""

    _model: LiftRife

    def encode(self, image: Tensor) -> Features:
        """Pad, shrink, and compute RIFE's features."""
        with self._computing():
            return self._model.know(image), (image.shape[2], image.shape[3])

    def shrink(self, features: Features) -> Features:
        """Drop RIFE's features, which references alone need."""
        known, size = features
        return known._replace(features=None), size

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Run the model."""
        known, sizes = zip(*features, strict=True)
        with self._computing():
            return _middle(self._model.between(dict(zip(offsets, known, strict=True)), sizes[0]), None)


class _Encoded(NamedTuple):
    """A frame after LIFT's encoder; the padded image (1, 3, H, W) and pyramid are None once it is context."""

    image: Tensor | None
    pyramid: Pyramid | None
    s16: Tensor | None
    small: Tensor | None
    size: tuple[int, int]


class Cached(Direct):
    """LIFT, with every frame encoded once (lift/models/lift/interpolator.py, stage 1).

    Features at full resolution are kept while a frame can become a reference, then what context needs: s16,
    and the image at half the size where motion is searched.
    """

    _model: Lift

    def encode(self, image: Tensor) -> Features:
        """Encode at all scales."""
        padded, size = pad_to_multiple(image, self._model.multiple)
        with self._computing():
            encoded = self._model.encode(padded, 1)
        return _Encoded(padded, encoded.features, encoded.s16, encoded.small, size)

    def shrink(self, features: Features) -> Features:
        """Keep s16, and the small image where there is one."""
        return features._replace(image=None, pyramid=None)

    def between(self, offsets: Sequence[float], features: Sequence[Features]) -> Middle:
        """Run stages 2 to 5."""
        times = torch.tensor([list(offsets)], dtype=torch.float32, device=self.device)
        lineup = self._model.line_up(times, torch.ones_like(times).bool())
        ordered = [features[slot] for slot in lineup.slots.tolist()]
        before, after = ordered[:2]
        if before.image is None or after.image is None:
            raise ValueError("a reference was shrunk to context")
        encoded = Encoded(
            torch.cat((before.image, after.image)),
            Pyramid(*(_stack(scales) for scales in zip(before.pyramid, after.pyramid, strict=True))),
            _stack([one.s16 for one in ordered]),
            _stack([one.small for one in ordered]),
        )
        with self._computing():
            output = self._model.predict(encoded, times, lineup, before.size)
        return _middle(output.frame, output.alpha)


class Predicting(Method):
    """A model of `clip.task: predict`, for the frames after the last one (specification section 8)."""

    interpolates = False

    def __init__(self, model: Interpolator, title: str, clip: Clip, computing: Computing) -> None:
        """Wrap a model that was trained with `clip`."""
        super().__init__(f"{title}, on {computing.device}", computing.device)
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
        frames = known.new_zeros(self.past, *known.shape[1:])  # a short scene leaves the first ones absent
        frames[-len(known) :] = known
        with self._computing():
            sample = {"frames": frames, "offsets": offsets, "valid": offsets >= -len(known)}
            found = self._function(sample, count)
        return [found[ahead].frame[None].float() for ahead in range(1, count + 1)]


def _stack(features: Sequence[Tensor | None]) -> Any:
    """Join frames' features along the batch; None where the model has none of this scale."""
    there = [one for one in features if one is not None]
    return torch.cat(there) if there else None


def _clip(offsets: Sequence[float], images: Sequence[Tensor]) -> dict[str, Tensor]:
    frames = torch.cat(list(images))[None]
    times = torch.tensor([offsets], dtype=torch.float32, device=frames.device)
    return {"frames": frames, "offsets": times, "valid": torch.ones_like(times).bool()}


def _middle(frame: Tensor, alpha: Tensor | None) -> Middle:
    return Middle(frame.float(), None if alpha is None else [float(share) for share in alpha[0]])
