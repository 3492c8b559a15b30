"""The files of a method's results: a row per clip and training seed, their means, context α, and probes.

Numbers are rounded to significant digits once, when a row is made: what clips.csv says is what metrics.json
averages.
"""

import csv
import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from lift.errors import UserError
from lift.files import atomic, write_json
from lift.metrics import Means

DIGITS = 7  # significant, of clips.csv and alpha.csv: float32's, in which networks compute
DECIMALS = 6  # of metrics.json
METRICS = (
    "psnr", "ssim", "ssim_matlab", "lpips", "ie", "ie_rms", "ie_edges", "ie_occluded", "warping", "epe",
    "occluded",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What was measured on one clip with one seed; the fields are the first columns of clips.csv."""

    benchmark: str
    clip: str
    video: str
    group: str
    """The recording that the video was cut from."""
    kind: str
    """Difficulty or kind of scene; empty where the benchmark has none."""
    motion: float
    """Mean absolute difference of the missing frame's two neighbours, 0-255."""
    seed: int | None
    """Seed of the training that the method comes from; None: a method without training."""
    context: int
    """Context frames that the method was given."""

    def __post_init__(self) -> None:
        """Round every number to DIGITS."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float):
                object.__setattr__(self, field.name, float(f"{value:.{DIGITS}g}"))


@dataclass(frozen=True, kw_only=True)
class Row(Measured):
    """An interpolated frame's results; the fields are the columns of clips.csv. None: an empty cell."""

    psnr: float
    """dB."""
    ssim: float
    ssim_matlab: float
    lpips: float
    ie: float
    """Mean absolute error, 0-255."""
    ie_rms: float
    """Root mean squared error, 0-255."""
    ie_edges: float
    """Mean absolute error where the truth's brightness is steepest, 0-255."""
    ie_occluded: float | None
    """Mean absolute error where a reference does not show what the truth shows, 0-255; None: no truth."""
    warping: float | None
    """Mean absolute error of the warped references, 0-255; None: the method has no flow."""
    epe: float | None
    """Mean end-point error where visible, pixels; None: no flow or no truth."""
    occluded: float | None
    """True share of pixels hidden in a reference; None: no truth."""


@dataclass(frozen=True, kw_only=True)
class Alpha:
    """The weight α of one context frame of one clip; the fields are the columns of alpha.csv."""

    benchmark: str
    clip: str
    kind: str
    seed: int | None
    offset: int
    alpha: float


@dataclass(frozen=True, kw_only=True)
class Probe(Measured):
    """One clip under one probe (`lift/evaluation/probes.py`); the fields are the columns of probes.csv."""

    probe: str
    whole: float
    """PSNR of the frame from the whole window, dB."""
    psnr: float
    """PSNR of the frame under the probe, dB."""
    moved: float
    """Mean absolute difference of the two frames, 0-255: 0.5 is what rounding to bytes can hide."""


def labels(benchmark: str, seed: int | None, entry: Any, sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of `Measured`.

    Args:
        benchmark: Its name.
        seed: Of the training.
        entry: The clip's row of the manifest.
        sample: The clip as the method was given it.
    """
    own = {key: getattr(entry, key) for key in ("clip", "video", "group", "kind", "motion")}
    return {"benchmark": benchmark, **own, "seed": seed, "context": int(sample["valid"].sum())}


def shares(row: Measured, sample: Mapping[str, Any], alpha: Any) -> list[Alpha]:
    """Return the rows of α (T,) of a measured clip's present frames; none where the method has no α."""
    if alpha is None:
        return []
    own = {key: getattr(row, key) for key in ("benchmark", "clip", "kind", "seed")}
    given = (values.tolist() for values in (sample["offsets"], sample["valid"], alpha))
    return [
        Alpha(**own, offset=round(offset), alpha=share)
        for offset, valid, share in zip(*given, strict=True)
        if valid
    ]


def kept(folder: Path, benchmarks: Collection[str]) -> tuple[list[Row], list[Alpha]]:
    """Read the rows of some benchmarks that an earlier evaluation left in `folder`; none where it left none.

    Raises:
        UserError: The files there are not of this version.
    """
    found: list[list[Any]] = []
    for name, kind in (("clips.csv", Row), ("alpha.csv", Alpha)):
        path = folder / name
        types = get_type_hints(kind)
        try:
            with path.open(newline="", encoding="utf-8") as file:
                read = [row for row in csv.DictReader(file) if row["benchmark"] in benchmarks]
            found.append([kind(**{key: _parsed(row[key], types[key]) for key in types}) for row in read])
        except FileNotFoundError:
            found.append([])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: not a table of this version ({error!r}); delete the folder") from error
    return found[0], found[1]


def _parsed(text: str, kind: Any) -> Any:
    if get_origin(kind) is None:
        return kind(text)
    return get_args(kind)[0](text) if text else None  # of what may be absent


def write_results(
    folder: Path,
    rows: Sequence[Row],
    alphas: Sequence[Alpha],
    model: Mapping[str, float] | None = None,
    probes: Sequence[Probe] = (),
) -> dict[str, dict[str, float]]:
    """Write clips.csv, alpha.csv, probes.csv and metrics.json; equal results give equal bytes.

    Args:
        folder: Where they go.
        rows: Of all benchmarks and seeds.
        alphas: The same.
        model: What the model costs (cost.py), kept as `model` in metrics.json; None: there is no model.
        probes: The same as rows; of a method without any the file has a head alone.

    Returns:
        What metrics.json says.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    means = summary(rows)
    if model is not None:
        means["model"] = dict(model)
    write_files(folder, Row, rows, alphas, means, probes)
    return means


def write_files(
    folder: Path,
    kind: type[Any],
    rows: Sequence[Any],
    alphas: Sequence[Alpha],
    means: Mapping[str, Mapping[str, float]],
    probes: Sequence[Probe] = (),
) -> None:
    """Write clips.csv, of rows of the dataclass `kind`, alpha.csv, probes.csv and metrics.json."""
    _write_csv(folder / "clips.csv", kind, rows)
    _write_csv(folder / "alpha.csv", Alpha, alphas)
    _write_csv(folder / "probes.csv", Probe, probes)
    write_json(folder / "metrics.json", means, indent=2)


def summary(rows: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Average per-clip values by benchmark, and by `<benchmark>_<kind>` where there are kinds.

    Every seed has every clip, so that these are also the means over seeds of each one's mean.

    Returns:
        For each group clips, videos, seeds (how many) and the mean of every metric that has values.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.benchmark, []).append(row)
        if row.kind:
            groups.setdefault(f"{row.benchmark}_{row.kind}", []).append(row)
    return {name: _averages(group) for name, group in sorted(groups.items())}


def _averages(rows: Sequence[Row]) -> dict[str, float]:
    means = Means()
    for row in rows:
        means.update({metric: getattr(row, metric) for metric in METRICS})
    averages = {metric: round(mean, DECIMALS) for metric, mean in means.compute().items()}
    counts = {
        "clips": len({row.clip for row in rows}),
        "videos": len({row.video for row in rows}),
        "seeds": len({row.seed for row in rows}),
    }
    return {**counts, **averages}


def _write_csv(path: Path, kind: type[Any], rows: Sequence[Any]) -> None:
    columns = [field.name for field in dataclasses.fields(kind)]
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_cell(getattr(row, column)) for column in columns] for row in rows)


def _cell(value: Any) -> Any:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else value  # csv writes None as an empty cell
