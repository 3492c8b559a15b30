"""Read what evaluation wrote, and refuse what cannot be compared.

Only what params.yaml names is read: a folder of a method that is no longer declared is left alone, and a
declared method without results is listed as missing. All methods must have the same clips, measured under
the same protocol.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from lift import header
from lift.config import Config
from lift.errors import UserError
from lift.report import measured
from lift.report.names import REQUIRED, of_task
from lift.report.results import Results

COLUMNS = (
    "benchmark", "clip", "video", "group", "kind", "motion", "seed", "context",
    "psnr", "ssim", "ssim_matlab", "lpips", "ie", "ie_rms", "ie_edges", "ie_occluded", "warping", "epe",
    "occluded",
)  # fmt: skip
_TEXT = ("benchmark", "clip", "video", "group", "kind")
_OPTIONAL = ("ie_occluded", "warping", "epe", "occluded")
_AGREEMENT = 1e-4  # metrics.json is rounded to 6 decimals, of values up to 255
WEIGHTS = Path("weights")
_NAMED = 5  # clips that an error names
Seeds = tuple[pd.DataFrame, ...]


def read(
    config: Config, configs: Mapping[str, Config], data: Path, timings: Path = measured.FOLDER
) -> Results:
    """Read and check the results of every declared method that interpolates, under `data` (data/<profile>).

    Methods that predict have files and tables of their own (predictions.py): `config` of the result names
    none.

    Args:
        config: The profile's configuration.
        configs: Each ablation's.
        data: data/<profile>.
        timings: What was measured apart from the pipeline.

    Raises:
        UserError: A file is broken, rows are duplicated, missing or not finite, or methods were measured on
            different clips, seeds or under different protocols.
    """
    config = of_task(config, configs, "interpolate")
    seeded: dict[str, dict[str, Seeds]] = {}
    stated: dict[str, dict[str, Any]] = {}
    protocols: dict[str, dict[str, dict[str, str]]] = {}
    for name in config.methods:
        folder = data / "results" / name
        seeds = configs[name].train.seeds if name in config.ablations else ()
        seeded[name] = _read_method(folder / "clips.csv", config, seeds)
        if seeded[name]:
            stated[name] = read_json(folder / "metrics.json")
            protocols[name] = read_json(folder / "protocol.json")
            _check_means(seeded[name], stated[name], folder / "metrics.json")
    _check_same_clips(seeded, data)
    summaries = {name: _summary(data / "clips" / name) for name in config.clips.sets}
    return Results(
        config=config,
        configs=configs,
        data=data,
        rows={m: {b: _averaged(seeds) for b, seeds in frames.items()} for m, frames in seeded.items()},
        seeded=seeded,
        protocols=one_protocol(config, seeded, protocols, data),
        costs={method: means["model"] for method, means in stated.items() if "model" in means},
        procedural={name: bool(summary["procedural"]) for name, summary in summaries.items()},
        absent=tuple(name for name in config.benchmarks if _not_given(summaries[name])),
        trainings={name: _trainings(config, configs, name) for name in config.methods},
        timings=measured.read(timings, config.profile),
    )


def _trainings(config: Config, configs: Mapping[str, Config], method: str) -> int:
    """Count a method's trainings: of what is released those that made the file, which is one or none."""
    if method in config.ablations:
        return len(configs[method].train.seeds)
    path = WEIGHTS / f"{configs[method].weights}{header.SUFFIX}" if method in config.released else None
    ours = path is not None and path.is_file() and header.read(path).plain("config") is not None
    return int(ours)


def _not_given(summary: Mapping[str, Any]) -> bool:
    return "not_given" in summary and not summary["clips"]


def _summary(folder: Path) -> dict[str, Any]:
    """Read what is known of a clip set."""
    path = folder / "summary.json"
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        bool(summary["procedural"])
        return summary
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro` to build the clips again") from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: says nothing about `procedural`; run `dvc repro` to build the clips again"
        ) from error


def read_json(path: Path) -> dict[str, Any]:
    """Read an object that evaluation wrote.

    Raises:
        UserError: The file is missing or holds something else.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found beside clips.csv; evaluate again") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not valid JSON ({error}); evaluate again") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected an object, found {type(value).__name__}; evaluate again")
    return value


def _read_method(path: Path, config: Config, seeds: Sequence[int]) -> dict[str, Seeds]:
    if not path.is_file():
        return {}
    table = read_table(path, COLUMNS)
    _check_rows(table, path)
    table = table[table["benchmark"].isin(list(config.benchmarks))]
    return {str(name): _by_seed(frame, path, str(name), seeds) for name, frame in table.groupby("benchmark")}


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table that evaluation wrote; an empty cell is missing, but in columns of text.

    Raises:
        UserError: It is no such table.
    """
    empty = {column: [""] for column in columns if column not in _TEXT}
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values=empty)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path}: not a table of clips ({error}); evaluate again") from error
    if missing := [column for column in columns if column not in table.columns]:
        raise UserError(f"{path}: column {missing[0]} is missing; evaluate again")
    return table


def _by_seed(table: pd.DataFrame, path: Path, benchmark: str, seeds: Sequence[int]) -> Seeds:
    """Split the rows of one benchmark by training seed, in the order of `seeds`; empty: one without any."""
    found = table["seed"].dropna().unique()
    if sorted(found) != sorted(seeds) or (seeds and table["seed"].isna().any()):
        told = ", ".join(f"{seed:g}" for seed in sorted(found)) or "none"
        asked = ", ".join(map(str, seeds)) or "none"
        raise UserError(
            f"{path}: {benchmark} has results of training seeds {told}, but params.yaml (train.seeds) asks "
            f"for {asked}; evaluate again"
        )
    parts = [table[table["seed"] == seed] for seed in seeds] or [table]
    frames = tuple(part.sort_values("clip").reset_index(drop=True) for part in parts)
    for seed, frame in zip(seeds, frames, strict=False):
        if apart := differing(frame, frames[0]):
            raise UserError(
                f"{path}: seeds {seeds[0]} and {seed} were not measured on the same {benchmark} clips: they "
                f"differ in {listed(apart)}; evaluate again"
            )
    return frames


def _averaged(frames: Seeds) -> pd.DataFrame:
    if len(frames) == 1:
        return frames[0]
    mean = frames[0].copy()
    for column in (c for c in COLUMNS if c not in (*_TEXT, "seed")):
        mean[column] = np.mean([frame[column].to_numpy(np.float64) for frame in frames], axis=0)
    return mean


def _check_rows(table: pd.DataFrame, path: Path) -> None:
    twice = table[table.duplicated(["benchmark", "clip", "seed"])]
    if len(twice):
        raise UserError(f"{path}: {listed(list(twice['clip']))} stands twice; evaluate again")
    for column in (c for c in COLUMNS if c not in _TEXT):
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise UserError(f"{path}: column {column} holds something that is no number; evaluate again")
        values = table[column].to_numpy(dtype=np.float64)
        # Flow is measured for a whole benchmark or not at all; a hole would drop clips from a mean unseen.
        absent = table[column].isna()
        if column in _OPTIONAL:
            absent &= ~absent.groupby(table["benchmark"]).transform("all")
        bad = table[(absent & (column != "seed")) | np.isinf(values)]
        if len(bad):
            raise UserError(
                f"{path}: {column} of {listed(list(bad['clip']))} is missing or not finite; look at "
                "these clips, then evaluate again"
            )


def _check_means(frames: Mapping[str, Seeds], stated: Mapping[str, Any], path: Path) -> None:
    """Refuse a metrics.json that belongs to other rows: the two are read side by side."""
    for name, seeds in frames.items():
        for metric in REQUIRED:
            mean = float(np.mean([frame[metric].mean() for frame in seeds]))
            told = stated.get(name, {}).get(metric)
            if not isinstance(told, int | float) or abs(told - mean) > _AGREEMENT:
                raise UserError(
                    f"{path}: {name}.{metric} is {told}, but clips.csv beside it gives {mean:.6f}; "
                    "evaluate again"
                )


def _check_same_clips(seeded: Mapping[str, Mapping[str, Seeds]], data: Path) -> None:
    """Refuse to pair methods that were measured on different clips."""
    first: dict[str, str] = {}
    for method, frames in seeded.items():
        for name, seeds in frames.items():
            reference = seeded[first.setdefault(name, method)][name][0]
            if apart := differing(seeds[0], reference):
                raise UserError(
                    f"{data / 'results'}: {method} and {first[name]} were not measured on the same {name} "
                    f"clips: they differ in {listed(apart)}; evaluate both again"
                )


def differing(frame: pd.DataFrame, reference: pd.DataFrame) -> list[str]:
    """Name the clips in which two sorted tables differ."""
    if frame[list(_TEXT)].equals(reference[list(_TEXT)]):
        return []
    one, two = set(frame["clip"]), set(reference["clip"])
    return sorted(one ^ two) or sorted(frame["clip"][(frame != reference)[list(_TEXT)].any(axis=1)])


def one_protocol(
    config: Config,
    seeded: Mapping[str, Mapping[str, object]],
    protocols: Mapping[str, Mapping[str, Mapping[str, str]]],
    data: Path,
) -> dict[str, dict[str, str]]:
    """Return each benchmark's protocol; refuse methods that were measured under different ones.

    Args:
        config: The rules that they were to be measured by.
        seeded: What was measured, by method and benchmark.
        protocols: What each method's protocol.json says of each benchmark.
        data: data/<profile>.

    Raises:
        UserError: Two methods differ, or one differs from params.yaml.
    """
    agreed: dict[str, dict[str, str]] = {}
    first: dict[str, str] = {}
    for method, frames in seeded.items():
        for name in frames:
            stated = protocols[method].get(name, {})
            if not isinstance(stated, Mapping):
                path = data / "results" / method / "protocol.json"
                raise UserError(f"{path}: {name}: expected an object, found {stated!r}; evaluate again")
            own = dict(stated)
            reference = agreed.setdefault(name, own)
            other = first.setdefault(name, method)
            for key in sorted({*own, *reference}):
                if own.get(key) != reference.get(key):
                    raise UserError(
                        f"{data / 'results'}: {method} and {other} were not measured alike on {name}: {key} "
                        f"is {own.get(key)!r} for {method} and {reference.get(key)!r} for {other} "
                        "(protocol.json); evaluate both again"
                    )
    for name, own in agreed.items():
        rules = config.benchmarks[name]
        asked = {
            "protocol": rules.protocol,
            "sampling": rules.sampling or "its own",
        }
        for key, value in asked.items():
            if own.get(key) != value:
                raise UserError(
                    f"{data / 'results' / first[name]}: {name} was measured with {key} {own.get(key)!r} "
                    f"(protocol.json), but params.yaml says {value!r}; evaluate again"
                )
        for key in own.keys() - asked.keys() - {"clips", "horizons"}:
            raise UserError(
                f"{data / 'results' / first[name]}: {name} was measured with {key} {own[key]!r} "
                f"(protocol.json), a rule that this version does not know; evaluate again"
            )
    return agreed


def listed(clips: Sequence[str]) -> str:
    """Name the first clips, and say how many more there are."""
    shown = ", ".join(clips[:_NAMED])
    return shown + (f" and {len(clips) - _NAMED} more" if len(clips) > _NAMED else "")
