"""LIFT with `flow: matching`: motion by comparing frames, and a blend by what the warped references share."""

from torch import Tensor

from lift.config.schema import Model
from lift.models.lift.aligned import AlignedLift, AlignedRefiner
from lift.models.lift.encoder import Encoded, Pyramid
from lift.models.lift.flow import Motion
from lift.models.lineup import Lineup
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

    def find_motion(
        self,
        near: Pyramid,
        context: Tensor,
        encoded: Encoded,
        offsets: Tensor,
        lineup: Lineup,
        size: tuple[int, int],
    ) -> Motion:
        """Stage 3, to s2; arguments as for `Lift.find_motion`."""
        if encoded.small is None:
            raise ValueError("frames to compare are needed: encode them with this model")
        found, seen = search(*arrange(encoded.small, offsets, lineup), self.options)
        contexts = resize(context, 2), resize(context, 4)
        return Motion(*self.flow(found, seen, near.s8, near.s4, near.s2, *contexts, lineup.time))
