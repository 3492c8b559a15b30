"""Stage `clips`: cut one set of clips (train, validation or a benchmark) into one archive."""

from lift.clips.build import build_clip_set
from lift.config import load, resolved
from lift.config.parse import check_known
from stages.common import PARAMS, check_resolved, data_folder, run


def main(profile: str, split: str) -> None:
    """Build the set `split` of `profile`."""
    config, data = load(PARAMS, profile), data_folder(profile)
    check_known(split, config.clips.sets, f"profiles.{profile}.clips.sets")
    check_resolved(profile, f"clips/{split}.json", resolved.clips(config, split))
    summary = build_clip_set(config, split, data / "raw", data / "clips" / split)
    print(f"{split}: {summary}")


if __name__ == "__main__":
    run(main, "PROFILE", "SPLIT")
