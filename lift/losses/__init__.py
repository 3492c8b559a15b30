"""Training losses (specification section 4): one small file per family, joined and weighted by `Losses`."""

from lift.losses.combined import Losses

__all__ = ["Losses"]
