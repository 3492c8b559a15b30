"""The parameters of one run as frozen dataclasses: what a model is, what it sees, how it learns.

The text under a field gives its unit and meaning. Values stand in params.yaml only, so no field has a
default.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

from lift.config.clip import Clip, window
from lift.config.parse import place
from lift.config.training import Augment, Phase, Train
from lift.models.flavr.options import Flavr
from lift.models.ifrnet.options import IfrNet
from lift.models.lift.options import Lift
from lift.models.lift_rife.options import LiftRife
from lift.models.matching.options import Matching
from lift.models.rife.options import Rife
from lift.models.rife_v4.options import RifeV4
from lift.options import Family, number

__all__ = ["MODELS", "Augment", "Clip", "Loss", "Model", "Phase", "Train", "window"]


@dataclass(frozen=True, kw_only=True)
class Model(Lift):
    """A model: the parameters of LIFT, and a section for each of its variants and for each other family.

    A section of a `Family` registers that family: its model is made by `create` in
    lift/models/<section>/interpolator.py.
    """

    name: str
    """lift, or the section of another family."""
    matching: Matching
    lift_rife: LiftRife
    rife: Rife
    rife_v4: RifeV4
    ifrnet: IfrNet
    flavr: Flavr

    @property
    def family(self) -> Family:
        """The parameters of the named model: its section, or of LIFT these fields."""
        return self if self.name == LIFT else getattr(self, self.name)

    @property
    def families(self) -> dict[str, Family]:
        """The parameters of every model."""
        return {name: replace(self, name=name).family for name in MODELS}

    @property
    def sections(self) -> tuple[str, ...]:
        """The sections that the named model reads."""
        return self.variants[self.flow] if self.name == LIFT else (self.name,)

    @property
    def start(self) -> Path | None:
        """The weights file from which the named model starts, or None."""
        start: str | None = getattr(self.family, "pretrained", None)
        return None if start is None else place(start)

    def started(self, path: Path) -> "Model":
        """Return the named model as it starts from the weights file `path`."""
        own = self.family
        if own is self or not hasattr(own, "pretrained"):
            return replace(self, pretrained=str(path))
        section: dict[str, Any] = {self.name: replace(own, pretrained=str(path))}  # type: ignore[type-var]
        return replace(self, **section)


LIFT = "lift"
MODELS: dict[str, type[Family]] = {
    LIFT: Lift,
    **{
        name: kind
        for name, kind in get_type_hints(Model).items()
        if isinstance(kind, type) and issubclass(kind, Family)
    },
}
"""Every model by name."""


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Weight of each part of the loss (specification section 4); 0 switches it off."""

    l1: float = number(0.0)
    lpips: float = number(0.0)
    charbonnier: float = number(0.0)
    census: float = number(0.0)
    smoothness: float = number(0.0)
    warping: float = number(0.0)
    laplacian: float = number(0.0)
    perceptual: float = number(0.0)
    frequency: float = number(0.0)
    distillation: float = number(0.0)
    """RIFE: the students' flows against the privileged teacher's."""
    teacher: float = number(0.0)
    """RIFE: the teacher's own frame against the truth; without it the teacher does not learn."""
    geometry: float = number(0.0)
    """IFRNet: intermediate features against those of the true frame."""

    def __post_init__(self) -> None:
        """Refuse a loss without parts.

        Raises:
            ValueError: All weights are 0.
        """
        if not any(vars(self).values()):
            raise ValueError("all weights are 0: nothing to learn from")
