"""RIFE v2.x's ContextNet as a start for the encoder (specification section 3.6).

ContextNet (Huang et al. 2022, RIFE's repository) is a chain of blocks `convK` of two 3x3 convolutions,
`conv1` and `conv2`, each saved as `[module.]convK.conv1.0.weight|bias` with a PReLU slope in `…1.weight`. Its
leading shapes are the encoder's; its strides and activations are not, so these weights are a start and no
replica.
"""

from pathlib import Path

from lift.models.interface import LoadReport
from lift.models.lift.encoder import Encoder
from lift.models.pretrained import Wanted, read_state, start

SOURCES = {"s1": "conv0", "s2": "conv2", "s4": "conv3", "s8": "conv4"}
"""Block of ours <- block of theirs; their conv1 has no counterpart, our s16 none of theirs."""
CUT = "s8."  # the block that may be cut: 192 of 256 channels (specification section 3)
LAYERS = {"0": "conv1.0", "2": "conv2.0"}
"""Convolution of a block of ours, between which stands an activation <- theirs."""
WANTED = Wanted(
    part="the encoder",
    file="RIFE v2.x's contextnet.pkl",
    key="model.pretrained",
    otherwise="these weights need model.widths [32, 64, 128, at most 256, any]",
)


def load_rife_contextnet(encoder: Encoder, path: Path | str) -> LoadReport:
    """Start an encoder from a RIFE v2.x ContextNet; see `start`.

    Args:
        encoder: Of the specification's widths at s1, s2, s4, and at most RIFE's 256 at s8.
        path: The weights file as RIFE saves it.

    Returns:
        What was taken, what was cut, what started fresh; `str()` of it is fit for printing.

    Raises:
        UserError: The file is missing, truncated, no weights file, no ContextNet or an incomplete one, or
            holds values that are not finite; or the encoder's widths are not RIFE's.
    """
    path = Path(path)
    named = {
        f"{box}.{layer}.{kind}": f"{source}.{name}.{kind}"
        for box, source in SOURCES.items()
        for layer, name in LAYERS.items()
        for kind in ("weight", "bias")
    }
    own = dict(encoder.named_parameters())
    return start(path, read_state(path, WANTED), own, named, WANTED, cuttable=(CUT,))
