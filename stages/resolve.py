"""Stage `resolve`: check all of params.yaml, and write what each stage of a profile is made from.

`data/<profile>/resolved` then holds a plain file for each method's training and evaluation, each set of
clips, `download` and the report (lift/config/resolved.py), and in `code/` the digests of the files that each
stage runs. The stages depend on these: what is mistyped ends here, before anything is deleted.
"""

from lift import imports
from lift.config import load_all
from lift.config.resolved import FOLDER, files
from lift.files import read_json, write_json
from stages.common import PARAMS, WEIGHTS, data_folder, run

STAGES = ("download", "clips", "train", "evaluate", "pictures", "report")


def main(profile: str) -> None:
    """Write `data/<profile>/resolved`; what is equal already is left alone."""
    base, configs = load_all(PARAMS, profile)
    wanted = files(base, configs, WEIGHTS)
    for stage in STAGES:
        wanted[f"code/{stage}.json"] = imports.digests(imports.ROOT / "stages" / f"{stage}.py")
    # A profile that trains nothing has a report as well, and DVC asks that what it depends on be there.
    for name in ("results", "training"):
        (data_folder(profile) / name).mkdir(parents=True, exist_ok=True)
    folder = data_folder(profile) / FOLDER
    for name, content in wanted.items():
        if read_json(folder / name) != content:
            write_json(folder / name, content)
    for path in folder.rglob("*.json"):
        if path.relative_to(folder).as_posix() not in wanted:
            path.unlink()


if __name__ == "__main__":
    run(main, "PROFILE")
