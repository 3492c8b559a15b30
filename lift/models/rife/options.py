"""Parameters of RIFE: the section `rife` of `model` in params.yaml."""

from dataclasses import dataclass

from lift.options import Family, number, width_factor


@dataclass(frozen=True, kw_only=True)
class Rife(Family):
    """RIFE (Huang et al. 2022, section 3): IFNet with a privileged teacher, ContextNet and a U-Net."""

    auxiliary = ("distillation", "teacher")

    factor: float = width_factor()
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
