"""Training losses (specification section 4): of frames, of flows, of features; joined by `Losses`."""

from lift.losses.combined import Losses

__all__ = ["Losses"]
