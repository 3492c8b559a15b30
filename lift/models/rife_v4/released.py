"""The released weights of RIFE v4.25: all of the network, or none."""

from pathlib import Path

from lift.errors import UserError
from lift.models.interface import LoadReport
from lift.models.pretrained import Wanted, read_state, start
from lift.models.rife_v4.network import IfNet

UNUSED = ("teacher.", "caltime.")  # parts of flownet.pkl that only its authors' training used
WANTED = Wanted(
    part="RIFE v4.25",
    file="RIFE v4.25's IFNet, as in weights/rife_v4.25.safetensors or Practical-RIFE's flownet.pkl of that "
    "version",
    key="model.rife_v4.pretrained",
    otherwise="another version of RIFE, or other widths",
)


def load_released(network: IfNet, path: Path | str) -> LoadReport:
    """Load RIFE v4.25's own weights; see `start`.

    Args:
        network: Its parameters have the names of the file.
        path: `.safetensors`, or the file as Practical-RIFE saves it.

    Raises:
        UserError: The file is missing or damaged, holds values that are not finite, or is of another version
            or of other widths.
    """
    path = Path(path)
    own, state = dict(network.named_parameters()), read_state(path, WANTED)
    odd = [key for key in state if key not in own and not key.startswith(UNUSED)]
    if odd and own.keys() <= state.keys():
        raise UserError(
            f"{path}: {odd[0]} has no counterpart: {WANTED.otherwise}; expected {WANTED.file}, or set "
            f"{WANTED.key}: null"
        )
    return start(path, state, own, {name: name for name in own}, WANTED)
