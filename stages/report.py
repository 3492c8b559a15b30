"""Stage `report`: tables, figures and the page of a profile, from the results alone."""

from pathlib import Path

from lift import report
from lift.config import load
from stages.common import PARAMS, data_folder, run


def main(profile: str) -> None:
    """Write `reports/<profile>`."""
    report.write(load(PARAMS, profile), data_folder(profile), Path("reports") / profile)


if __name__ == "__main__":
    run(main, "PROFILE")
