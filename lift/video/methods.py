"""How the frame between two is made: without training, by any model, or by LIFT with its cache."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lift.errors import UserError
from lift.evaluation.baselines import BASELINES
from lift.models.interface import Interpolator
from lift.models.lift.encoder import Encoded, Pyramid
from lift.models.lift.lift import Lift
from lift.models.lift_rife.interpolator import Known, LiftRife
from lift.models.rife_v4.interpolator import RifeV4
from lift.ops.pad import crop_to, pad_to_multiple

REFERENCES = (-1, 1)


class Middle(NamedTuple):
    """A frame between two: image (1, 3, H, W) in [0, 1], and α per frame of the window where there is one."""

    image: Tensor
    weights: list[float] | None = None


class Method:
    """What the engine asks for; as it stands here it keeps frames as they are, and cannot predict.

    Attributes:
        name: For messages.
        window: Offsets of the frames that it can use, ascending, with -1 and +1.
        device: Where images are to be.
        past: Most frames that `predict` can use.
        any_time: Whether it makes a frame at any time between two, and not only halfway.
    """

    name: str
    device: torch.device
    window: tuple[int, ...] = REFERENCES
    past: int = 1
    any_time: bool = False

    def encode(self, image: Tensor) -> object:
        """Do what can be done with one frame (1, 3, H, W) alone, once for all that it helps to make."""
        return image

    def shrink(self, features: object) -> object:
        """Keep of a frame's features what is needed while it is context only, no reference any more."""
        return features

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
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
        self.name, self.device = name, torch.device("cpu")
        self.any_time = name != "dis"
        self._function = BASELINES[name]

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
        """Call the baseline; of any time but the middle, the average by nearness."""
        if self.name == "average":
            before, after = (image for image in features if isinstance(image, Tensor))
            return Middle(before + (after - before) * -float(offsets[0]) / 2)
        if self.name == "repeat":
            offsets = REFERENCES
        sample = _clip(offsets, features)
        return Middle(self._function({**{k: v[0] for k, v in sample.items()}, "clip": "video"}).frame[None])

    def predict(self, past: Sequence[Tensor], count: int) -> list[Tensor]:
        """Show the last frame again, for the one method that says so.

        Raises:
            UserError: For all others.
        """
        return [past[-1]] * count if self.name == "repeat" else super().predict(past, count)


class Direct(Method):
    """Any model, given the whole window anew for every frame: nothing is cached."""

    def __init__(
        self,
        model: Interpolator,
        name: str,
        window: tuple[int, ...],
        *,
        device: torch.device,
        half: torch.dtype | None,
    ) -> None:
        """Wrap a model.

        Args:
            model: Is put on `device` and in evaluation mode.
            name: For messages.
            window: Offsets of the frames that it is given, ascending.
            device: Where it computes.
            half: Type of the autocast; None: float32.
        """
        self.name, self.window, self.device = name, window, device
        self.any_time = self.any_time or model.any_time
        self._model, self._half = model.to(device).eval(), half

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
        """Run the model."""
        with torch.inference_mode(), _autocast(self.device, self._half):
            output = self._model(**_clip(offsets, features))
        return _middle(output.frame, output.weights)


class Timed(Direct):
    """RIFE v4: two frames, any time between them, each frame's features computed once."""

    any_time = True
    _model: RifeV4

    def encode(self, image: Tensor) -> object:
        """Pad by black, as its users do, and compute the features."""
        padded, size = pad_to_multiple(image, self._model.multiple, "constant")
        with torch.inference_mode(), _autocast(self.device, self._half):
            return _Known(padded, self._model.network.encode(padded), size)

    def shrink(self, features: object) -> object:
        """Return None: this method takes no context."""
        return None

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
        """Run the network."""
        before, after = (one for one in features if isinstance(one, _Known))
        time = torch.tensor([-float(offsets[0]) / 2], device=self.device)
        with torch.inference_mode(), _autocast(self.device, self._half):
            estimate = self._model.network(
                torch.cat((before.image, after.image)), time, torch.cat((before.features, after.features))
            )
        return _middle(crop_to(estimate.frame, before.size), None)


class _Known(NamedTuple):
    """A frame, padded (1, 3, H, W), its features (1, 4, H, W), and its size before."""

    image: Tensor
    features: Tensor
    size: tuple[int, int]


class Windowed(Direct):
    """LIFT on RIFE: what is made of one frame alone is made once."""

    _model: LiftRife

    def encode(self, image: Tensor) -> object:
        """Pad, shrink, and compute RIFE's features."""
        with torch.inference_mode(), _autocast(self.device, self._half):
            return self._model.know(image), (image.shape[2], image.shape[3])

    def shrink(self, features: object) -> object:
        """Drop RIFE's features, which references alone need."""
        known, size = _known(features)
        return known._replace(features=None), size

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
        """Run the model."""
        frames = [_known(one) for one in features]
        known = {offset: frame for offset, (frame, _) in zip(offsets, frames, strict=True)}
        with torch.inference_mode(), _autocast(self.device, self._half):
            return _middle(self._model.between(known, frames[0][1]), None)


def _known(features: object) -> tuple[Known, tuple[int, int]]:
    if not isinstance(features, tuple) or not isinstance(features[0], Known):
        raise TypeError(f"features of another method: {type(features).__name__}")
    return features


class _Seen(NamedTuple):
    """A frame after LIFT's encoder; the padded image (1, 3, H, W) and pyramid are None once it is context."""

    image: Tensor | None
    pyramid: Pyramid | None
    s16: Tensor | None
    small: Tensor | None
    size: tuple[int, int]


class Cached(Direct):
    """LIFT, with every frame encoded once (lift/models/lift/lift.py, stage 1).

    Features at full resolution are kept while a frame can become a reference, then what context needs: s16,
    and the image at half the size where motion is searched.
    """

    _model: Lift

    def encode(self, image: Tensor) -> object:
        """Encode at all scales."""
        padded, size = pad_to_multiple(image, self._model.multiple)
        with torch.inference_mode(), _autocast(self.device, self._half):
            encoded = self._model.encode(padded, 1)
        return _Seen(padded, encoded.features, encoded.s16, encoded.small, size)

    def shrink(self, features: object) -> object:
        """Keep s16, and the small image where there is one."""
        return _seen(features)._replace(image=None, pyramid=None)

    def between(self, offsets: Sequence[float], features: Sequence[object]) -> Middle:
        """Run stages 2 to 5."""
        seen = dict(zip(offsets, features, strict=True))
        times = torch.tensor([list(offsets)], dtype=torch.float32, device=self.device)
        lineup = self._model.line_up(times, torch.ones_like(times).bool())
        ordered = [_seen(seen[offsets[slot]]) for slot in lineup.slots.tolist()]
        before, after = ordered[0], ordered[1]
        if before.image is None or before.pyramid is None or after.image is None or after.pyramid is None:
            raise ValueError("a reference was shrunk to context")
        near = (_stack(scales) for scales in zip(before.pyramid, after.pyramid, strict=True))
        encoded = Encoded(
            torch.cat((before.image, after.image)),
            Pyramid(*near),
            _stack([one.s16 for one in ordered]),
            _stack([one.small for one in ordered]),
        )
        with torch.inference_mode(), _autocast(self.device, self._half):
            output = self._model.predict(encoded, times, lineup, before.size)
        return _middle(output.frame, output.weights)


def _seen(features: object) -> _Seen:
    if not isinstance(features, _Seen):
        raise TypeError(f"features of another method: {type(features).__name__}")
    return features


def _stack(features: Sequence[Tensor | None]) -> Any:
    """Join frames' features along the batch; None where the model has none of this scale."""
    there = [one for one in features if one is not None]
    return torch.cat(there) if there else None


def _autocast(device: torch.device, half: torch.dtype | None) -> torch.autocast:
    return torch.autocast(device.type, half or torch.bfloat16, enabled=half is not None)


def _clip(offsets: Sequence[float], images: Sequence[object]) -> dict[str, Tensor]:
    frames = torch.cat([image for image in images if isinstance(image, Tensor)])[None]
    times = torch.tensor([offsets], dtype=torch.float32, device=frames.device)
    return {"frames": frames, "offsets": times, "valid": torch.ones_like(times).bool()}


def _middle(frame: Tensor, weights: Tensor | None) -> Middle:
    return Middle(frame.float(), None if weights is None else [float(weight) for weight in weights[0]])
