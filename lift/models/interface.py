"""What every model has in common beside its output."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from lift.errors import UserError
from lift.models.output import Output


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """What became of a weights file and of the part of a model that it was loaded into."""

    path: Path
    taken: tuple[str, ...]
    """Parameters that came from the file."""
    cut: dict[str, str]
    """Those of `taken` for which only leading channels were used: what was cut, in words."""
    fresh: tuple[str, ...]
    """Parameters that start at random."""
    unused: tuple[str, ...]
    """Entries of the file without a counterpart."""

    def __str__(self) -> str:
        """Return the report in four lines."""
        cut = "; ".join(f"{name}: {what}" for name, what in self.cut.items())
        return (
            f"{self.path}: {len(self.taken)} parameters loaded, {len(self.unused)} entries unused\n"
            f"  taken: {', '.join(self.taken)}\n"
            f"  cut: {cut or 'none'}\n"
            f"  fresh: {', '.join(self.fresh) or 'none'}"
        )


class Interpolator(nn.Module):
    """A model that predicts the frame at offset 0 from frames around it, or before it.

    Attributes:
        task: interpolate, or predict, where it sees no frame from offset 0 on.
        loaded: Names, as in `named_parameters()`, of what was loaded from pretrained weights.
        load_report: What that file gave; None where nothing was loaded.
        loadable: Names of what `load_pretrained` replaces, as far as it is known before it does.
        freezable: Whether training phases may freeze what was loaded.
        multiple: Frames are padded inside to multiples of this, pixels.
        any_time: Whether the references may be at any offsets −2·t and 2 − 2·t, t in (0, 1), not at ±1 alone.
        training_only: Names of the parts that only training uses, as in `named_children()`.
    """

    task: str = "interpolate"
    loaded: frozenset[str] = frozenset()
    load_report: LoadReport | None = None
    loadable: frozenset[str] = frozenset()
    freezable: bool = False
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
        """Keep less of `parts` for the backward pass and compute it anew there: the same gradients.

        Args:
            parts: Of encoder and transformer (`train.recompute`).

        Raises:
            UserError: The model cannot.
        """
        raise UserError(
            f"params.yaml: train.recompute: {type(self).__name__} has no context frames; set [] for it"
        )

    def by_stage(self, names: Collection[str]) -> tuple[frozenset[str], ...]:
        """Sort parameters by the stage that they belong to: what a training phase freezes and thaws.

        Args:
            names: Of parameters, such as `loaded`.

        Returns:
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
