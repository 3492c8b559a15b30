"""What every model has in common: how it is called and what it returns."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from lift.errors import UserError
from lift.models.pretrained import LoadReport
from lift.ops.pad import crop_to
from lift.ops.resize import resize


class Output(NamedTuple):
    """A predicted frame and how it came about; None: the model has no such thing.

    Not a frozen dataclass, which Lightning Fabric's precision plugins refuse.

    Attributes:
        frame: The missing frame, (B, 3, H, W), RGB; in [0, 1] in evaluation mode, unclamped in training so
            that gradients reach values outside.
        coarse: The frame before full-resolution refinement, (B, 3, ⌈H/4⌉, ⌈W/4⌉), unclamped.
        flow: (B, 4, ⌈H/4⌉, ⌈W/4⌉), pixels at this resolution; channels 0:2 lead to the reference at offset
            −1, 2:4 to the one at +1 (of prediction to the last frame but one, and to the last); of each pair
            the first is x to the right, the second y down; target(p) samples reference(p + flow).
        occlusion: Blend weights (B, 2, ⌈H/4⌉, ⌈W/4⌉) in [0, 1] of the references at −1 and +1: high = visible
            there.
        alpha: α, each given frame's share of the context, (B, T), in the order of the input, 0 where
            absent, summing to 1.
        blend: The warped references blended by visibility, before any network corrects them, of the size of
            `coarse` and unclamped: `coarse` less this is what the context adds, and the frame less `coarse`
            what the refinement adds. None also where `coarse` itself is that blend.
        auxiliary: Terms of the training loss, by their name in the configuration, that only the model can
            compute (scalars). None also without the true frame.
    """

    frame: Tensor
    coarse: Tensor | None = None
    flow: Tensor | None = None
    occlusion: Tensor | None = None
    alpha: Tensor | None = None
    blend: Tensor | None = None
    auxiliary: dict[str, Tensor] | None = None


class Interpolator(nn.Module):
    """A model that predicts the frame at offset 0 from frames around it, or before it.

    Attributes:
        task: interpolate, or predict, where it sees no frame from offset 0 on.
        loaded: Names, as in `named_parameters()`, of what was loaded from pretrained weights.
        load_report: What that file gave; None where nothing was loaded.
        loadable: Names of what `load_pretrained` replaces, where phases of training may freeze that.
        multiple: Frames are padded inside to multiples of this, pixels.
        any_time: Whether `make` takes references at any offsets −2·t and 2 − 2·t, t in (0, 1), not ±1 alone.
        training_only: Names of the parts that only training uses, as in `named_children()`.
    """

    task: str = "interpolate"
    loaded: frozenset[str] = frozenset()
    load_report: LoadReport | None = None
    loadable: frozenset[str] = frozenset()
    multiple: int = 1
    any_time: bool = False
    training_only: tuple[str, ...] = ()

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0.

        Args:
            frames: (B, T, 3, H, W), RGB in [0, 1], any H and W. Absent frames have no influence.
            offsets: Distance of each frame from the missing one, frames, (B, T); any order, with −1 and +1;
                of prediction with −h and −h − 1 for the frame h after the last one.
            valid: Which frames are present, (B, T), bool.
            target: The true frame, (B, 3, H, W), where the loss is wanted: models learn more from it than
                their loss says (`Output.auxiliary`). It has no influence on the prediction.

        Returns:
            The prediction; see `Output` for shapes and units.

        Raises:
            ValueError: Shapes or types that do not fit, or a sample without both references.
        """
        raise NotImplementedError

    def know(self, image: Tensor) -> Any:
        """Do what can be done with one frame (1, 3, H, W) alone, once for all that it helps to make."""
        return image

    def forget(self, known: Any) -> Any:
        """Keep of what is known of a frame what is needed of it as context; it is no reference any more."""
        return known

    def make(self, known: Mapping[float, Any]) -> Output:
        """Predict the frame at offset 0 as `forward` does.

        Args:
            known: What `know` gave of the frames of one clip, by their offsets, ascending.

        Returns:
            The prediction; of a model that knows frames in advance perhaps `frame` alone.
        """
        frames = torch.stack(list(known.values()), dim=1)
        offsets = torch.tensor([list(known)], dtype=torch.float32, device=frames.device)
        output: Output = self(frames, offsets, torch.ones_like(offsets).bool())
        return output

    def shown(self, frame: Tensor, size: tuple[int, int]) -> Tensor:
        """Return a padded frame as `Output` promises it: cropped to (H, W), and clamped but in training."""
        frame = crop_to(frame, size)
        return frame if self.training else frame.clamp(0, 1)

    def full_output(
        self,
        frame: Tensor,
        flow: Tensor,
        mask: Tensor,
        size: tuple[int, int],
        *,
        coarse: Tensor | None = None,
        auxiliary: dict[str, Tensor] | None = None,
    ) -> Output:
        """Return what a model that ends at full resolution found, its maps reduced to a quarter.

        All maps are (B, C, H, W), padded to multiples of 4 from `size`; `mask` is the first reference's share
        in the blend.
        """

        def quarter(maps: Tensor) -> Tensor:
            return crop_to(resize(maps, 0.25), (-(-size[0] // 4), -(-size[1] // 4)))

        return Output(
            self.shown(frame, size),
            coarse=None if coarse is None else quarter(coarse),
            flow=quarter(flow) / 4,
            occlusion=quarter(torch.cat((mask, 1 - mask), dim=1)),
            auxiliary=auxiliary,
        )

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Start from somebody else's weights, and remember in `loaded` and `load_report` which.

        Raises:
            UserError: The model takes none, or not those.
        """
        raise UserError(
            f"params.yaml: model.pretrained: {path}: {type(self).__name__} takes no such weights; set null"
        )

    def channels_last(self) -> Self:
        """Lay convolutions' weights out with channels last in memory, those over time too."""
        for weights in (*self.parameters(), *self.buffers()):  # frozen ones are buffers
            if weights.ndim in (4, 5):
                form = torch.channels_last if weights.ndim == 4 else torch.channels_last_3d
                weights.data = weights.data.contiguous(memory_format=form)
        return self

    def recompute(self, parts: Collection[str]) -> None:
        """Keep less of `parts` (`train.recompute`) for the backward pass and compute it anew there.

        Raises:
            UserError: The model cannot.
        """
        raise UserError(
            f"params.yaml: train.recompute: {type(self).__name__} has no context frames; set [] for it"
        )

    def by_stage(self, names: Collection[str]) -> tuple[frozenset[str], ...]:
        """Sort the parameters `names` by what a training phase freezes and thaws at once.

        One set for each part such as `encoder.s4`, in the model's order: the shallowest first.
        """
        found: dict[str, set[str]] = {}
        for name, _ in self.named_parameters():
            if name in names:
                found.setdefault(".".join(name.split(".")[:2]), set()).add(name)
        return tuple(frozenset(stage) for stage in found.values())

    def check_freezing(self) -> None:
        """Refuse to freeze or thaw where nothing was loaded: frozen random weights cripple a model silently.

        Raises:
            UserError: Nothing was.
        """
        if not self.loaded:
            raise UserError(
                "params.yaml: train.phases: freeze: true or thaw, but no pretrained weights were loaded, and "
                "freezing random ones makes no sense: set model.pretrained to a file, or freeze: false and "
                "thaw: 0"
            )


def check_inputs(frames: Tensor, offsets: Tensor, valid: Tensor) -> None:
    """Refuse inputs whose shapes or types do not fit `Interpolator.forward`.

    Raises:
        ValueError: They do not.
    """
    if frames.ndim != 5 or frames.shape[2] != 3:
        raise ValueError(f"frames: expected shape (B, T, 3, H, W), found {tuple(frames.shape)}")
    for name, tensor in (("offsets", offsets), ("valid", valid)):
        if tensor.shape != frames.shape[:2]:
            raise ValueError(
                f"{name}: expected shape {tuple(frames.shape[:2])} (B, T), found {tuple(tensor.shape)}"
            )
    if valid.dtype != torch.bool:
        raise ValueError(f"valid: expected bool, found {valid.dtype}")
