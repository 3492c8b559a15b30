"""What all stages share: arguments, folders, and one clear line for a user's mistake."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lift.config import Config, resolved
from lift.errors import UserError

PARAMS = Path("params.yaml")
MEMORY = Path("scratch") / "digests.json"
"""What files below data/<profile>/raw, and those of local copies, were when they were last read."""
RECORD = "sources.json"
"""What each source of data/<profile>/raw is."""
WEIGHTS = Path("weights")
"""What the repository carries of trained models."""
ABOUT = "about.json"
"""Beside a method's trained weights: where they are from."""


def run(main: Callable[..., None], *names: str, optional: int = 0) -> None:
    """Call `main` with the command line's arguments; exit with 1 and one line on a user's mistake.

    Args:
        main: Takes the arguments as text.
        names: What the arguments are, for the usage line.
        optional: How many of the last may be left out.
    """
    arguments = sys.argv[1:]
    required = len(names) - optional
    usage = " ".join([*names[:required], *(f"[{name}]" for name in names[required:])])
    usage = f"usage: python -m stages.{Path(sys.argv[0]).stem} {usage}"
    if {"-h", "--help"} & {*arguments}:
        print(usage)
        return
    if not required <= len(arguments) <= len(names):
        sys.exit(usage)
    with contextlib.suppress(BrokenPipeError):
        try:
            main(*arguments)
        except UserError as error:
            sys.exit(f"error: {error}")
        sys.stdout.flush()
        sys.stderr.flush()
        # All is written and closed. Taking PyTorch's modules down one by one would cost 0.5 to 0.9 s a stage.
        os._exit(0)


def commit() -> str | None:
    """Return the commit that is checked out, with `-dirty` where files differ; None: there is none.

    A copy of the files alone, without their history, is told it by the environment variable LIFT_COMMIT.
    """
    if "LIFT_COMMIT" in os.environ:
        return os.environ["LIFT_COMMIT"]
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):  # no git, or no clone of it
        return None


def check_resolved(profile: str, name: str, wanted: dict[str, Any]) -> None:
    """Refuse to run a stage for another configuration than `resolve` has written down for it.

    Raises:
        UserError: data/<profile>/resolved/<name> is not there, or says something else than `wanted`.
    """
    resolved.check(data_folder(profile) / resolved.FOLDER / name, wanted, profile)


def seed_folder(folder: Path, config: Config, seed: int) -> Path:
    """Return where a seed's share of a folder lies: the first seed's at the top, `seed<N>` for each other.

    So the path of an ablation's weights does not depend on how many seeds there are.
    """
    return folder if seed == config.train.seeds[0] else folder / f"seed{seed}"


def data_folder(profile: str) -> Path:
    """Return the folder of everything heavy of a profile."""
    return Path("data") / profile
