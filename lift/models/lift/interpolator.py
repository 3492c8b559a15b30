"""Which of LIFT's variants a configuration asks for."""

from lift.config.schema import Model
from lift.models.interface import Interpolator
from lift.models.lift.aligned import AlignedLift
from lift.models.lift.lift import Lift
from lift.models.lift_rife.interpolator import LiftRife
from lift.models.lift_rife.learnt import LearntOnRife
from lift.models.matching.lift import MatchingLift


def create(model: Model) -> Interpolator:
    """Build the variant that `flow` and `refinement` name."""
    if model.flow == "rife":
        return LearntOnRife(model) if model.refinement == "aligned" else LiftRife(model)
    if model.flow == "matching":
        return MatchingLift(model)
    return AlignedLift(model) if model.refinement == "aligned" else Lift(model)
