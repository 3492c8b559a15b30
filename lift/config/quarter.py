"""What the minutes of `slurm/quarter.sh` are for (conventions: schema.py)."""

from dataclasses import dataclass
from pathlib import Path

from lift.config.checks import named
from lift.config.parse import build, check_known
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.options import number


@dataclass(frozen=True, kw_only=True)
class Group:
    """Methods that are to be compared: trained one after the other, with equally many steps."""

    methods: tuple[str, ...]
    """Names under `ablations`."""
    share: float = number(0.0, 1.0)
    """Of the time for training; what a group leaves goes to those behind it, by their shares."""

    def __post_init__(self) -> None:
        """Raise ValueError where it has no methods or no share."""
        if not self.methods or not self.share:
            raise ValueError("a group needs methods, and a share above 0")


@dataclass(frozen=True, kw_only=True)
class Quarter:
    """A training by the clock; times in seconds."""

    groups: tuple[Group, ...]
    """In the order of worth."""
    tests: float = number(0.0)
    """For the tests that need a GPU, at most; the footage is rendered meanwhile."""
    render: float = number(0.0)
    """For rendering: as many scenes as it is measured to give, at most `sources.scenes.render.train`."""
    lines: int = number(16)
    """Height to which footage that was brought along is reduced where it has more, pixels."""
    speed: float = number(0.0)
    """For the table of speeds, at most."""
    finish: float = number(0.0)
    """For a method's validation and last files, before any has shown how long they take."""
    write: float = number(0.0)
    """At the end, in which nothing but files are written."""
    every: float = number(0.1)
    """Between the files that a kill would leave."""
    left_out: int = number(1)
    """Steps before those that are timed."""
    timed: int = number(1)
    """Steps whose median is a method's time per step."""
    margin: float = number(0.0, 0.9)
    """Share of a group's time that is not planned for steps."""
    gain: float = number(1.0)
    """How many times faster an option must be than 32 bits to be taken."""
    again: float = number(0.0, 1.0)
    """Rate with which a training that had ended goes on, over its first one."""


def load_quarter(path: Path) -> Quarter:
    """Read the section `quarter` of params.yaml.

    Raises:
        UserError: The key at fault.
    """
    raw = read(path)
    if "quarter" not in raw:
        raise UserError(f"{path}: quarter: missing; restore the section: git checkout -- {path.name}")
    found = build(Quarter, raw["quarter"], "quarter")
    for index, group in enumerate(found.groups):
        for name in group.methods:
            check_known(
                name, named(raw, "ablations"), f"quarter.groups[{index}].methods", "not under ablations"
            )
    return found
