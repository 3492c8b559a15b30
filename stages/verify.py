"""The reviewer's check (`make verify`): rebuild a profile in a temporary clone and compare.

Every clip's metrics must lie within the tolerances of params.yaml (`verify`), and every verdict must be the
same: one that changes is a failure, however close the numbers. Footage that is given by `SOURCE=FOLDER` is
measured; rows of other footage are kept by evaluation as they were, and told.
"""

import csv
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from lift.config import load
from lift.config.yaml12 import read
from lift.data.stored.manifest import not_given
from lift.errors import UserError
from stages.common import PARAMS, data_folder

VERDICTS = {"verdicts": "verdict", "comparisons": "result"}
"""Tables of verdicts, and their column."""
KEYS = ("family", "reading", "comparison", "population", "metric", "benchmark", "clip", "seed", "horizon")
"""Columns that name a row, where a table has them."""
Table = dict[tuple[str, ...], dict[str, str]]
"""Rows by what names them."""


def main(profile: str, *given: str) -> None:
    """Clone HEAD, rebuild `profile` there without any cache, and print a table of what differs."""
    allowed = load(PARAMS, profile).verify.metrics
    with tempfile.TemporaryDirectory(prefix="lift-verify-") as folder:
        clone = Path(folder) / "lift"
        _call(["git", "clone", "--quiet", "--no-hardlinks", str(Path.cwd()), str(clone)], Path.cwd())
        before = _tables(clone, profile)
        if not before:
            raise UserError(f"nothing of profile {profile} is committed: run `dvc repro` and commit it")
        _activate(profile, clone / PARAMS, given)
        # --force: a fresh clone has no cache, but stages whose outputs are all in git would be skipped.
        _call(["dvc", "repro", "--force"], clone)
        after = _tables(clone, profile)
        sets = sorted(path.parent for path in (clone / data_folder(profile) / "clips").glob("*/summary.json"))
        kept = [path.name for path in sets if not_given(path)]
    failed, largest = [], dict.fromkeys(allowed, 0.0)
    for name in sorted(before.keys() | after.keys()):
        failed += _differences(name, before.get(name), after.get(name), allowed, largest)
    told = ", ".join(f"{metric} {most:.2g} of {allowed[metric]:g}" for metric, most in largest.items())
    print(f"{len(before)} tables compared; largest difference of a clip: {told}")
    print(f"not measured again, as no footage is given: {', '.join(kept) or 'nothing'}")
    for line in failed:
        print(f"FAIL  {line}")
    if failed:
        sys.exit(1)
    print("every number is within its tolerance, and every verdict is the same")


def _tables(clone: Path, profile: str) -> dict[str, Table]:
    """Read each method's clips and the tables of verdicts that are there, by path below the clone."""
    found = sorted((clone / data_folder(profile) / "results").glob("*/clips.csv"))
    found += [clone / "reports" / profile / "tables" / f"{name}.csv" for name in VERDICTS]
    tables = {}
    for path in filter(Path.is_file, found):
        with path.open(newline="", encoding="utf-8") as file:
            rows = {tuple(row[key] for key in KEYS if key in row): row for row in csv.DictReader(file)}
        tables[path.relative_to(clone).as_posix()] = rows
    return tables


def _differences(
    name: str, old: Table | None, new: Table | None, allowed: dict[str, float], largest: dict[str, float]
) -> list[str]:
    """Return a line for each difference of a table, and note the largest of each metric."""
    if old is None or new is None:
        return [f"{name}: {'made, but not committed' if old is None else 'not rebuilt'}"]
    column, failed = VERDICTS.get(Path(name).stem), []
    if old.keys() != new.keys():
        what, others = "comparisons" if column else "clips", old.keys() ^ new.keys()
        return [f"{name}: other {what}, such as {', '.join(min(others))}"]
    for key, row in old.items():
        for metric, most in allowed.items() if column is None else ():
            texts = (row.get(metric, ""), new[key].get(metric, ""))
            apart = abs(float(texts[0]) - float(texts[1])) if all(texts) else float(texts[0] != texts[1])
            largest[metric] = max(largest[metric], apart)
            if not apart <= most:  # also of a value that is not a number
                failed.append(f"{name}: {', '.join(key)}: {metric} {texts[0]} was committed, now {texts[1]}")
        if column is not None and row[column] != new[key][column]:
            told = f"{row[column]!r} was committed, now {new[key][column]!r}"
            failed.append(f"{name}: {', '.join(key)}: {told}")
    return failed


def _activate(profile: str, params: Path, given: tuple[str, ...]) -> None:
    """Let `dvc repro` run this profile alone, whichever ones the commit has active, with the footage given.

    Raises:
        UserError: Something given is not SOURCE=FOLDER.
    """
    raw: dict[str, Any] = read(params)
    raw["profile"] = {name: [name] if name == profile else [] for name in {**raw["profile"], profile: None}}
    for one in given:
        source, _, folder = one.partition("=")
        if source not in raw["sources"] or not folder or not Path(folder).is_dir():
            raise UserError(f"{one}: expected SOURCE=FOLDER, a name of `sources` and a folder that is there")
        own = raw["profiles"][profile].setdefault("sources", {}).setdefault(source, {})
        own["path"] = str(Path(folder).resolve())
    YAML().dump(raw, params)


def _call(command: list[str], folder: Path) -> None:
    if subprocess.run(command, cwd=folder, check=False).returncode:
        raise UserError(f"{' '.join(command)} failed in {folder}; see its output above")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python -m stages.verify PROFILE [SOURCE=FOLDER …]")
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
