"""Read what evaluation and training wrote, and refuse what cannot be compared.

Results are of the configuration that params.yaml has now, and of no other: evaluation leaves beside them what
decided them (made_from.json, as the stage `resolve` wrote it). Only what params.yaml names is read: the
folder of a method that is no longer declared is left alone, and a declared method without results is listed
as missing. All methods must have the same clips, measured under the same protocol. Methods that predict have
a row for each horizon; they are read by the same rules, apart.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lift import header
from lift.config import Config
from lift.config.abilities import predicts
from lift.config.resolved import evaluate, first_difference
from lift.errors import UserError
from lift.report.results import PARTS, Measured, Results, Rows

TEXT = ("benchmark", "clip", "video", "group", "kind")
REQUIRED = ("psnr", "ssim", "ssim_matlab", "lpips", "ie", "ie_rms")
"""Metrics that every method has on every clip."""
_OPTIONAL = ("ie_occluded", "warping", "epe", "occluded")
NUMBERS = {
    "interpolate": ("motion", "seed", "context", *REQUIRED, "ie_edges", *_OPTIONAL),
    "predict": ("motion", "seed", "context", "horizon", "psnr", "ssim", "ms_ssim", "lpips"),
}
"""Columns of clips.csv, of those that do each task."""
_AGREEMENT = 1e-4  # metrics.json is rounded to 6 decimals, of values up to 255
WEIGHTS, MEASURED = Path("weights"), Path("benchmarks/measured")
_FRAME = ("parameters", "gmacs_256x448", "memory_mib", "milliseconds")
_STEP = ("batch", "crop", "gib", "seconds", *(f"kept_{part}" for part in PARTS))
_NAMED = 5  # clips that an error names
Frames = dict[str, tuple[pd.DataFrame, ...]]
"""Benchmark -> one table per training seed."""
Curves = dict[str, pd.DataFrame]
"""`loss` and `psnr` of one ablation: a row for each step at which it was logged, a column for each seed."""


def read(config: Config, configs: Mapping[str, Config], data: Path, task: str = "interpolate") -> Results:
    """Read and check the results of every declared method that does `task` (interpolate or predict).

    They lie under `data` (data/<profile>). The configuration of what is returned names these methods alone.

    Raises:
        UserError: A file is broken, rows are duplicated, missing or not finite, or methods were measured on
            different clips, seeds or under different protocols.
    """
    config, folder = of_task(config, configs, task), data / "results"
    seeded: dict[str, Frames] = {}
    stated: dict[str, dict[str, Any]] = {}
    protocols: dict[str, dict[str, Any]] = {}
    for name in config.methods:
        seeds = configs[name].seeds if name in configs else ()
        seeded[name] = _read_method(folder / name / "clips.csv", config, seeds, task)
        if seeded[name]:
            stated[name] = read_json(folder / name / "metrics.json")
            protocols[name] = read_json(folder / name / "protocol.json")
    _check_same_clips(config, seeded, folder)  # before the means, which differ where clips do
    for name, means in stated.items():
        _check_means(seeded[name], means, folder / name / "metrics.json")
    summaries = {name: _summary(data / "clips" / name / "summary.json") for name in config.clips.sets}
    return Results(
        config=config,
        configs=configs,
        data=data,
        rows={m: {b: _averaged(seeds) for b, seeds in frames.items()} for m, frames in seeded.items()},
        seeded=seeded,
        protocols=_one_protocol(config, seeded, protocols, folder),
        costs={name: means["model"] for name, means in stated.items() if "model" in means},
        procedural={  # a set of no clips stands in for nothing
            name: bool(summary["procedural"] and summary["clips"]) for name, summary in summaries.items()
        },
        sizes={name: summary["clips"] for name, summary in summaries.items()},
        absent=tuple(
            b for b in config.benchmarks if "not_given" in summaries[b] and not summaries[b]["clips"]
        ),
        trainings={name: _trainings(config, configs, name) for name in config.methods},
        timings=read_measured(config.profile),
    )


def check_made(config: Config, configs: Mapping[str, Config], data: Path) -> None:
    """Refuse results that were made from another configuration than today's; arguments as those of `read`.

    Raises:
        UserError: There are no results at all; or some are of another configuration, and the first key that
            differs, with both values, says which.
    """
    there = [name for name in config.methods if (data / "results" / name / "clips.csv").is_file()]
    if not there:
        raise UserError(
            f"{data / 'results'}: nothing is measured yet, so there is nothing to report; run `make repro`"
        )
    for name in there:
        folder = data / "results" / name
        made, today = read_json(folder / "made_from.json"), evaluate(configs.get(name, config), name, WEIGHTS)
        if (difference := first_difference(made, today)) is not None:
            raise UserError(
                f"{folder}: made from another configuration than today's: {difference}; run `dvc repro`, or "
                "set params.yaml back"
            )


def of_task(config: Config, configs: Mapping[str, Config], task: str) -> Config:
    """Return the configuration with the methods of one task alone."""
    own = [m for m in config.methods if predicts(configs.get(m, config), m) == (task == "predict")]
    parts = ("ablations", "released", "baselines")
    kept: dict[str, Any] = {part: tuple(m for m in getattr(config, part) if m in own) for part in parts}
    return dataclasses.replace(config, **kept)


def _trainings(config: Config, configs: Mapping[str, Config], method: str) -> int:
    """Count a method's trainings: of what is released its files, where they were trained here."""
    if method in config.ablations:
        return len(configs[method].seeds)
    files = configs[method].weights if method in config.released else ()
    paths = (WEIGHTS / f"{file}{header.SUFFIX}" for file in files)
    return sum(path.is_file() and header.plain(path, "config") is not None for path in paths)


def _summary(path: Path) -> dict[str, Any]:
    """Read what is known of a clip set."""
    again = "run `dvc repro` to build the clips again"
    summary = read_json(path, again)
    if not isinstance(summary.get("procedural"), bool):
        raise UserError(f"{path}: says nothing about `procedural`; {again}")
    return summary


def read_json(path: Path, again: str = "evaluate again") -> dict[str, Any]:
    """Read an object that an earlier stage wrote.

    Raises:
        UserError: The file is missing or holds something else; `again` says what to do.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; {again}") from error
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON ({error}); {again}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected an object, found {type(value).__name__}; {again}")
    return value


def read_table(path: Path, text: Sequence[str], numbers: Sequence[str]) -> pd.DataFrame:
    """Read a table that evaluation wrote, with these columns of text and of numbers; empty: there is no file.

    A training seed may be missing, other numbers must be there and finite. Flow is measured for a whole
    benchmark or not at all: a hole would drop clips from a mean unseen.

    Raises:
        UserError: It is no such table.
    """
    if not path.is_file():
        return pd.DataFrame(columns=[*text, *numbers])
    empty = {column: [""] for column in numbers}
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=empty)
    except ValueError as error:
        raise UserError(f"{path}: not a table of clips ({error}); evaluate again") from error
    if missing := [column for column in (*text, *numbers) if column not in table.columns]:
        raise UserError(f"{path}: column {missing[0]} is missing; evaluate again")
    for column in numbers:
        absent = table[column].isna()
        table[column] = pd.to_numeric(table[column], errors="coerce")
        allowed = absent & (column == "seed")
        if column in _OPTIONAL:
            allowed = absent & absent.groupby(table["benchmark"]).transform("all")
        if (bad := ~np.isfinite(table[column].astype(float)) & ~allowed).any():
            raise UserError(
                f"{path}: {column} of {_listed(list(table['clip'][bad]))} is missing or not a finite "
                "number; look at these clips, then evaluate again"
            )
    return table


def _read_method(path: Path, config: Config, seeds: Sequence[int], task: str) -> Frames:
    """Read the rows of each benchmark by training seed, in the order of `seeds`; one table without any."""
    table = read_table(path, TEXT, NUMBERS[task])
    order = ["horizon", "clip"] if task == "predict" else ["clip"]
    if (twice := table.duplicated(["benchmark", "seed", *order])).any():
        raise UserError(f"{path}: {_listed(list(table['clip'][twice]))} stands twice; evaluate again")
    found: Frames = {}
    for name, own in table[table["benchmark"].isin(list(config.benchmarks))].groupby("benchmark"):
        there = sorted(own["seed"].dropna().unique())
        if there != sorted(seeds) or (seeds and own["seed"].isna().any()):
            told, asked = (", ".join(f"{seed:g}" for seed in some) or "none" for some in (there, seeds))
            raise UserError(
                f"{path}: {name} has results of training seeds {told}, but params.yaml (train.seeds) asks "
                f"for {asked}; evaluate again"
            )
        parts = [own[own["seed"] == seed] for seed in seeds] or [own]
        found[str(name)] = tuple(part.sort_values(order).reset_index(drop=True) for part in parts)
    return found


def _averaged(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    # Metrics of several trainings are averaged, as papers do; not their frames, which nobody would show.
    mean = frames[0].copy()
    if len(frames) > 1:
        for column in mean.columns.difference([*TEXT, "seed"]):
            mean[column] = np.mean([frame[column].to_numpy(np.float64) for frame in frames], axis=0)
    return mean


def _check_means(frames: Frames, stated: Mapping[str, Any], path: Path) -> None:
    """Refuse a metrics.json that belongs to other rows: the two are read side by side."""
    for name, seeds in frames.items():
        rows = pd.concat(seeds)
        means = {metric: rows[metric].mean() for metric in REQUIRED if "horizon" not in rows}
        if "horizon" in rows:
            means = {f"psnr_{horizon}": part["psnr"].mean() for horizon, part in rows.groupby("horizon")}
        for key, mean in means.items():
            told = stated.get(name, {}).get(key)
            if not isinstance(told, int | float) or abs(told - mean) > _AGREEMENT:
                beside = f"but clips.csv beside it gives {mean:.6f}"
                raise UserError(f"{path}: {name}.{key} is {told}, {beside}; evaluate again")


def _check_same_clips(config: Config, seeded: Mapping[str, Frames], folder: Path) -> None:
    """Refuse to pair methods that were measured on different clips, with any seed and at any horizon."""
    for benchmark in config.benchmarks:
        parts = [
            (
                f"{method} (seed {part['seed'].iloc[0]:g})" if len(frames[benchmark]) > 1 else method,
                part[list(TEXT)].reset_index(drop=True),
            )
            for method, frames in seeded.items()
            for frame in frames.get(benchmark, ())
            for _, part in (frame.groupby("horizon") if "horizon" in frame else [(0, frame)])
        ]
        for name, part in parts:
            first, reference = parts[0]
            if part.equals(reference):
                continue
            apart = sorted({*part["clip"]} ^ {*reference["clip"]})
            apart = apart or sorted(part["clip"][(part != reference).any(axis=1)])
            raise UserError(
                f"{folder}: {name} and {first} were not measured on the same {benchmark} clips: they differ "
                f"in {_listed(apart)}; evaluate both again"
            )


def _one_protocol(
    config: Config, seeded: Mapping[str, Frames], protocols: Mapping[str, Mapping[str, Any]], folder: Path
) -> dict[str, dict[str, str]]:
    """Return each benchmark's protocol; refuse methods measured under another, or on other clips."""
    agreed: dict[str, dict[str, str]] = {}
    first: dict[str, str] = {}
    for method, name in ((method, name) for method, frames in seeded.items() for name in frames):
        rules, own, path = config.benchmarks[name], protocols[method].get(name, {}), folder / method
        if not isinstance(own, dict):
            raise UserError(
                f"{path}/protocol.json: {name}: expected an object, found {own!r}; evaluate again"
            )
        asked = {"protocol": rules.protocol, "sampling": rules.sampling or "its own"}
        asked |= {"horizons": str(rules.horizons)} if "horizon" in seeded[method][name][0] else {}
        for key in sorted((asked.keys() | own.keys()) - {"clips"}):
            if own.get(key) != asked.get(key):
                said = (
                    f"params.yaml says {asked[key]!r}" if key in asked else "this version knows no such rule"
                )
                told = f"{name} was measured with {key} {own.get(key)!r} (protocol.json)"
                raise UserError(f"{path}: {told}, but {said}; evaluate again")
        reference, other = agreed.setdefault(name, own), first.setdefault(name, method)
        if own.get("clips") != reference.get("clips"):
            raise UserError(
                f"{folder}: {method} and {other} were not measured alike on {name}: clips is "
                f"{own.get('clips')!r} for {method} and {reference.get('clips')!r} for {other} "
                "(protocol.json); evaluate both again"
            )
    return agreed


def _listed(clips: Sequence[str]) -> str:
    """Name the first clips, and say how many more there are."""
    more = f" and {len(clips) - _NAMED} more" if len(clips) > _NAMED else ""
    return ", ".join(clips[:_NAMED]) + more


def read_curves(results: Results) -> dict[str, Curves]:
    """Read the curves of every declared ablation that has them, in the order of params.yaml.

    Raises:
        UserError: A file is no table of curves, or not of the seeds that params.yaml names.
    """
    found = {}
    for name in results.config.ablations:
        path, seeds = results.data / "training" / name / "curves.csv", results.configs[name].train.seeds
        try:
            if path.is_file():
                table = pd.read_csv(path, dtype=float)
                found[name] = {key: _by_seed(table, key, seeds) for key in ("loss", "psnr")}
        except (KeyError, ValueError) as error:
            raise UserError(
                f"{path}: expected numbers in columns seed, step, epoch, loss, psnr, ssim, the same steps "
                "for each seed of train.seeds; train again"
            ) from error
    return found


def _by_seed(table: pd.DataFrame, key: str, seeds: Sequence[int]) -> pd.DataFrame:
    wide = table.dropna(subset=[key]).pivot(index="step", columns="seed", values=key)
    if set(table["seed"]) - set(seeds) or (wide := wide.reindex(columns=list(seeds))).isna().any(axis=None):
        raise ValueError(f"{key}: of other seeds, or of seeds that were logged at different steps")
    return wide


def read_alpha(results: Results) -> dict[str, pd.DataFrame]:
    """Read α of each measured method that weighs its window: a row per clip, seed and valid position.

    Raises:
        UserError: A file is no table of α.
    """
    wide = [m for m in results.methods if results.rows.get(m) and not results.narrow(m)]
    text, numbers = ("benchmark", "clip", "kind"), ("seed", "offset", "alpha")
    paths = {method: results.data / "results" / method / "alpha.csv" for method in wide}
    return {m: table for m, path in paths.items() if len(table := read_table(path, text, numbers))}


def read_measured(profile: str, folder: Path = MEASURED) -> Measured:
    """Read the tables of costs; one that is not there is empty.

    Raises:
        UserError: A file is not such a table.
    """
    found: dict[str, Rows] = {}
    for key, name in (("frames", "models.csv"), ("steps", "memory.csv"), ("gpu", "quarter_h200.json")):
        path = folder / name
        try:
            if not path.is_file():
                continue
            if key == "gpu":
                found[key] = _gpu(json.loads(path.read_text(encoding="utf-8")))
            elif key == "steps":
                found[key] = _rows(pd.read_csv(path), "what", _STEP)
            else:
                table = pd.read_csv(path)
                found[key] = _rows(table[table["profile"] == profile], "ablation", _FRAME)
        except (KeyError, TypeError, ValueError) as error:
            again = "" if key == "gpu" else "run `python -m benchmarks.cost` or "
            raise UserError(f"{path}: damaged ({error!r}); {again}restore the file") from error
    return Measured(**found)


def _rows(table: pd.DataFrame, key: str, numbers: Sequence[str]) -> Rows:
    threads = table["threads"].map(lambda count: "one thread" if count == 1 else f"{count} threads")
    where = table["device"] + ", " + threads + ", PyTorch " + table["torch"].astype(str)
    values = table.astype(dict.fromkeys(numbers, float)).assign(where=where)
    return values.set_index(key)[[*numbers, "where"]].T.to_dict()


def _gpu(told: Mapping[str, Any]) -> Rows:
    speed, trained = told["speed"], told["training"]["methods"]
    # Reversed: the first of a method's rows stands; RIFE is measured again at the end.
    return {
        row["method"]: {
            "ms": float(row["ms"]),
            "card": speed["device"],
            "samples": trained.get(row["method"], {}).get("speed", {}).get("samples_per_second"),
        }
        for row in reversed(speed["rows"])
        if (row["size"], row["precision"]) == ("256x448", "32")
    }
