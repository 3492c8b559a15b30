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
from lift.evaluation.method import Method, of_model
from lift.evaluation.run import evaluate
from lift.metrics import Lpips
from lift.models import build
from stages.common import PARAMS, data_folder, run

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
    evaluate(
        _method(config, name, data, device),
        name,
        {key: ClipDataset(data / "clips" / key, _offsets(config, key)) for key in chosen},
        Lpips(config.evaluate.lpips).to(device),
        examples=config.evaluate.examples,
        # One benchmark by hand is a look: the stage's own output stays whole.
        out=data / ("results" if benchmark is None else f"scratch/{benchmark}") / name,
    )


def _method(config: Config, name: str, data: Path, device: torch.device) -> Method:
    if name in BASELINES:
        return BASELINES[name]
    model = build(config.model, seed=config.seed, pretrained=False)
    if name != UNTRAINED:
        weights.load(data / "models" / name / "best.safetensors", model, config.digestible())
    return of_model(model, device)


def _offsets(config: Config, benchmark: str) -> tuple[int, ...]:
    """Give the context that a benchmark's protocol allows: the ablation's own, or spread out."""
    sampling = config.benchmarks[benchmark].sampling or config.clip.sampling
    return window(config.clip.before, config.clip.after, sampling)


if __name__ == "__main__":
    run(main, "PROFILE", "METHOD", "BENCHMARK", optional=1)
