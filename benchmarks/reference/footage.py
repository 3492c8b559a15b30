"""What trains a reference run: CLIPS' sequences and rendered scenes, side by side as links in one folder."""

import shutil
from collections.abc import Collection
from pathlib import Path

from lift.config.footage import Render
from lift.errors import UserError
from lift.scenes.layouts import WRITERS

WRITER = "davis"
"""The layout in which scenes are rendered: a folder of JPEG for each, with its kind in its name."""


def gather(clips: Path, leave_out: Collection[str], render: Render | None, seed: int, out: Path) -> None:
    """Make `out/footage` with `train` and `test` (empty), as the source `folder` takes them.

    Scenes are rendered once. Every sequence is an entry of its own, so that validation is drawn by sequence
    and not by their kind.

    Args:
        clips: `<kind>/<sequence>/{<video>, <picture> …}`.
        leave_out: Kinds that do not train.
        render: Scenes to render beside them; its `train` counts. None: no scenes.
        seed: Of the scenes.
        out: The run's folder.

    Raises:
        UserError: CLIPS has no sequence.
    """
    place, beside = out / "footage", out / ".footage.partial"
    shutil.rmtree(beside, ignore_errors=True)
    for part in ("train", "test"):
        (beside / part).mkdir(parents=True)
    for name, path in sequences(clips, leave_out):
        (beside / "train" / name).symlink_to(path.resolve())
    for path in _rendered(render, seed, out / "rendered") if render is not None else ():
        (beside / "train" / f"scenes-{path.name}").symlink_to(path.resolve())
    shutil.rmtree(place, ignore_errors=True)  # links alone, to where CLIPS may have lain before
    beside.replace(place)


def _rendered(render: Render, seed: int, folder: Path) -> list[Path]:
    if not folder.is_dir():
        WRITERS[WRITER](folder, render, seed, target=1)
    return sorted((folder / "DAVIS" / "JPEGImages" / "480p").iterdir())


def sequences(clips: Path, leave_out: Collection[str]) -> list[tuple[str, Path]]:
    """List the sequences of CLIPS by name.

    Raises:
        UserError: There is none.
    """
    kinds = sorted(path for path in clips.glob("*") if path.is_dir() and path.name not in leave_out)
    found = [
        (f"{kind.name}-{sequence.name}", sequence)
        for kind in kinds
        for sequence in sorted(path for path in kind.iterdir() if path.is_dir())
    ]
    if not found:
        raise UserError(
            f"CLIPS: {clips}: no <kind>/<sequence>/ with footage; give the folder that holds the kinds"
        )
    return found
