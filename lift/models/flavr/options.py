"""Parameters of FLAVR: the section `flavr` of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import Family, number, width_factor


@dataclass(frozen=True, kw_only=True)
class Flavr(Family):
    """A model after FLAVR (Kalluri et al. 2023, section 3): a 3-D convolutional U-Net over several frames."""

    estimates_flow = False

    factor: float = width_factor()
    """Channels over `widths`; 1: the published model."""
    inputs: int = number(2, 64, odd=False)
    """Frames that go in, uniform and centred: 4 is offsets -3, -1, +1, +3, as many before as after."""
    widths: tuple[int, int, int, int] = number(2, 4096)
    """Channels of the encoder's four residual stages; the first is the stem's, too."""

    def only(self, task: str = "interpolate") -> tuple[int, ...]:
        """Return the only offsets that it takes: uniform and centred."""
        return tuple(range(1 - self.inputs, self.inputs, 2))
