"""Read what evaluation and training wrote, and refuse what cannot be compared.

Only what params.yaml names is read: a folder of a method that is no longer declared is left alone, and a
declared method without results is listed as missing. All methods must have the same clips.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.config import Config
from lift.errors import UserError
from lift.report.names import REQUIRED, Metric, metrics

COLUMNS = (
    "benchmark", "clip", "video", "kind", "motion", "context",
    "psnr", "ssim", "ssim_matlab", "lpips", "ie", "ie_rms", "warping", "epe", "occluded",
)  # fmt: skip
_TEXT = ("benchmark", "clip", "video", "kind")
_OPTIONAL = ("warping", "epe", "occluded")
_AGREEMENT = 1e-4  # metrics.json is rounded to 6 decimals, of values up to 255
_NAMED = 5  # clips that an error names


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that the report is made from."""

    config: Config
    configs: Mapping[str, Config]
    """Each ablation's resolved configuration."""
    data: Path
    """data/<profile>."""
    rows: Mapping[str, Mapping[str, pd.DataFrame]]
    """Method -> benchmark -> rows of clips.csv in the order of clip ids, the same clips for every method."""
    procedural: Mapping[str, bool]
    """Clip set -> whether its footage is rendered."""

    @property
    def methods(self) -> tuple[str, ...]:
        """All declared methods, with results or without."""
        return (*self.config.ablations, *self.config.baselines)

    @property
    def missing(self) -> list[str]:
        """Declared methods without any result."""
        return [method for method in self.methods if not self.rows.get(method)]

    @property
    def base(self) -> str:
        """The method that the research question is about: the first that params.yaml compares."""
        return self.config.report.comparisons[0].method

    @property
    def metrics(self) -> dict[str, Metric]:
        """Metrics by column name."""
        return metrics(self.config)

    def frame(self, method: str, benchmark: str) -> pd.DataFrame | None:
        """Give the rows of one method on one benchmark; None where there are none."""
        return self.rows.get(method, {}).get(benchmark)

    def measured(self, benchmark: str) -> list[str]:
        """List the methods that have results on `benchmark`."""
        return [method for method in self.methods if self.frame(method, benchmark) is not None]

    def has(self, method: str, benchmark: str, metric: str) -> bool:
        """Say whether `metric` was measured for `method` on `benchmark`."""
        frame = self.frame(method, benchmark)
        return frame is not None and bool(frame[metric].notna().any())

    def values(self, method: str, benchmark: str, metric: str) -> npt.NDArray[np.float64]:
        """Give one value per clip, in the order of clip ids."""
        return np.asarray(self.rows[method][benchmark][metric], dtype=np.float64)

    def videos(self, benchmark: str) -> npt.NDArray[np.str_]:
        """Give each clip's source video, in the order of clip ids."""
        frame = self.rows[self.measured(benchmark)[0]][benchmark]
        return np.array([source_video(name) for name in frame["video"]], dtype=np.str_)

    def kinds(self, benchmark: str) -> npt.NDArray[np.str_]:
        """Give each clip's kind or difficulty, in the order of clip ids."""
        return np.asarray(self.rows[self.measured(benchmark)[0]][benchmark]["kind"], dtype=np.str_)

    def stand_in(self, benchmark: str) -> bool:
        """Whether rendered scenes stand in for real footage (the set `scenes` is meant to be rendered)."""
        return self.procedural[benchmark] and benchmark != "scenes"


def source_video(name: str) -> str:
    """Give the independent unit that a video belongs to.

    UCF101 cuts the clips `_c01`, `_c02` … of a group `_g01` out of one original video (Soomro et al., 2012):
    its unit is the group. Elsewhere it is the video itself.
    """
    return re.sub(r"(_g\d+)_c\d+(\.avi)?$", r"\1", name)


def read(config: Config, configs: Mapping[str, Config], data: Path) -> Results:
    """Read and check the results of every declared method under `data` (data/<profile>).

    Raises:
        UserError: A file is broken, rows are duplicated, missing or not finite, or methods were measured on
            different clips.
    """
    names = (*config.ablations, *config.baselines)
    rows = {name: _read_method(data / "results" / name, config) for name in names}
    _check_same_clips(rows, data)
    return Results(
        config=config,
        configs=configs,
        data=data,
        rows=rows,
        procedural={name: _procedural(data / "clips" / name) for name in config.clips.sets},
    )


def _procedural(folder: Path) -> bool:
    path = folder / "summary.json"
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
        return bool(summary["procedural"])
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run `dvc repro` to build the clips again") from error
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: says nothing about `procedural`; run `dvc repro` to build the clips again"
        ) from error


def _read_method(folder: Path, config: Config) -> dict[str, pd.DataFrame]:
    path = folder / "clips.csv"
    if not path.is_file():
        return {}
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(_TEXT, str), keep_default_na=False, na_values={
            column: [""] for column in COLUMNS if column not in _TEXT
        })  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path}: not a table of clips ({error}); evaluate again") from error
    if missing := [column for column in COLUMNS if column not in table.columns]:
        raise UserError(f"{path}: column {missing[0]} is missing; evaluate again")
    _check_rows(table, path)
    frames = {
        str(name): frame.sort_values("clip").reset_index(drop=True)
        for name, frame in table.groupby("benchmark", sort=True)
        if name in config.benchmarks
    }
    _check_means(frames, folder / "metrics.json")
    return frames


def _check_rows(table: pd.DataFrame, path: Path) -> None:
    twice = table[table.duplicated(["benchmark", "clip"])]
    if len(twice):
        raise UserError(f"{path}: {_listed(list(twice['clip']))} stands twice; evaluate again")
    for column in (c for c in COLUMNS if c not in _TEXT):
        if not pd.api.types.is_numeric_dtype(table[column]):
            raise UserError(f"{path}: column {column} holds something that is no number; evaluate again")
        values = table[column].to_numpy(dtype=np.float64)
        # Flow is measured for a whole benchmark or not at all; a hole would drop clips from a mean unseen.
        absent = table[column].isna()
        if column in _OPTIONAL:
            absent &= ~absent.groupby(table["benchmark"]).transform("all")
        bad = table[absent | np.isinf(values)]
        if len(bad):
            raise UserError(
                f"{path}: {column} of {_listed(list(bad['clip']))} is missing or not finite; look at "
                "these clips, then evaluate again"
            )


def _check_means(frames: Mapping[str, pd.DataFrame], path: Path) -> None:
    """Refuse a metrics.json that belongs to other rows: the two are read side by side."""
    try:
        stated: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found beside clips.csv; evaluate again") from error
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: not valid JSON ({error}); evaluate again") from error
    for name, frame in frames.items():
        for metric in REQUIRED:
            mean = float(frame[metric].mean())
            told = stated.get(name, {}).get(metric)
            if not isinstance(told, int | float) or abs(told - mean) > _AGREEMENT:
                raise UserError(
                    f"{path}: {name}.{metric} is {told}, but clips.csv beside it gives {mean:.6f}; "
                    "evaluate again"
                )


def _check_same_clips(rows: Mapping[str, Mapping[str, pd.DataFrame]], data: Path) -> None:
    """Refuse to pair methods that were measured on different clips."""
    first: dict[str, str] = {}
    for method, frames in rows.items():
        for name, frame in frames.items():
            reference = rows[first.setdefault(name, method)][name]
            if frame[list(_TEXT)].equals(reference[list(_TEXT)]):
                continue
            one, two = set(frame["clip"]), set(reference["clip"])
            differing = sorted(one ^ two) or sorted(
                frame["clip"][(frame != reference)[list(_TEXT)].any(axis=1)]
            )
            raise UserError(
                f"{data / 'results'}: {method} and {first[name]} were not measured on the same {name} "
                "clips: they differ in "
                f"{_listed(differing)}; evaluate both again"
            )


def _listed(clips: Sequence[str]) -> str:
    shown = ", ".join(clips[:_NAMED])
    return shown + (f" and {len(clips) - _NAMED} more" if len(clips) > _NAMED else "")


def unit_means(values: npt.NDArray[np.float64], units: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Average `values` (n,) or (n, k) of clips within each unit; units come in sorted order."""
    _, index, counts = np.unique(units, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), *values.shape[1:]))
    np.add.at(sums, index, values)
    return sums / counts.reshape(-1, *([1] * (values.ndim - 1)))
