"""The reviewer's check (`make verify`): rebuild a profile in a temporary clone and compare.

On the kind of processor that made the committed results every byte must be equal. Elsewhere the numbers in
metrics, tables and manifests (JSON, CSV) may differ within the tolerances of params.yaml, each metric on its
own scale, and what is drawn from them is not compared.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from ruamel.yaml import YAML

from lift.compare import EXACT, Difference, Tolerance, compare
from lift.config import load
from lift.config.yaml12 import read
from lift.environment import processor
from lift.errors import UserError
from stages.common import PARAMS, run

NUMBERS = (".json", ".csv")
LOCK = "dvc.lock"


def main(profile: str) -> None:
    """Clone HEAD, rebuild `profile` there without any cache, and print a table of what differs."""
    allowed = load(PARAMS, profile).verify
    with tempfile.TemporaryDirectory(prefix="lift-verify-") as folder:
        clone = Path(folder) / "lift"
        _call(["git", "clone", "--quiet", "--no-hardlinks", str(Path.cwd()), str(clone)], Path.cwd())
        committed = _committed(clone, profile)
        exact = _made_on(committed, profile) == processor()
        tolerance = EXACT if exact else Tolerance(allowed.absolute, allowed.relative, allowed.metrics)
        _activate(profile, clone / PARAMS)
        for name in set(committed) - {LOCK}:  # what no stage makes must not pass for rebuilt
            (clone / name).unlink()
        # --force: a fresh clone has no cache, but stages whose outputs are all in git would be skipped
        # otherwise.
        _call(["dvc", "repro", "--force"], clone)
        compared, differences = _compare(clone, committed, tolerance)
        differences += [
            Difference(name, "made, but not committed", float("inf"), False)
            for name in _listed(clone, profile, "--others")
            if _counts(name, tolerance)
        ]
    _print(differences, compared, tolerance)
    if any(not difference.within for difference in differences):
        sys.exit(1)


def _committed(clone: Path, profile: str) -> dict[str, bytes]:
    """Read every committed file that the profile's stages make."""
    made = {name: (clone / name).read_bytes() for name in _listed(clone, profile)}
    if len(made) < 2:
        raise UserError(f"nothing of profile {profile} is committed: run `dvc repro` and commit its results")
    return made


def _listed(clone: Path, profile: str, *options: str) -> list[str]:
    """List what the profile's stages make and git keeps; with `--others`: would keep."""
    places = [LOCK, f"data/{profile}", f"reports/{profile}"]
    command = ["git", "ls-files", "-z", "--exclude-standard", *options, *places]
    listed = subprocess.run(command, cwd=clone, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in listed if name and not name.endswith(".gitignore")]


def _made_on(committed: dict[str, bytes], profile: str) -> str:
    name = f"reports/{profile}/environment.json"
    if name not in committed:
        raise UserError(
            f"{name}: not committed, so the report is missing: run `dvc repro` and commit its results"
        )
    return str(json.loads(committed[name])["processor"])


def _activate(profile: str, params: Path) -> None:
    """Let `dvc repro` run this profile alone, whichever ones the commit has active."""
    raw = read(params)
    profiles = raw["profile"] if isinstance(raw["profile"], dict) else {}
    active = {name: [name] if name == profile else [] for name in {**profiles, profile: None}}
    if profiles != active:
        YAML().dump(raw | {"profile": active}, params)


def _compare(clone: Path, committed: dict[str, bytes], tolerance: Tolerance) -> tuple[int, list[Difference]]:
    compared, differences = 0, []
    for name, old in committed.items():
        if not _counts(name, tolerance):
            continue
        path = clone / name
        difference = compare(name, old, path.read_bytes() if path.exists() else None, tolerance)
        compared += 1
        differences += [difference] if difference else []
    return compared, differences


def _counts(name: str, tolerance: Tolerance) -> bool:
    """Whether a file is compared: every one, or on another kind of processor those that hold numbers."""
    return tolerance is EXACT or (name.endswith(NUMBERS) and not name.endswith("environment.json"))


def _print(differences: list[Difference], compared: int, tolerance: Tolerance) -> None:
    exact = tolerance is EXACT
    own = "".join(f", {metric} within {most}" for metric, most in tolerance.metrics.items())
    rule = (
        "every byte must be equal"
        if exact
        else f"within {tolerance.absolute} + {tolerance.relative} x value{own}"
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
