"""Stage by hand `release`: bring a trained model into the repository, as weights/<name>.safetensors.

    python -m stages.release PROFILE METHOD [NAME]

One file in half precision (shards where it would exceed 16 MiB) of the first seed's best weights, and one,
weights/<name>-seed<N>.safetensors, of each other seed's. Its header says what the model is and where it is
from: the training's commit and code, the profile, the digests of the clips, steps and seed. What `released`
in params.yaml names is then measured as it is, in every profile.
"""

from pathlib import Path

from lift import header, weights
from lift.config import Config, load
from lift.config.resolved import first_difference
from lift.errors import UserError
from lift.files import read_json
from stages.common import ABOUT, PARAMS, WEIGHTS, data_folder, run, seed_folder

ALL = 25 * 2**20
"""Bytes of all released weights at most: a repository is no place for large files."""


def main(profile: str, method: str, name: str | None = None) -> None:
    """Write the released weights of a method of a profile, by default under its own name."""
    config = load(PARAMS, profile, method)
    if config.kind != "trained":
        raise UserError(f"{method}: not trained in profile {profile}, so there is nothing to release")
    if name is not None and Path(name).name != name:
        raise UserError(f"{name}: a name and no path, for {WEIGHTS}/<name>{header.SUFFIX}, is asked for here")
    folder, first = data_folder(profile) / "models" / method, config.seeds[0]
    told = folder / ABOUT
    about = read_json(told)
    if not about:
        raise UserError(f"{told}: not there, or damaged; train {method} again: dvc repro")
    about |= {"profile": profile, "method": method}
    sources, targets = {}, {}
    for seed in config.seeds:
        suffix = "" if seed == first else f"-seed{seed}"
        sources[seed] = _best(seed_folder(folder, config, seed) / "best.safetensors", config)
        targets[seed] = WEIGHTS / f"{name or method}{suffix}{header.SUFFIX}"
    tensors = {seed: weights.read_tensors(path) for seed, path in sources.items()}
    size = 2 * sum(tensor.numel() for best in tensors.values() for tensor in best.values())
    _check_room(size, list(targets.values()))
    for seed, target in targets.items():
        values, own = weights.read_config(sources[seed]), about | {"seed": seed}
        for path in weights.save_released(target, tensors[seed], values, own):
            print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB, from commit {about['commit']}")


def _best(path: Path, config: Config) -> Path:
    """Return the path of a training's weights; UserError where they are of another configuration."""
    found = weights.read_config(path)
    difference = first_difference(found, config.digestible() | {"seed": found["seed"]})
    if difference is not None:
        raise UserError(f"{path}: trained with another configuration: {difference}; run `dvc repro` first")
    return path


def _check_room(size: int, targets: list[Path]) -> None:
    """Refuse `size` bytes more than all weights may have; what the targets replace does not count."""
    replaced = {file for target in targets for file in weights.existing(target)}
    others = sum(path.stat().st_size for path in WEIGHTS.glob("*") if path not in replaced)
    if others + size > ALL:
        raise UserError(
            f"{targets[0]}: with {size / 2**20:.1f} MiB more, {WEIGHTS} would exceed {ALL / 2**20:.0f} MiB; "
            f"remove files that no one needs"
        )


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD", "NAME", optional=1)
