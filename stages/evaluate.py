"""Stage `evaluate`: measure one method of any kind on every benchmark of which there is footage.

One process measures all benchmarks: starting Python with PyTorch and LPIPS costs seconds, and a process for
each method and benchmark would spend most of the demo's time on that.
"""

import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from lift import header, weights
from lift.config import Config, load, resolved, window
from lift.config.abilities import UNTRAINED, predicts, sees_context
from lift.data.dataset import ClipDataset
from lift.data.stored.manifest import not_given
from lift.errors import UserError
from lift.evaluation import results
from lift.evaluation.baselines import BASELINES, PREDICTORS
from lift.evaluation.method import Method, Predictor, of_model, of_predictor
from lift.evaluation.run import evaluate, evaluate_ahead
from lift.files import read_json, write_json
from lift.metrics import Lpips
from lift.models.cost import exact
from lift.models.interface import Interpolator
from lift.models.registry import build
from lift.options import PAST
from stages.common import PARAMS, WEIGHTS, check_resolved, data_folder, run, seed_folder

MADE_FROM = "made_from.json"
"""What decided the results beside it, as `resolve` wrote it down."""


def main(profile: str, name: str, benchmark: str | None = None) -> None:
    """Measure the method `name`; write `data/<profile>/results/<name>`."""
    config, data = load(PARAMS, profile, name), data_folder(profile)
    made_from = resolved.evaluate(config, name, WEIGHTS)
    check_resolved(profile, f"evaluate/{name}.json", made_from)
    ahead = predicts(config, name)
    able = [key for key, rules in config.benchmarks.items() if rules.horizons or not ahead]
    if benchmark is not None and benchmark not in able:
        raise UserError(f"{benchmark}: no such benchmark of {name}; known: {', '.join(able)}")
    asked = [benchmark] if benchmark else able
    chosen = with_footage(asked, data)
    if not chosen:
        raise UserError(
            f"{', '.join(asked)}: not given; set a path under profiles.{profile}.sources in params.yaml"
        )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    threads = min(config.evaluate.threads, torch.get_num_threads())  # OMP_NUM_THREADS counts
    processes = threads if device.type == "cpu" and sys.platform == "linux" else 1
    torch.set_num_threads(threads // processes)
    lpips = Lpips().to(device)
    # One benchmark by hand is a look: the stage's own output stays whole.
    out = data / ("results" if benchmark is None else f"scratch/{benchmark}") / name
    protocols = _kept(out, made_from, set(able) - set(chosen)) if benchmark is None else {}
    kept = results.kept(out, protocols.keys())
    (out / MADE_FROM).unlink(missing_ok=True)
    modelled = name not in BASELINES | PREDICTORS
    cost = exact(_built(config).eval(), config.clip.offsets) if modelled else None
    clips = {key: ClipDataset(data / "clips" / key, offsets(config, name, key)) for key in chosen}
    if ahead:
        reach = {key: (clips[key], config.benchmarks[key].horizons) for key in chosen}
        predictors = predictors_of(config, name, data, device)
        evaluate_ahead(predictors, name, reach, lpips, out=out, model=cost, processes=processes)
    else:
        evaluate(
            methods_of(config, name, data, device),
            name,
            clips,
            lpips,
            edges=config.evaluate.edges,
            out=out,
            model=cost,
            kept=kept,
            probes=config.evaluate.probes if modelled and sees_context(config) else {},
            processes=processes,
        )
    for key in chosen:
        manifest = data / "clips" / key / "clips.csv"
        protocols[key] = results.fingerprint(config.benchmarks[key], manifest, ahead=ahead)
    results.write_protocol(out, protocols)
    write_json(out / MADE_FROM, made_from)  # last: results without it are none
    if benchmark is not None:
        print(f"{out}: where this look at {benchmark} alone is; no report takes it")


def _kept(out: Path, made_from: Mapping[str, Any], benchmarks: set[str]) -> dict[str, Any]:
    """Return the protocols of benchmarks without footage here that the same method was measured on before.

    Their rows stay: whoever has no footage sees what others measured, and the report says so. Those that were
    made otherwise go, with a line; the rules of one benchmark say nothing of another's rows.
    """
    before, known = read_json(out / MADE_FROM), read_json(out / "protocol.json")
    if not before:  # nothing was measured, or not to its end
        return {}
    found: dict[str, Any] = {}
    for key in sorted(benchmarks & known.keys()):
        then, now = (
            {**made, "benchmarks": made.get("benchmarks", {}).get(key)} for made in (before, made_from)
        )
        if difference := resolved.first_difference(then, now):
            print(f"{key}: not given, and what was measured of it goes: {difference}")
        else:
            found[key] = known[key]
    if found:
        print(f"kept as they were, and not measured again: {', '.join(found)}")
    return found


def with_footage(benchmarks: Collection[str], data: Path) -> list[str]:
    """Leave out the benchmarks whose data sets the profile does without."""
    absent = [name for name in benchmarks if not_given(data / "clips" / name)]
    if absent:
        print(f"not given, so not measured: {', '.join(absent)}")
    return [name for name in benchmarks if name not in absent]


def methods_of(config: Config, name: str, data: Path, device: torch.device) -> dict[int | None, Method]:
    """Return what interpolates and is measured, by the seed of its training; by None without one."""
    if name in BASELINES:
        return {None: BASELINES[name]}
    return {seed: of_model(model, device) for seed, model in _models(config, name, data).items()}


def predictors_of(config: Config, name: str, data: Path, device: torch.device) -> dict[int | None, Predictor]:
    """Return the same of a method that predicts."""
    if name in PREDICTORS:
        return {None: PREDICTORS[name]}
    recurrent = config.clip.mode == "recurrent"
    return {
        seed: of_predictor(model, config.clip.horizons, recurrent=recurrent, device=device)
        for seed, model in _models(config, name, data).items()
    }


def _models(config: Config, name: str, data: Path) -> dict[int | None, Interpolator]:
    """Return a method's models by the seed of their training; a released one's is nobody's."""
    if name == UNTRAINED:
        return {None: _built(config)}
    if config.kind == "released":
        models = [_released(config, file) for file in config.weights]
        return dict(zip(config.seeds or (None,), models, strict=True))
    return {seed: _trained(config.seeded(seed), data / "models" / name) for seed in config.seeds}


def _released(config: Config, file: str) -> Interpolator:
    path = WEIGHTS / f"{file}{header.SUFFIX}"
    if header.plain(path, weights.CONFIG) is None:  # others' own: its family knows its names
        own = build(config.model.started(path), task=config.clip.task, seed=config.seed)
        return own.channels_last() if config.evaluate.channels_last else own
    own = _built(config)
    weights.fill(path, own)
    return own


def _trained(config: Config, folder: Path) -> Interpolator:
    own = _built(config)
    weights.load(seed_folder(folder, config, config.seed) / "best.safetensors", own, config.digestible())
    return own


def _built(config: Config) -> Interpolator:
    model = build(config.model, task=config.clip.task, seed=config.seed, pretrained=False)
    return model.channels_last() if config.evaluate.channels_last else model


def offsets(config: Config, name: str, benchmark: str) -> tuple[int, ...]:
    """Return the context that a benchmark's protocol allows: the ablation's own, or spread out."""
    if name in PREDICTORS:
        return PAST
    sampling = config.benchmarks[benchmark].sampling or config.clip.sampling
    return window(config.clip.before, config.clip.after, sampling)


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD", "BENCHMARK", optional=1)
