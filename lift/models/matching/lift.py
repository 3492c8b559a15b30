"""LIFT with `flow: matching`: motion by comparing frames, and a blend by what the warped references share."""

from lift.config.schema import Model
from lift.models.lift.aligned import AlignedLift, AlignedRefiner
from lift.models.lift.flow import Motion
from lift.models.lift.lift import Gathered
from lift.models.matching.agreement import Agreement
from lift.models.matching.flow import MatchingFlow
from lift.models.matching.search import arrange, search
from lift.ops.resize import resize


class MatchingLift(AlignedLift):
    """Stage 3 starts from a search (search.py); stages 4 and 5 from `Agreement`."""

    compares = True
    keeps_s2 = True

    def add_motion(self, model: Model) -> None:
        """Build what `find_motion` uses."""
        self.options = model.matching
        self.flow = MatchingFlow(model)

    def add_rendering(self, model: Model) -> None:
        """Build what `render` uses."""
        self.aligned_refiner = AlignedRefiner(model, "bicubic", Agreement(model.matching))

    def find_motion(self, known: Gathered) -> Motion:
        """Stage 3, to s2."""
        found, seen = search(*arrange(known.small, known.offsets, known.lineup), self.options)
        contexts, near = (resize(known.context, 2), resize(known.context, 4)), known.near
        return Motion(*self.flow(found, seen, near.s8, near.s4, near.s2, *contexts, known.lineup.time))
