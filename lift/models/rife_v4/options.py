"""Parameters of RIFE v4.25: the section `rife_v4` of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import Family, number, width_factor


@dataclass(frozen=True, kw_only=True)
class RifeV4(Family):
    """RIFE v4.25 (lift/models/rife_v4): five blocks from coarse to fine over features of each frame."""

    factor: float = width_factor()
    """Channels over `widths`; 1: the released model."""
    widths: tuple[int, int, int, int, int] = number(4, 4096)
    """Channels of the blocks."""
    scales: tuple[int, int, int, int, int] = number(1, 64)
    """How many times smaller than the frame each block sees its input: powers of two."""
    pretrained: str | None
    """RIFE v4.25's own weights, to start from, or null."""

    def __post_init__(self) -> None:
        """Refuse scales that do not divide each other.

        Raises:
            ValueError: One is no power of two.
        """
        if any(scale & (scale - 1) for scale in self.scales):
            raise ValueError(f"scales: {list(self.scales)}: expected powers of two")
