"""LIFT with `flow: rife` and a refinement that is learnt on top of it: `refinement: aligned`."""

from torch import Tensor

from lift.config.schema import Model
from lift.models.lift.aligned import AlignedLift
from lift.models.lift.encoder import Encoded, Pyramid
from lift.models.lift.flow import Motion
from lift.models.lift_rife.window import RifeWindow
from lift.models.lineup import Lineup
from lift.models.matching.search import OFFSETS, arrange


class LearntOnRife(AlignedLift):
    """Stage 3 is RIFE's motion, refined by the window, and its blend; nothing in it learns."""

    compares = True

    def add_motion(self, model: Model) -> None:
        """Build what `find_motion` uses."""
        self.window = RifeWindow(model)

    def find_motion(
        self,
        near: Pyramid,
        context: Tensor,
        encoded: Encoded,
        offsets: Tensor,
        lineup: Lineup,
        size: tuple[int, int],
    ) -> Motion:
        """Stage 3, to full resolution; arguments as for `Lift.find_motion`."""
        if encoded.small is None:
            raise ValueError("frames to compare are needed: encode them with this model")
        found, present = arrange(encoded.small, offsets, lineup)
        made = self.window(encoded.references, found, OFFSETS, present, size)
        return Motion(made.flow, made.visible, made.frame, made.warped)
