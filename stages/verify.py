"""The reviewer's check (`make verify`): rebuild a profile in a temporary clone and compare.

On the kind of processor that made the committed results every byte must be equal. Elsewhere the numbers in
metrics, tables and manifests (JSON, CSV) may differ within the tolerances of params.yaml, and what is drawn
from them is not compared.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from lift.compare import Difference, compare
from lift.config import Verify, load
from lift.environment import processor
from lift.errors import UserError
from stages.common import PARAMS, run

NUMBERS = (".json", ".csv")


def main(profile: str) -> None:
    """Clone HEAD, rebuild `profile` there without any cache, and print a table of what differs."""
    tolerance = load(PARAMS, profile).verify
    with tempfile.TemporaryDirectory(prefix="lift-verify-") as folder:
        clone = Path(folder) / "lift"
        _call(["git", "clone", "--quiet", "--no-hardlinks", str(Path.cwd()), str(clone)], Path.cwd())
        committed = _committed(clone, profile)
        exact = _made_on(committed, profile) == processor()
        # --force: a fresh clone has no cache, but stages whose outputs are all in git would be skipped
        # otherwise.
        _call(["dvc", "repro", "--force"], clone)
        compared, differences = _compare(clone, committed, tolerance, exact)
    _print(differences, compared, exact, tolerance)
    if any(not difference.within for difference in differences):
        sys.exit(1)


def _committed(clone: Path, profile: str) -> dict[str, bytes]:
    """Read every committed file that the profile's stages make."""
    places = ["dvc.lock", f"data/{profile}", f"reports/{profile}"]
    names = subprocess.run(
        ["git", "ls-files", "-z", *places], cwd=clone, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    made = {name: (clone / name).read_bytes() for name in names if name and not name.endswith(".gitignore")}
    if len(made) < 2:
        raise UserError(f"nothing of profile {profile} is committed: run `dvc repro` and commit its results")
    return made


def _made_on(committed: dict[str, bytes], profile: str) -> str:
    return str(json.loads(committed[f"reports/{profile}/environment.json"])["processor"])


def _compare(
    clone: Path, committed: dict[str, bytes], tolerance: Verify, exact: bool
) -> tuple[int, list[Difference]]:
    compared, differences = 0, []
    for name, old in committed.items():
        if not exact and (not name.endswith(NUMBERS) or name.endswith("environment.json")):
            continue
        path = clone / name
        new = path.read_bytes() if path.exists() else None
        difference = compare(
            name, old, new, 0.0 if exact else tolerance.absolute, 0.0 if exact else tolerance.relative
        )
        compared += 1
        differences += [difference] if difference else []
    return compared, differences


def _print(differences: list[Difference], compared: int, exact: bool, tolerance: Verify) -> None:
    rule = (
        "every byte must be equal" if exact else f"within {tolerance.absolute} + {tolerance.relative} x value"
    )
    kind = "the same kind of" if exact else "another kind of"
    print(f"rebuilt on {kind} processor ({rule}): {compared} files compared, {len(differences)} differ")
    for d in sorted(differences, key=lambda d: -d.largest):
        print(f"{'ok  ' if d.within else 'FAIL'}  {d.path}: {d.what}; largest difference {d.largest:.3g}")


def _call(command: list[str], folder: Path) -> None:
    if subprocess.run(command, cwd=folder, check=False).returncode:
        raise UserError(f"{' '.join(command)} failed in {folder}; see its output above")


if __name__ == "__main__":
    run(main, "PROFILE")
