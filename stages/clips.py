"""Stage `clips`: cut one set of clips (train, validation or a benchmark) into one archive."""

from lift.config import load
from lift.data.build import build_clip_set
from stages.common import PARAMS, data_folder, run


def main(profile: str, split: str) -> None:
    """Build the set `split` of `profile`."""
    data = data_folder(profile)
    summary = build_clip_set(load(PARAMS, profile), split, data / "raw", data / "clips" / split)
    print(f"{split}: {summary}")


if __name__ == "__main__":
    run(main, "PROFILE", "SPLIT")
