"""Stage `report`: tables, figures and the page of a profile, from the results alone."""

import json
import shutil
from pathlib import Path

from lift import report
from lift.config import load
from lift.environment import describe
from lift.files import atomic
from stages.common import PARAMS, data_folder, run


def main(profile: str) -> None:
    """Write `reports/<profile>`, and with what it was made: equal bytes can be asked of the same alone."""
    config, data, out = load(PARAMS, profile), data_folder(profile), Path("reports") / profile
    _prune(data / "results", {*config.ablations, *config.baselines})
    _prune(data / "training", set(config.ablations))
    report.write(config, data, out)
    with atomic(out / "environment.json") as temporary:
        temporary.write_text(json.dumps(describe(), indent=1, sort_keys=True) + "\n")


def _prune(folder: Path, known: set[str]) -> None:
    """Remove the results of ablations that params.yaml no longer names (spec/pipeline.md, trap 3)."""
    for path in sorted(folder.glob("*")):
        if path.is_dir() and path.name not in known:
            print(f"removing {path}: params.yaml names no such method")
            shutil.rmtree(path)


if __name__ == "__main__":
    run(main, "PROFILE")
