"""Parameters of IFRNet: the section `ifrnet` of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import Family, choice, number, width_factor


@dataclass(frozen=True, kw_only=True)
class IfrNet(Family):
    """IFRNet (Kong et al. 2022, section 3) and IFRVP's light variants: one class, told apart by these."""

    auxiliary = ("geometry",)
    tasks = ("interpolate", "predict")

    factor: float = width_factor()
    """Channels over `widths`; 1: the published model."""
    widths: tuple[int, ...] = number(3, 4096)
    """Channels of the pyramid's levels, 1/2 first; a decoder has three times as many, the last one twice."""
    first_kernel: int = number(1, 15, odd=True)
    """Side of the first convolution's kernel; of an even one the result would be half a pixel off."""
    block: str = choice("side", "thirds", "elan")
    """Residual block of a decoder: IFRNet's with side channels, IFRNet_T's, or two of IFRNet_ELAN's."""

    def __post_init__(self) -> None:
        """Refuse a pyramid that is no pyramid.

        Raises:
            ValueError: Fewer than two levels.
        """
        if len(self.widths) < 2:
            raise ValueError(f"widths: {list(self.widths)}: a pyramid needs two levels at least")
