"""LIFT with `flow: rife` and a refinement that is learnt on top of it: `refinement: aligned`."""

from lift.config.schema import Model
from lift.models.lift.aligned import AlignedLift
from lift.models.lift.flow import Motion
from lift.models.lift.lift import Gathered
from lift.models.lift_rife.window import RifeWindow
from lift.models.matching.search import OFFSETS, arrange


class LearntOnRife(AlignedLift):
    """Stage 3 is RIFE's motion, refined by the window, and its blend; nothing in it learns."""

    compares = True

    def add_motion(self, model: Model) -> None:
        """Build what `find_motion` uses."""
        self.window = RifeWindow(model)

    def find_motion(self, known: Gathered) -> Motion:
        """Stage 3, to full resolution."""
        found, present = arrange(known.small, known.offsets, known.lineup)
        made = self.window(known.encoded.references, found, OFFSETS, present, known.size)
        return Motion(made.flow, made.visible, made.frame, made.warped)
