"""Reference weights and what they show: `python -m benchmarks.reference SIZE CLIPS REAL OUT [ABLATION ...]`.

SIZE is a key of sizes.yaml: `small` takes an hour or two of one CPU thread, `full` needs a CUDA GPU. CLIPS
holds `<kind>/<sequence>/` and trains together with rendered scenes; REAL holds DAVIS, UCF-101,
vimeo_septuplet and SNU-FILM in their official layouts, tests, and never trains. Each ablation (default:
those of sizes.yaml) is trained under the same budget and measured, beside the baselines, on REAL and on
scenes of their own; OUT/tables then compares whatever has been measured.

Run it again after it was stopped, or with other ablations: what is done stays, and a training goes on from
its last checkpoint. Other footage than it was begun with is refused (given.py). It runs the stages of the
pipeline in OUT, where params.yaml says what they were given; no DVC is needed.
`python -m benchmarks.reference.export OUT WEIGHTS` then makes the weights for the repository.
"""

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.reference import footage, given, profile, tables
from lift import weights
from lift.config import Config, load
from lift.config.footage import Render
from lift.config.parse import build
from lift.errors import UserError
from lift.files import atomic
from lift.training.state import run_digest
from stages import clips, download, evaluate, train
from stages.common import PARAMS, data_folder, seed_folder

MEASURED = "measured.sha256"
"""Beside a method's results: what they were measured from."""


def main(size: str, trained: Path, real: Path, out: Path, names: list[str]) -> None:
    """Do what is not done yet, and write the tables."""
    rules = profile.settings(size)
    wanted = names or list(rules["trains"])
    begin(size, wanted, rules, trained.resolve(), real.resolve(), out)
    with contextlib.chdir(out):
        name = profile.name_of(size)
        prepare(name)
        for ablation in wanted:
            learn(name, ablation)
            measure(name, ablation)
        for baseline in load(PARAMS, name).baselines:
            measure(name, baseline)
        tables.write(name, Path("tables"))
        print(*(path.read_text(encoding="utf-8") for path in sorted(Path("tables").glob("*.md"))), sep="\n")


def begin(size: str, names: list[str], rules: profile.Tree, trained: Path, real: Path, out: Path) -> None:
    """Check what is given, note it in OUT, write OUT/params.yaml and gather what trains.

    Raises:
        UserError: Something is missing or misspelt, or OUT was begun with something else and stays as it was.
    """
    keep = {*rules["trains"], *names, *profile.known_in(out / PARAMS)}
    wanted = profile.parameters(size, keep, rules, real, out.resolve() / "footage")
    asked, seed = rules["scenes"], int(wanted["seed"])
    scenes = None if asked is None else build(Render, asked, f"{profile.SIZES.name}: {size}.scenes")
    profile.make_folder(out)
    profile.check_parameters(out / PARAMS, wanted)
    now = given.read(trained, rules["leave_out"], real, {"render": asked, "seed": seed})
    given.check(out, now)
    given.write(out, now)
    profile.write_parameters(out / PARAMS, wanted)
    footage.gather(trained, rules["leave_out"], scenes, seed, out)


def prepare(name: str) -> None:
    """Render the scenes that test, and cut all sets of clips."""
    data = data_folder(name)
    once(data / "raw" / "sources.json", lambda: download.main(name))
    for split in load(PARAMS, name).clips.sets:
        once(data / "clips" / split / "summary.json", lambda split=split: clips.main(name, split))  # type: ignore[misc]


def once(made: Path, make: Callable[[], None]) -> None:
    """Make what is not there."""
    if not made.is_file():
        make()


def learn(name: str, ablation: str) -> None:
    """Train an ablation, unless the weights of all its seeds are there."""
    config = load(PARAMS, name, ablation)
    if not all(is_trained(config.seeded(seed)) for seed in config.train.seeds):
        train.main(name, ablation)


def is_trained(config: Config) -> bool:
    """Say whether a seed's weights are there, of this very configuration."""
    models = data_folder(config.profile) / "models" / config.ablation
    path = seed_folder(models, config, config.seed) / "best.safetensors"
    wanted = json.loads(json.dumps(config.digestible()))
    return path.is_file() and weights.read_config(path) == wanted


def measure(name: str, method: str) -> None:
    """Measure a method, unless it was with these weights, on these clips, and by these rules.

    As for training and clips, the code does not count: what is done stays.
    """
    results = data_folder(name) / "results" / method
    done, wanted = results / MEASURED, _measured_from(name, method)
    if (results / "protocol.json").is_file() and done.is_file() and done.read_text().strip() == wanted:
        return
    done.unlink(missing_ok=True)
    evaluate.main(name, method)
    with atomic(done) as temporary:
        temporary.write_text(f"{wanted}\n", encoding="utf-8")


def _measured_from(name: str, method: str) -> str:
    """Digest all that decides a method's results, as dvc.yaml names it for the stage `evaluate`."""
    data, base = data_folder(name), load(PARAMS, name)
    trained = method in base.ablations
    config = load(PARAMS, name, method) if trained else base
    values = {key: asdict(config)[key] for key in ("seed", "clip", "model", "benchmarks", "evaluate")}
    folders = [seed_folder(data / "models" / method, config, seed) for seed in config.train.seeds]
    files = [folder / "best.safetensors" for folder in folders] if trained else []
    manifests = [data / "clips" / benchmark / "clips.csv" for benchmark in config.benchmarks]
    return run_digest({**values, "seeds": config.train.seeds}, manifests, files)


if __name__ == "__main__":
    if len(sys.argv) < 5:
        sys.exit("usage: python -m benchmarks.reference SIZE CLIPS REAL OUT [ABLATION ...]")
    try:
        main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5:])
    except UserError as error:
        sys.exit(f"error: {error}")
