"""Stage `clips`: cut one set of clips (train, validation or a benchmark) into one archive."""

from pathlib import Path

from lift.clips.build import build_clip_set
from lift.config import Config, load, resolved
from lift.config.parse import check_known, home
from lift.digest import digest
from lift.errors import UserError
from lift.files import read_json
from stages.common import MEMORY, PARAMS, RECORD, check_resolved, data_folder, run


def main(profile: str, split: str) -> None:
    """Build the set `split` of `profile`."""
    config, data = load(PARAMS, profile), data_folder(profile)
    check_known(split, config.clips.sets, f"profiles.{profile}.clips.sets")
    check_resolved(profile, f"clips/{split}.json", resolved.clips(config, split))
    _check_copies(config, split, data)
    summary = build_clip_set(config, split, data / "raw", data / "clips" / split)
    print(f"{split}: {summary}")


def _check_copies(config: Config, split: str, data: Path) -> None:
    """Refuse footage in a user's folder that is not what `download` has recorded of it.

    Raises:
        UserError: It is other footage, or nothing is recorded.
    """
    for name in config.clips.sets[split].sources:
        folder, record = config.sources[name].folder, data / "raw" / RECORD
        if folder is None:
            continue
        again = "run `dvc repro` again, or `python -m stages.download " + config.profile + "` first"
        then = read_json(record).get(name) or {}
        if "sha256" not in then:
            raise UserError(f"{record}: says nothing of {name}; {again}")
        told = f"{then['files']} files of {then['size']} bytes, sha256 {then['sha256'][:12]}"
        now = digest(folder, home() / data / MEMORY)
        if not now.plain().items() <= then.items():
            raise UserError(
                f"{folder}: has changed under its digest: {told} when {name} was last looked at, and now "
                f"{now.files} files of {now.size} bytes, sha256 {now.sha256[:12]}; {again}"
            )


if __name__ == "__main__":
    run(main, "PROFILE", "SPLIT")
