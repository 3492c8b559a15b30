"""Stage by hand `release`: bring a trained model into the repository, as weights/<name>.safetensors.

    python -m stages.release PROFILE METHOD [NAME]

One file in half precision (shards where it would exceed 16 MiB) of the first seed's best weights. Its header
says what the model is and where it is from: the training's commit and code, the profile, the digests of the
clips, steps and seed. What `released` in params.yaml names is then measured as it is, in every profile.
"""

import json

from lift import header, weights
from lift.config import load
from lift.config.resolved import first_difference
from lift.errors import UserError
from stages.common import ABOUT, PARAMS, WEIGHTS, data_folder, run

ALL = 25 * 2**20
"""Bytes of all released weights at most: a repository is no place for large files."""


def main(profile: str, method: str, name: str | None = None) -> None:
    """Write the released weights of a method of a profile, by default under its own name."""
    config = load(PARAMS, profile, method)
    if config.kind != "trained":
        raise UserError(f"{method}: not trained in profile {profile}, so there is nothing to release")
    folder = data_folder(profile) / "models" / method
    best, told = folder / "best.safetensors", folder / ABOUT
    found = weights.read_config(best)
    difference = first_difference(found, config.digestible() | {"seed": found["seed"]})
    if difference is not None:
        raise UserError(f"{best}: trained with another configuration: {difference}; run `dvc repro` first")
    try:
        about = json.loads(told.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{told}: not there, or damaged; train {method} again: dvc repro") from error
    about |= {"profile": profile, "method": method, "seed": found["seed"]}
    target = WEIGHTS / f"{name or method}{header.SUFFIX}"
    others = sum(path.stat().st_size for path in WEIGHTS.glob("*") if not path.name.startswith(target.stem))
    tensors = weights.read_tensors(best)
    size = 2 * sum(tensor.numel() for tensor in tensors.values())
    if others + size > ALL:
        raise UserError(
            f"{target}: with {size / 2**20:.1f} MiB more, {WEIGHTS} would exceed {ALL / 2**20:.0f} MiB; "
            f"remove files that no one needs"
        )
    for path in weights.save_released(target, tensors, found, about):
        print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, from commit {about['commit']}")


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD", "NAME", optional=1)
