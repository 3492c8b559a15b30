"""A reference run's tables: what every method reached, and the declared differences with their intervals.

The unit is the source video, as in the report: clips are averaged within one first. Intervals count videos
and not trainings; where an ablation was trained with several seeds, results are means over them and
`spread` says how far the seeds' means lie apart.
"""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from lift.config import load_all
from lift.files import atomic
from lift.report.comparisons import describe, gains
from lift.report.reading import read
from lift.report.results import Results, unit_means
from stages.common import PARAMS, data_folder

METRICS = ("psnr", "ssim")
PLACES = 4  # of the CSV files


@dataclass(frozen=True, kw_only=True)
class Mean:
    """What a method reached on the videos of a benchmark, or on those of one kind."""

    benchmark: str
    kind: str
    """Empty: all."""
    videos: int
    clips: int
    method: str
    seeds: int
    """Trainings; 0: none is needed."""
    psnr: float
    """dB, mean over videos."""
    ssim: float
    spread: float
    """Largest less smallest PSNR of the seeds, dB; NaN: one training or none."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """`method` less `against`, over the same videos."""

    family: str
    method: str
    against: str
    benchmark: str
    kind: str
    """Empty: all."""
    metric: str
    videos: int
    mean: float
    low: float
    high: float
    """Ends of the bootstrap interval of the mean; NaN where there are too few videos for one."""


def write(profile: str, folder: Path) -> tuple[list[Mean], list[Difference]]:
    """Write means and differences of all that has been measured, as CSV and as Markdown.

    Args:
        profile: The run's; its params.yaml lies in the working folder.
        folder: Where the four files go.
    """
    results = read(*load_all(PARAMS, profile), data_folder(profile))
    means, differences = list(means_of(results)), list(differences_of(results))
    for name, kind, rows, text in (
        ("means", Mean, means, means_table(means)),
        ("differences", Difference, differences, differences_table(differences)),
    ):
        _write_csv(folder / f"{name}.csv", kind, rows)
        with atomic(folder / f"{name}.md") as temporary:
            temporary.write_text(text, encoding="utf-8")
    return means, differences


def groups(results: Results) -> Iterator[tuple[str, str | None]]:
    """Give each benchmark as a whole, then each of its kinds."""
    for benchmark in results.config.benchmarks:
        if results.measured(benchmark):
            yield benchmark, None
            yield from ((benchmark, str(kind)) for kind in sorted(set(results.kinds(benchmark)) - {""}))


def means_of(results: Results) -> Iterator[Mean]:
    """Average over the videos of every group."""
    for benchmark, kind in groups(results):
        chosen = results.kinds(benchmark) == kind if kind else np.full(len(results.kinds(benchmark)), True)
        units = results.videos(benchmark)[chosen]
        for method in results.measured(benchmark):
            seeds = results.seeded[method][benchmark]
            each = [float(unit_means(s["psnr"].to_numpy(np.float64)[chosen], units).mean()) for s in seeds]
            own = {m: results.values(method, benchmark, m)[chosen] for m in METRICS}
            values = {m: float(unit_means(column, units).mean()) for m, column in own.items()}
            yield Mean(
                benchmark=benchmark,
                kind=kind or "",
                videos=len(set(units)),
                clips=len(units),
                method=method,
                seeds=len(seeds) if method in results.config.ablations else 0,
                spread=max(each) - min(each) if len(each) > 1 else math.nan,
                **values,
            )


def differences_of(results: Results) -> Iterator[Difference]:
    """Compare as params.yaml declares, wherever both have been measured."""
    for benchmark, kind in groups(results):
        measured = results.measured(benchmark)
        pairs = [
            c for c in results.config.report.comparisons if c.method in measured and c.against in measured
        ]
        for metric in METRICS:
            columns = [gains(results, benchmark, metric, c.method, c.against, kind) for c in pairs]
            found = describe(results, columns, "reference", benchmark, kind or "", metric)
            for comparison, effect in zip(pairs, found, strict=True):
                yield Difference(
                    family=comparison.family,
                    method=comparison.method,
                    against=comparison.against,
                    benchmark=benchmark,
                    kind=kind or "",
                    metric=metric,
                    videos=effect.n,
                    mean=effect.mean,
                    low=effect.low,
                    high=effect.high,
                )


def means_table(means: Sequence[Mean]) -> str:
    """Lay PSNR / SSIM out: a row per group, a column per method."""
    methods = list(dict.fromkeys(mean.method for mean in means))
    lines = [_line("benchmark", "videos (clips)", *methods), "| --- | ---: |" + " ---: |" * len(methods)]
    for key in dict.fromkeys((mean.benchmark, mean.kind) for mean in means):
        own = {mean.method: mean for mean in means if (mean.benchmark, mean.kind) == key}
        first = next(iter(own.values()))
        cells = [f"{own[m].psnr:.2f} / {own[m].ssim:.3f}" if m in own else "" for m in methods]
        lines.append(_line(_named(*key), f"{first.videos} ({first.clips})", *cells))
    return "\n".join(["PSNR in dB / SSIM, means over videos", "", *lines, ""])


def differences_table(differences: Sequence[Difference]) -> str:
    """Lay the differences of PSNR out: a row per group, a column per pair; bold: the interval excludes 0."""
    own = [each for each in differences if each.metric == "psnr"]
    pairs = list(dict.fromkeys((each.method, each.against) for each in own))
    titles = [f"{method} − {against}" for method, against in pairs]
    lines = [_line("benchmark", "videos", *titles), "| --- | ---: |" + " ---: |" * len(pairs)]
    for key in dict.fromkeys((each.benchmark, each.kind) for each in own):
        row = {(e.method, e.against): e for e in own if (e.benchmark, e.kind) == key}
        videos = next(iter(row.values())).videos
        lines.append(_line(_named(*key), str(videos), *(_cell(row.get(pair)) for pair in pairs)))
    return "\n".join(["PSNR in dB: mean over videos [95 % bootstrap interval]", "", *lines, ""])


def _cell(difference: Difference | None) -> str:
    if difference is None:
        return ""
    mean = f"{difference.mean:+.2f}"
    if math.isnan(difference.low):
        return mean
    text = f"{mean} [{difference.low:+.2f}, {difference.high:+.2f}]"
    return f"**{text}**" if difference.low > 0 or difference.high < 0 else text


def _named(benchmark: str, kind: str) -> str:
    return f"{benchmark}: {kind}" if kind else benchmark


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _write_csv(path: Path, kind: type[Any], rows: Sequence[Any]) -> None:
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(kind)], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({name: _value(value) for name, value in asdict(row).items()})


def _value(value: Any) -> Any:
    if not isinstance(value, float):
        return value
    return "" if math.isnan(value) else round(value, PLACES)
