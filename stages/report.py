"""Stage `report`: tables, figures and the page of a profile, from the results alone."""

import shutil
from pathlib import Path

from lift import report
from lift.config import load_all, resolved
from stages.common import PARAMS, check_resolved, data_folder, run


def main(profile: str) -> None:
    """Write `reports/<profile>`."""
    (config, configs), data = load_all(PARAMS, profile), data_folder(profile)
    check_resolved(profile, "report.json", resolved.report(config, configs))
    report.write(config, data, Path("reports") / profile, configs, load_all(PARAMS, "thesis"))
    # Last, and so only where all that params.yaml names is there: what a typo renames is not lost.
    _prune(data / "results", set(config.methods))
    _prune(data / "training", set(config.ablations))


def _prune(folder: Path, known: set[str]) -> None:
    """Remove the results of methods that params.yaml no longer names (specification section 10.4)."""
    for path in sorted(folder.glob("*")):
        if path.is_dir() and path.name not in known:
            print(f"removing {path}: params.yaml names no such method")
            shutil.rmtree(path)


if __name__ == "__main__":
    run(main, "PROFILE")
