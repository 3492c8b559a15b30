"""RIFE's published weights: flownet.pkl of the paper's repository, or RIFE 2.x's ContextNet alone.

Our modules carry the names of the first, so its keys are ours. RIFE 2.x keeps its nets in a file each, of
twice the width, and its ContextNet has one block more, `conv1`, between `conv0` and `conv2`: without that the
shapes are those of `context_width: 32`, and the strides are not, so these weights are a start and no replica.
"""

from pathlib import Path

from torch import nn

from lift.models.interface import LoadReport
from lift.models.pretrained import Wanted, read_state, start

OPTIONAL = "block_tea."  # released weights may come without the teacher, whom only training needs
ALONE = "contextnet."
CONTEXTNET = {"conv0": "conv1", "conv2": "conv2", "conv3": "conv3", "conv4": "conv4"}
"""Block of RIFE 2.x's ContextNet -> ours."""
WANTED = Wanted(
    part="RIFE",
    file="RIFE's flownet.pkl, or RIFE 2.x's contextnet.pkl",
    key="model.rife.pretrained",
    otherwise="set model.rife to that file's widths (context_width: 32 for RIFE 2.x) and factor: 1.0",
)


def load_rife(rife: nn.Module, path: Path | str) -> LoadReport:
    """Start RIFE from its own weights; see `start`.

    Args:
        rife: The model; its parameters have RIFE's names.
        path: The file as RIFE saves it.

    Returns:
        What was taken and what started fresh.

    Raises:
        UserError: The file is missing or damaged, matches nothing, is incomplete, or is of other widths.
    """
    path = Path(path)
    own, state = dict(rife.named_parameters()), read_state(path, WANTED)
    there = {name: key for key in state if (name := _our_name(key)) in own}
    alone = all(name.startswith(ALONE) for name in there)
    needed = (n for n in own if not n.startswith(OPTIONAL) and (not alone or n.startswith(ALONE)))
    return start(path, state, own, {name: name for name in needed} | there, WANTED)


def _our_name(key: str) -> str:
    """Translate a key, of either kind of file, into a parameter's name, where it has a counterpart."""
    block, _, rest = key.partition(".")
    return f"{ALONE}{CONTEXTNET[block]}.{rest}" if block in CONTEXTNET else key
