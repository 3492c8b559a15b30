"""Parameters of FLAVR: the section `flavr` of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import Family, number, width_factor


@dataclass(frozen=True, kw_only=True)
class Flavr(Family):
    """A model after FLAVR (Kalluri et al. 2023, section 3): a 3-D convolutional U-Net over several frames."""

    estimates_flow = False

    factor: float = width_factor()
    """Channels over `widths`; 1: the published model."""
    inputs: int = number(2, 64)
    """Frames that go in, uniform and centred: 4 is offsets -3, -1, +1, +3. Even."""
    widths: tuple[int, int, int, int] = number(2, 4096)
    """Channels of the encoder's four residual stages; the first is the stem's, too."""

    def __post_init__(self) -> None:
        """Refuse an odd number of frames.

        Raises:
            ValueError: The frames could not lie evenly around the gap.
        """
        if self.inputs % 2:
            raise ValueError(f"inputs: {self.inputs} is odd: as many frames lie before the gap as after it")

    def only(self, task: str = "interpolate") -> tuple[int, ...]:
        """Return the only offsets that it takes: uniform and centred."""
        return tuple(range(1 - self.inputs, self.inputs, 2))
