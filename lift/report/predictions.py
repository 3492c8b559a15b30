"""Read what evaluation wrote of methods that predict; checked as reading.py checks those that interpolate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from lift.config import Config
from lift.errors import UserError
from lift.report.names import of_task
from lift.report.reading import listed, one_protocol, read_json, read_table
from lift.report.results import Results

METRICS = ("psnr", "ssim", "ms_ssim", "lpips")
COLUMNS = ("benchmark", "clip", "video", "group", "kind", "motion", "seed", "context", "horizon", *METRICS)
_AGREEMENT = 1e-4  # metrics.json is rounded to 6 decimals


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """The results of all methods that predict."""

    config: Config
    """With the methods that predict, and no others."""
    configs: Mapping[str, Config]
    """The resolved configuration of each method that has a model."""
    data: Path
    """data/<profile>."""
    rows: Mapping[str, Mapping[str, pd.DataFrame]]
    """Method -> benchmark -> rows of clips.csv: of the same clips for every method."""
    costs: Mapping[str, Mapping[str, float]]
    """Method -> parameters and operations of its model."""
    procedural: Mapping[str, bool]
    """Clip set -> whether its footage is rendered."""

    @property
    def methods(self) -> tuple[str, ...]:
        """All declared methods, with results or without."""
        return self.config.methods

    @property
    def benchmarks(self) -> list[str]:
        """List the benchmarks on which any method was measured."""
        return [
            name for name in self.config.benchmarks if any(name in frames for frames in self.rows.values())
        ]

    def stand_in(self, benchmark: str) -> bool:
        """Whether rendered scenes stand in for real footage (the set `scenes` is meant to be rendered)."""
        return self.procedural[benchmark] and benchmark != "scenes"

    def mean(self, method: str, benchmark: str, metric: str, horizons: Sequence[int]) -> float | None:
        """Return the mean over clips and `horizons`; None: one of these was not measured."""
        frame = self.rows.get(method, {}).get(benchmark)
        if frame is None or not set(horizons) <= set(frame["horizon"]):
            return None
        return float(np.mean([frame[frame["horizon"] == horizon][metric].mean() for horizon in horizons]))

    def counts(self, benchmark: str) -> tuple[int, int]:
        """Count the clips and source videos of a benchmark."""
        frame = next(frames[benchmark] for frames in self.rows.values() if benchmark in frames)
        return frame["clip"].nunique(), frame["group"].nunique()


def read(config: Config, results: Results) -> Predictions:
    """Read and check the results of every declared method that predicts.

    Args:
        config: The profile's configuration, without an ablation.
        results: Those of the methods that interpolate, of the same profile.

    Raises:
        UserError: A file is broken, rows are missing or not finite, or methods were measured on different
        clips,
            seeds or under different protocols.
    """
    config, data = of_task(config, results.configs, "predict"), results.data
    rows: dict[str, dict[str, pd.DataFrame]] = {}
    costs: dict[str, Mapping[str, float]] = {}
    protocols: dict[str, dict[str, dict[str, str]]] = {}
    for name in config.methods:
        folder = data / "results" / name
        if not (folder / "clips.csv").is_file():
            continue
        seeds = results.configs[name].train.seeds if name in config.ablations else ()
        rows[name] = _read_method(folder / "clips.csv", config, seeds)
        protocols[name] = read_json(folder / "protocol.json")
        stated = read_json(folder / "metrics.json")
        _check_means(rows[name], stated, folder / "metrics.json")
        if "model" in stated:
            costs[name] = stated["model"]
    _check_same_clips(rows, data)
    for name, rules in one_protocol(config, rows, protocols, data).items():
        if rules.get("horizons") != str(config.benchmarks[name].horizons):
            raise UserError(
                f"{data / 'results'}: {name} was predicted up to horizon {rules.get('horizons')}, but "
                f"params.yaml says {config.benchmarks[name].horizons}; evaluate again"
            )
    return Predictions(
        config=config,
        configs=results.configs,
        data=data,
        rows=rows,
        costs=costs,
        procedural=results.procedural,
    )


def _read_method(path: Path, config: Config, seeds: Sequence[int]) -> dict[str, pd.DataFrame]:
    table = read_table(path, COLUMNS)
    for column in METRICS:
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64)
        if not np.isfinite(values).all():
            clips = sorted(set(table["clip"][~np.isfinite(values)]))
            raise UserError(f"{path}: {column} of {listed(clips)} is missing or not finite; evaluate again")
    found = sorted(table["seed"].dropna().unique())
    if found != sorted(seeds):
        raise UserError(
            f"{path}: results of training seeds {found}, but params.yaml (train.seeds) asks for "
            f"{list(seeds)}; evaluate again"
        )
    if table.duplicated(["benchmark", "clip", "seed", "horizon"]).any():
        raise UserError(f"{path}: a clip stands twice; evaluate again")
    table = table[table["benchmark"].isin(list(config.benchmarks))]
    return {str(name): frame.reset_index(drop=True) for name, frame in table.groupby("benchmark")}


def _check_means(
    frames: Mapping[str, pd.DataFrame], stated: Mapping[str, Mapping[str, float]], path: Path
) -> None:
    """Refuse a metrics.json that belongs to other rows."""
    for name, frame in frames.items():
        for horizon, rows in frame.groupby("horizon"):
            mean, told = float(rows["psnr"].mean()), stated.get(name, {}).get(f"psnr_{horizon}")
            if told is None or abs(told - mean) > _AGREEMENT:
                raise UserError(
                    f"{path}: {name}.psnr_{horizon} is {told}, but clips.csv beside it gives {mean:.6f}; "
                    "evaluate again"
                )


def _check_same_clips(rows: Mapping[str, Mapping[str, pd.DataFrame]], data: Path) -> None:
    """Refuse rows of other clips, or of only some at a horizon: means of different clips do not compare."""
    first: dict[str, tuple[str, frozenset[str]]] = {}
    for method, frames in rows.items():
        for name, frame in frames.items():
            other, clips = first.setdefault(name, (method, frozenset(frame["clip"])))
            for (horizon, _), part in frame.groupby(["horizon", "seed"], dropna=False):
                if apart := sorted(clips ^ set(part["clip"])):
                    raise UserError(
                        f"{data / 'results'}: {method} and {other} were not measured on the same {name} "
                        f"clips: at horizon {horizon} they differ in {listed(apart)}; evaluate both again"
                    )
