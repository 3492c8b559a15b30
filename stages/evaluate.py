"""Stage `evaluate`: measure one method, trained or not, on every benchmark.

One process measures all benchmarks: starting Python with PyTorch and LPIPS costs seconds, and a process for
each method and benchmark would spend most of the demo's time on that.
"""

from pathlib import Path

import torch

from lift import weights
from lift.config import Config, load, window
from lift.data.dataset import ClipDataset
from lift.errors import UserError
from lift.evaluation.baselines import BASELINES
from lift.evaluation.cost import exact
from lift.evaluation.method import Method, of_model
from lift.evaluation.protocol import fingerprint, write_protocol
from lift.evaluation.run import evaluate
from lift.metrics import Lpips
from lift.models import Interpolator, build
from stages.common import PARAMS, data_folder, run, seed_folder

UNTRAINED = "untrained"  # the base model before its first step: what training has to add to


def main(profile: str, name: str, benchmark: str | None = None) -> None:
    """Measure the method `name` (an ablation or a baseline); write `data/<profile>/results/<name>`."""
    baseline = name in load(PARAMS, profile).baselines
    config = load(PARAMS, profile, None if baseline else name)
    if benchmark is not None and benchmark not in config.benchmarks:
        raise UserError(f"{benchmark}: no such benchmark; known: {', '.join(config.benchmarks)}")
    chosen = [benchmark] if benchmark else list(config.benchmarks)
    torch.set_num_threads(config.evaluate.threads)
    data = data_folder(profile)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # One benchmark by hand is a look: the stage's own output stays whole.
    out = data / ("results" if benchmark is None else f"scratch/{benchmark}") / name
    evaluate(
        _methods(config, name, data, device),
        name,
        {key: ClipDataset(data / "clips" / key, _offsets(config, key)) for key in chosen},
        Lpips(config.evaluate.lpips).to(device),
        examples=config.evaluate.examples,
        out=out,
        model=None if name in BASELINES else exact(_built(config).eval(), config.clip.offsets),
    )
    write_protocol(
        out,
        {
            key: fingerprint(
                config.benchmarks[key], data / "clips" / key / "clips.csv", config.evaluate.lpips
            )
            for key in chosen
        },
    )


def _methods(config: Config, name: str, data: Path, device: torch.device) -> dict[int | None, Method]:
    """Give what is measured by the seed of its training; by None where it has none."""
    if name in BASELINES:
        return {None: BASELINES[name]}
    if name == UNTRAINED:
        return {None: of_model(_built(config), device)}
    return {seed: _trained(config.seeded(seed), name, data, device) for seed in config.train.seeds}


def _built(config: Config) -> Interpolator:
    return build(config.model, seed=config.seed, pretrained=False)


def _trained(config: Config, name: str, data: Path, device: torch.device) -> Method:
    model = _built(config)
    folder = seed_folder(data / "models" / name, config, config.seed)
    weights.load(folder / "best.safetensors", model, config.digestible())
    return of_model(model, device)


def _offsets(config: Config, benchmark: str) -> tuple[int, ...]:
    """Give the context that a benchmark's protocol allows: the ablation's own, or spread out."""
    sampling = config.benchmarks[benchmark].sampling or config.clip.sampling
    return window(config.clip.before, config.clip.after, sampling)


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD", "BENCHMARK", optional=1)
