"""Stage `report`: tables, figures and the page of a profile, from the results alone."""

import shutil
from pathlib import Path

from lift import report
from lift.config import load
from stages.common import PARAMS, data_folder, run


def main(profile: str) -> None:
    """Write `reports/<profile>`."""
    config, data = load(PARAMS, profile), data_folder(profile)
    report.write(config, data, Path("reports") / profile)
    # Last, and so only where all that params.yaml names is there: what a typo renames is not lost.
    _prune(data / "results", {*config.ablations, *config.baselines})
    _prune(data / "training", set(config.ablations))


def _prune(folder: Path, known: set[str]) -> None:
    """Remove the results of ablations that params.yaml no longer names (spec/pipeline.md, trap 3)."""
    for path in sorted(folder.glob("*")):
        if path.is_dir() and path.name not in known:
            print(f"removing {path}: params.yaml names no such method")
            shutil.rmtree(path)


if __name__ == "__main__":
    run(main, "PROFILE")
