"""Stage `evaluate`: measure one method, trained or not, on every benchmark of which there is footage.

One process measures all benchmarks: starting Python with PyTorch and LPIPS costs seconds, and a process for
each method and benchmark would spend most of the demo's time on that.
"""

from pathlib import Path

import torch

from lift import weights
from lift.config import Config, load, window
from lift.config.abilities import PAST, UNTRAINED
from lift.data.dataset import ClipDataset
from lift.data.stored.manifest import not_given
from lift.errors import UserError
from lift.evaluation import ahead
from lift.evaluation import run as between
from lift.evaluation.baselines import BASELINES, PREDICTORS
from lift.evaluation.cost import exact
from lift.evaluation.method import Method, Predictor, of_model, of_predictor
from lift.evaluation.protocol import fingerprint, write_protocol
from lift.metrics import Lpips
from lift.models import Interpolator, build
from stages.common import PARAMS, data_folder, run, seed_folder


def main(profile: str, name: str, benchmark: str | None = None) -> None:
    """Measure the method `name` (an ablation or a baseline); write `data/<profile>/results/<name>`."""
    config = load(PARAMS, profile, None if name in load(PARAMS, profile).baselines else name)
    predicts = name in PREDICTORS or config.clip.task == "predict"
    able = [key for key, rules in config.benchmarks.items() if rules.horizons or not predicts]
    if benchmark is not None and benchmark not in able:
        raise UserError(f"{benchmark}: no such benchmark of {name}; known: {', '.join(able)}")
    torch.set_num_threads(config.evaluate.threads)
    data = data_folder(profile)
    chosen = _with_footage([benchmark] if benchmark else able, data)
    if not chosen:
        asked = ", ".join([benchmark] if benchmark else able)
        raise UserError(f"{asked}: not given; set a path under profiles.{profile}.sources in params.yaml")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    lpips = Lpips().to(device)
    # One benchmark by hand is a look: the stage's own output stays whole.
    out = data / ("results" if benchmark is None else f"scratch/{benchmark}") / name
    trained = name not in BASELINES and name not in PREDICTORS
    cost = exact(_built(config).eval(), config.clip.offsets) if trained else None
    clips = {key: ClipDataset(data / "clips" / key, _offsets(config, name, key)) for key in chosen}
    if predicts:
        reach = {key: (clips[key], config.benchmarks[key].horizons) for key in chosen}
        ahead.evaluate(_predictors(config, name, data, device), name, reach, lpips, out=out, model=cost)
    else:
        methods = _methods(config, name, data, device)
        count = config.evaluate.examples
        between.evaluate(methods, name, clips, lpips, examples=count, out=out, model=cost)
    write_protocol(
        out,
        {
            key: fingerprint(config.benchmarks[key], data / "clips" / key / "clips.csv", ahead=predicts)
            for key in chosen
        },
    )


def _with_footage(benchmarks: list[str], data: Path) -> list[str]:
    """Leave out the benchmarks whose data sets the profile does without."""
    absent = [name for name in benchmarks if not_given(data / "clips" / name)]
    if absent:
        print(f"not given, so not measured: {', '.join(absent)}")
    return [name for name in benchmarks if name not in absent]


def _methods(config: Config, name: str, data: Path, device: torch.device) -> dict[int | None, Method]:
    """Give what is measured by the seed of its training; by None where it has none."""
    if name in BASELINES:
        return {None: BASELINES[name]}
    if name == UNTRAINED:
        return {None: of_model(_built(config), device)}
    return {seed: of_model(_trained(config.seeded(seed), name, data), device) for seed in config.train.seeds}


def _predictors(config: Config, name: str, data: Path, device: torch.device) -> dict[int | None, Predictor]:
    """Give the same of a method that predicts."""
    if name in PREDICTORS:
        return {None: PREDICTORS[name]}
    recurrent = config.clip.mode == "recurrent"
    return {
        seed: of_predictor(
            _trained(config.seeded(seed), name, data),
            config.clip.horizons,
            recurrent=recurrent,
            device=device,
        )
        for seed in config.train.seeds
    }


def _built(config: Config) -> Interpolator:
    model = build(config.model, task=config.clip.task, seed=config.seed, pretrained=False)
    return model.channels_last() if config.evaluate.channels_last else model


def _trained(config: Config, name: str, data: Path) -> Interpolator:
    model = _built(config)
    folder = seed_folder(data / "models" / name, config, config.seed)
    weights.load(folder / "best.safetensors", model, config.digestible())
    return model


def _offsets(config: Config, name: str, benchmark: str) -> tuple[int, ...]:
    """Give the context that a benchmark's protocol allows: the ablation's own, or spread out."""
    if name in PREDICTORS:
        return PAST
    sampling = config.benchmarks[benchmark].sampling or config.clip.sampling
    return window(config.clip.before, config.clip.after, sampling)


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD", "BENCHMARK", optional=1)
