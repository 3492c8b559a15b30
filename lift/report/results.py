"""The results of all methods, as the report asks for them; reading.py fills them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.config import Config
from lift.report.texts import JUDDER, TWO_FRAMES, number_of

PARTS = ("encoder", "transformer", "flow", "synthesis", "refiner")
"""Of the specification's model, by which what it keeps for the backward pass was measured."""
Rows = Mapping[Any, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Times and memory as `python -m benchmarks.cost` measured them, committed beside it; else empty.

    They are read, not made, by the pipeline: a time differs from run to run, and a report must not. `where`:
    kind of machine, PyTorch's version, threads.
    """

    frames: Rows = field(default_factory=dict)
    """By method, of one profile, what one frame of 256x448 costs: `memory_mib`, `milliseconds`, `where`;
    `parameters` and `gmacs_256x448` tell whether the model is still the one that was measured."""
    steps: Rows = field(default_factory=dict)
    """By name of benchmarks/cost.py, a forward pass or a training step of the specification's model:
    `batch`, `crop`, `gib`, `seconds`, `where`, and `kept_<part>`, GiB for the backward pass, else NaN."""
    gpu: Rows = field(default_factory=dict)
    """By method, what a GPU (`card`) takes: `ms` of a frame of 256x448 in single precision, and how many
    `samples` a second its training saw; None: it was not trained there."""


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything that the report is made from, of the methods that do one task."""

    config: Config
    configs: Mapping[str, Config]
    """The resolved configuration of each method that has a model."""
    data: Path
    """data/<profile>."""
    rows: Mapping[str, Mapping[str, pd.DataFrame]]
    """Method -> benchmark -> rows of clips.csv in the order of clip ids (of prediction: of horizons, then of
    clip ids), averaged over training seeds; the same clips for every method.
    """
    seeded: Mapping[str, Mapping[str, tuple[pd.DataFrame, ...]]]
    """The same before averaging: one table per training seed, in the order of `train.seeds`."""
    protocols: Mapping[str, Mapping[str, str]]
    """Benchmark -> how all methods were measured on it (protocol.json)."""
    costs: Mapping[str, Mapping[str, float]]
    """Method -> parameters and operations of its model; methods without a model are left out."""
    procedural: Mapping[str, bool]
    """Clip set -> whether its footage is rendered."""
    sizes: Mapping[str, int]
    """Clip set -> how many clips it has."""
    absent: tuple[str, ...]
    """Benchmarks whose data sets are not here (`Source.optional`)."""
    trainings: Mapping[str, int]
    """Method -> how many trainings of this project its learnt parts were measured in; 0: no part was."""
    timings: Measured
    """Times and memory, measured apart from the pipeline."""

    @property
    def methods(self) -> tuple[str, ...]:
        """All declared methods, with results or without."""
        return self.config.methods

    @property
    def missing(self) -> list[str]:
        """Declared methods without any result."""
        return [method for method in self.methods if not self.rows.get(method)]

    @property
    def kept(self) -> list[str]:
        """Benchmarks whose rows an earlier evaluation left: their footage is not here."""
        return [name for name in self.absent if self.measured(name)]

    @property
    def populations(self) -> list[str]:
        """Benchmarks on which the declared comparisons are judged, of those that were measured."""
        asked = dict.fromkeys((self.config.report.benchmark, *self.config.report.others))
        return [name for name in asked if self.measured(name)]

    @property
    def base(self) -> str:
        """The method that the research question is about: the first that params.yaml compares."""
        return self.config.report.comparisons[0].method

    @property
    def compared(self) -> list[str]:
        """Methods that the declared comparisons name, in their order: the base first."""
        asked = self.config.report.comparisons
        return list(dict.fromkeys(method for one in asked for method in (one.method, one.against)))

    @property
    def coverage(self) -> str:
        """Coverage of intervals in words."""
        return f"{100 * self.config.report.confidence:g} %"

    def frame(self, method: str, benchmark: str) -> pd.DataFrame | None:
        """Return the rows of one method on one benchmark; None where there are none."""
        return self.rows.get(method, {}).get(benchmark)

    def measured(self, benchmark: str) -> list[str]:
        """List the methods that have results on `benchmark`."""
        return [method for method in self.methods if self.frame(method, benchmark) is not None]

    def has(self, method: str, benchmark: str, metric: str) -> bool:
        """Say whether `metric` was measured for `method` on `benchmark`."""
        frame = self.frame(method, benchmark)
        return frame is not None and bool(frame[metric].notna().any())

    def values(self, method: str, benchmark: str, metric: str) -> npt.NDArray[np.float64]:
        """Return one value per clip, in the order of clip ids."""
        return np.asarray(self.rows[method][benchmark][metric], dtype=np.float64)

    def mean(self, method: str, benchmark: str, metric: str) -> float:
        """Return the mean over clips."""
        return float(self.values(method, benchmark, metric).mean())

    def seed_means(self, method: str, benchmark: str, metric: str) -> npt.NDArray[np.float64]:
        """Return one mean over source videos for each training seed, one in all of a method without any."""
        units, frames = self.videos(benchmark), self.seeded[method][benchmark]
        return np.array([unit_means(frame[metric].to_numpy(np.float64), units).mean() for frame in frames])

    def videos(self, benchmark: str) -> npt.NDArray[np.str_]:
        """Return each clip's source video, in the order of clip ids: the recording that it was cut from.

        It is the independent unit, and what the data set says of it is the manifest's `group`: of UCF101 the
        group that several clips were cut out of, of Vimeo-90K the folder, elsewhere mostly the video itself.
        """
        return np.asarray(self.rows[self.measured(benchmark)[0]][benchmark]["group"], dtype=np.str_)

    def many(self, benchmark: str) -> int:
        """Count the source videos of a benchmark."""
        return len(set(self.videos(benchmark)))

    def kinds(self, benchmark: str) -> npt.NDArray[np.str_]:
        """Return each clip's kind, in the order of clip ids; a video with judder has it all over."""
        kinds = np.asarray(self.rows[self.measured(benchmark)[0]][benchmark]["kind"], dtype=np.str_)
        units = self.videos(benchmark)
        return np.where(np.isin(units, units[kinds == JUDDER]), JUDDER, kinds)

    def stand_in(self, benchmark: str) -> bool:
        """Whether rendered scenes stand in for real footage (the set `scenes` is meant to be rendered)."""
        return self.procedural[benchmark] and benchmark != "scenes"

    def called(self, method: str) -> str:
        """Return what readers call a method."""
        return self.config.report.names.get(method, method)

    def title(self, benchmark: str) -> str:
        """Return what readers call a benchmark."""
        return self.config.benchmarks[benchmark].title

    def counts(self, benchmark: str) -> str:
        """Say how many clips and source videos a benchmark has."""
        clips = self.rows[self.measured(benchmark)[0]][benchmark]["clip"].nunique()
        return f"n = {number_of(clips, 'clip')} of {number_of(self.many(benchmark), 'source video')}"

    def footage(self, benchmark: str) -> str:
        """Return the words that a caption must carry where the footage is rendered; else none."""
        if self.stand_in(benchmark):
            return " (procedural stand-ins)"
        return " (procedural scenes)" if self.procedural[benchmark] else ""

    def listed(self, benchmarks: Iterable[str]) -> str:
        """Name benchmarks, and which of them are rendered."""
        return ", ".join(f"{self.title(name)}{self.footage(name)}" for name in dict.fromkeys(benchmarks))

    def narrow(self, method: str) -> bool:
        """Whether a method sees the two references alone."""
        config = self.configs.get(method)
        return config is None or len(config.clip.offsets) == 2 or not config.model.use_context

    def used(self, method: str) -> int:
        """Count the frames of a window that take part, the missing one with them, as names do."""
        clip, model = self.configs[method].clip, self.configs[method].model
        if model.name != "lift" or (model.use_context and model.refinement not in ("none", "fusion")):
            return len(clip.offsets) + 1
        near = {"rife": model.lift_rife.reach, "matching": model.matching.reach}.get(model.flow, 0)
        return 3 + min(near, clip.before - 1) + min(near, clip.after - 1)

    def sampling(self, method: str, benchmark: str) -> str:
        """Name the sampling of a method's context: none, what the protocol forces, or the method's own."""
        if self.narrow(method):
            return "references only"
        return self.config.benchmarks[benchmark].sampling or self.configs[method].clip.sampling

    def named(self, method: str) -> dict[str, object]:
        """Return the first cells of a method's row: its name, signed where it sees two frames, and window.

        A window is told by its frames, those before and after the gap, as in `14 (8+6), 4 used`.
        """
        name = self.called(method)
        if self.narrow(method):
            return {"method": method, "method_shown": f"{name} {TWO_FRAMES}", "window": "2 (1+1)"}
        clip, seen = self.configs[method].clip, self.used(method) - 1
        window = f"{len(clip.offsets)} ({clip.before}+{clip.after})"
        window += f", {seen} used" if seen < len(clip.offsets) else ""
        return {"method": method, "method_shown": name, "window": window}

    def sources(self, patterns: Iterable[str], methods: Iterable[str]) -> str:
        """Name files shortly, * being each of some methods; those of evaluation where these have results.

        Two methods' files of one name are told as `results/{a,b}/clips.csv`.
        """
        told = []
        for pattern in patterns:
            evaluated = pattern.startswith("results/")
            names = [m for m in dict.fromkeys(methods) if self.rows.get(m) or not evaluated]
            if "*" not in pattern:
                told.append(pattern)
            elif names:
                told.append(pattern.replace("*", f"{{{','.join(names)}}}" if names[1:] else names[0]))
        return "; ".join(told)


def unit_means(values: npt.NDArray[np.float64], units: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Average `values` (n,) of clips within each unit; units come in sorted order."""
    _, index, counts = np.unique(units, return_inverse=True, return_counts=True)
    return np.bincount(index, weights=values) / counts


def clip_mean_parts(values: npt.NDArray[np.float64], units: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return one value per unit whose plain mean is the mean over clips, and whose spread is that mean's.

    A unit with more clips pulls harder. These are the mean plus the influences of the units on it (the
    linearised ratio of sums to counts: Cochran, Sampling Techniques, 1977, section 2.11); where all units
    have as many clips they are the units' means.
    """
    _, counts = np.unique(units, return_counts=True)
    overall = float(values.mean())
    parts: npt.NDArray[np.float64] = overall + counts / counts.mean() * (unit_means(values, units) - overall)
    return parts
