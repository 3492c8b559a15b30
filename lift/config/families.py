"""The parameters of the models that LIFT is compared with, a section of `model` each (as in schema.py).

Widths are the published ones in every profile; `factor` narrows all of a family's at once, so that a
variant's numbers stand once and the demo needs no second set.
"""

from dataclasses import dataclass

from lift.config.parse import choice, number

LEAST_FACTOR, MOST_FACTOR = 0.01, 4.0


@dataclass(frozen=True, kw_only=True)
class Rife:
    """RIFE (Huang et al. 2022, section 3): IFNet with a privileged teacher, ContextNet and a U-Net."""

    factor: float = number(LEAST_FACTOR, MOST_FACTOR)
    """Channels over the widths below; 1: the published model."""
    widths: tuple[int, int, int] = number(4, 4096)
    """Channels of IFNet's three blocks."""
    scales: tuple[int, int, int] = number(1, 16)
    """How many times smaller than the frame each block sees its input."""
    teacher_width: int = number(4, 4096)
    """Channels of the privileged teacher's block."""
    context_width: int = number(2, 1024)
    """Channels of ContextNet and the U-Net at half resolution."""
    margin: float = number(0.0, 1.0)
    """How much nearer to the truth the teacher's frame must be for its flow to be taught, of 1."""
    pretrained: str | None
    """RIFE's own weights (flownet.pkl; ContextNet alone where the file has no more), or null."""


@dataclass(frozen=True, kw_only=True)
class RifeV4:
    """RIFE v4.25 (lift/models/rife_v4): five blocks from coarse to fine over features of each frame."""

    factor: float = number(LEAST_FACTOR, MOST_FACTOR)
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


@dataclass(frozen=True, kw_only=True)
class IfrNet:
    """IFRNet (Kong et al. 2022, section 3) and IFRVP's light variants: one class, told apart by these."""

    factor: float = number(LEAST_FACTOR, MOST_FACTOR)
    """Channels over `widths`; 1: the published model."""
    widths: tuple[int, ...] = number(3, 4096)
    """Channels of the pyramid's levels, 1/2 first; a decoder has three times as many, the last one twice."""
    first_kernel: int = number(1, 15)
    """Side of the first convolution's kernel, odd."""
    block: str = choice("side", "thirds", "elan")
    """Residual block of a decoder: IFRNet's with side channels, IFRNet_T's, or two of IFRNet_ELAN's."""

    def __post_init__(self) -> None:
        """Refuse a pyramid that is no pyramid.

        Raises:
            ValueError: Fewer than two levels, or an even kernel.
        """
        if len(self.widths) < 2:
            raise ValueError(f"widths: {list(self.widths)}: a pyramid needs two levels at least")
        if self.first_kernel % 2 == 0:
            raise ValueError(
                f"first_kernel: {self.first_kernel} is even: the result would be half a pixel off"
            )


@dataclass(frozen=True, kw_only=True)
class Flavr:
    """A model after FLAVR (Kalluri et al. 2023, section 3): a 3-D convolutional U-Net over several frames."""

    factor: float = number(LEAST_FACTOR, MOST_FACTOR)
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


def narrowed(widths: tuple[int, ...], factor: float, multiple: int = 1) -> tuple[int, ...]:
    """Multiply widths by `factor`, rounded to a multiple of `multiple` and not below it."""
    return tuple(max(multiple, multiple * round(width * factor / multiple)) for width in widths)
