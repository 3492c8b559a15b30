"""The files of a method's results: a row per clip and training seed, their means, context α, probes, rules.

Numbers are rounded to significant digits once, when a row is made: what clips.csv says is what metrics.json
averages.
"""

import csv
import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lift import metrics
from lift.config import Benchmark
from lift.errors import UserError
from lift.files import atomic, write_json

DIGITS = 7  # significant, of clips.csv and alpha.csv: float32's, in which networks compute
DECIMALS = 6  # of metrics.json
SHA_DIGITS = 16  # of the manifest's SHA-256: 64 bits tell any two manifests apart
Row = dict[str, Any]
"""A line of a file, by its columns; None: an empty cell."""
Means = dict[str, dict[str, float]]

CLIP = (
    "benchmark",
    "clip",
    "video",
    "group",  # the recording that the video was cut from
    "kind",  # difficulty or kind of scene; empty where the benchmark has none
    "motion",  # mean absolute difference of the missing frame's two neighbours, 0-255
    "seed",  # of the training that the method comes from; none of a method without training
    "context",  # frames that the method was given
)
METRICS = (
    "psnr",  # dB
    "ssim",
    "ssim_matlab",
    "lpips",
    "ie",  # mean absolute error, 0-255
    "ie_rms",  # root mean squared error, 0-255
    "ie_edges",  # mean absolute error where the truth's brightness is steepest, 0-255
    "ie_occluded",  # the same where a reference does not show what the truth shows; none without a truth
    "warping",  # mean absolute error of the warped references, 0-255; none without a flow
    "epe",  # mean end-point error where visible, pixels; none without a flow or a truth
    "occluded",  # true share of pixels hidden in a reference; none without a truth
)
INTERPOLATED = (*CLIP, *METRICS)
"""Columns of clips.csv."""
AHEAD = ("psnr", "ssim", "ms_ssim")
RUNNING = ("ms_ssim", "lpips")
"""Metrics of which the rule of prediction averages the horizons up to each."""
PREDICTED = (*CLIP, "horizon", *AHEAD, "lpips")
"""The same of prediction; horizon: how many frames after the last given one a frame lies."""
ALPHA = ("benchmark", "clip", "kind", "seed", "offset", "alpha")
"""Columns of alpha.csv: α of one context frame of one clip."""
PROBES = (
    *CLIP,
    "probe",
    "whole",  # PSNR of the frame from the whole window, dB
    "psnr",  # PSNR of the frame under the probe, dB
    "moved",  # mean absolute difference of the two, 0-255: 0.5 is what rounding to bytes can hide
)
"""Columns of probes.csv (`lift/evaluation/probes.py`)."""
WORDS = ("benchmark", "clip", "video", "group", "kind")
WHOLE = ("seed", "context", "offset")


def rounded(row: Row) -> Row:
    """Return a row with every number rounded to DIGITS."""
    return {k: float(f"{v:.{DIGITS}g}") if isinstance(v, float) else v for k, v in row.items()}


def labels(benchmark: str, seed: int | None, entry: Any, sample: Mapping[str, Any]) -> Row:
    """Return the columns CLIP.

    Args:
        benchmark: Its name.
        seed: Of the training.
        entry: The clip's row of the manifest.
        sample: The clip as the method was given it.
    """
    own = {key: getattr(entry, key) for key in ("clip", "video", "group", "kind", "motion")}
    return {"benchmark": benchmark, **own, "seed": seed, "context": int(sample["valid"].sum())}


def shares(row: Row, sample: Mapping[str, Any], alpha: Any) -> list[Row]:
    """Return the rows of α (T,) of a measured clip's present frames; none where the method has no α."""
    if alpha is None:
        return []
    own = {key: row[key] for key in ("benchmark", "clip", "kind", "seed")}
    given = (values.tolist() for values in (sample["offsets"], sample["valid"], alpha))
    return [
        {**own, "offset": round(offset), "alpha": share}
        for offset, valid, share in zip(*given, strict=True)
        if valid
    ]


def kept(folder: Path, benchmarks: Collection[str]) -> tuple[list[Row], list[Row]]:
    """Read the rows of some benchmarks that an earlier evaluation left in `folder`; none where it left none.

    Raises:
        UserError: The files there are not of this version, or alpha.csv is missing beside rows that stay.
    """
    found: list[list[Row]] = []
    for path, columns in ((folder / "clips.csv", INTERPOLATED), (folder / "alpha.csv", ALPHA)):
        try:
            with path.open(newline="", encoding="utf-8") as file:
                read = [row for row in csv.DictReader(file) if row["benchmark"] in benchmarks]
            found.append([{key: _parsed(key, row[key]) for key in columns} for row in read])
        except FileNotFoundError as error:
            if any(found):  # as an older version left them
                raise UserError(
                    f"{path}: missing, so rows of clips.csv would be kept without their α; restore it, or "
                    "delete the folder to go on without them"
                ) from error
            found.append([])
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{path}: not a table of this version ({error!r}); delete the folder") from error
    return found[0], found[1]


def _parsed(column: str, text: str) -> Any:
    if column in WORDS:
        return text
    if not text:
        return None
    return int(text) if column in WHOLE else float(text)


def write(
    folder: Path,
    rows: Sequence[Row],
    alphas: Sequence[Row],
    probes: Sequence[Row] = (),
    model: Mapping[str, float] | None = None,
) -> Means:
    """Write clips.csv, alpha.csv, probes.csv and metrics.json; equal results give equal bytes.

    Args:
        folder: Where they go.
        rows: Of all benchmarks and seeds.
        alphas: The same; of a method without any the file has a head alone.
        probes: The same.
        model: What the model costs (cost.py), kept as `model` in metrics.json; None: there is no model.

    Returns:
        What metrics.json says.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    means = summary(rows) if model is None else {**summary(rows), "model": dict(model)}
    columns = PREDICTED if any("horizon" in row for row in rows) else INTERPOLATED
    for name, keys, table in (("clips", columns, rows), ("alpha", ALPHA, alphas), ("probes", PROBES, probes)):
        path = folder / f"{name}.csv"
        with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(keys)
            writer.writerows([_cell(row.get(key)) for key in keys] for row in table)
    write_json(folder / "metrics.json", means, indent=2)
    return means


def _cell(value: Any) -> Any:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else value  # csv writes None as an empty cell


def summary(rows: Iterable[Row]) -> Means:
    """Average per-clip values by benchmark, and by `<benchmark>_<kind>` where there are kinds.

    Every seed has every clip, so that these are also the means over seeds of each one's mean.

    Returns:
        For each group clips, videos, seeds (how many) and the mean of every metric that has values. Of
        prediction there are no kinds, but `<metric>_<k>` at horizon k, and `<metric>_to_<k>`, the mean of
        those from 1 to k.
    """
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["benchmark"], []).append(row)
        if row["kind"] and "horizon" not in row:
            groups.setdefault(f"{row['benchmark']}_{row['kind']}", []).append(row)
    return {name: _averages(group) for name, group in sorted(groups.items())}


def _averages(rows: Sequence[Row]) -> dict[str, float]:
    means = metrics.Means()
    for row in rows:
        if "horizon" in row:
            means.update({f"{metric}_{row['horizon']}": row[metric] for metric in (*AHEAD, "lpips")})
        else:
            means.update({metric: row.get(metric) for metric in METRICS})
    values = means.compute()
    for metric in RUNNING:
        total, horizon = 0.0, 1
        while f"{metric}_{horizon}" in values:  # as far as no horizon is missing
            total += values[f"{metric}_{horizon}"]
            values[f"{metric}_to_{horizon}"] = total / horizon
            horizon += 1
    counts = {f"{key}s": len({row[key] for row in rows}) for key in ("clip", "video", "seed")}
    return counts | {key: round(value, DECIMALS) for key, value in values.items()}


def fingerprint(benchmark: Benchmark, manifest: Path, *, ahead: bool = False) -> dict[str, str]:
    """Describe how a benchmark was measured, so that a report can refuse to mix different rules.

    A method's own window and sampling are no part of it, for they are what is compared; a sampling that the
    benchmark forces is. The values are readable: two methods that differ are told in what.

    Args:
        benchmark: Its rules in params.yaml.
        manifest: Its clips.csv, which names every clip and frame.
        ahead: Whether frames were predicted, up to the benchmark's horizon.

    Returns:
        clips (start of the manifest's SHA-256), protocol and sampling ("its own": the method's); of
        prediction the horizon as well.

    Raises:
        UserError: There is no manifest.
    """
    try:
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise UserError(f"{manifest}: not found; run `dvc repro` to build the clips") from error
    return {
        "clips": digest[:SHA_DIGITS],
        "protocol": benchmark.protocol,
        "sampling": benchmark.sampling or "its own",
        **({"horizons": str(benchmark.horizons)} if ahead else {}),
    }


def write_protocol(folder: Path, by_benchmark: Mapping[str, Mapping[str, str]]) -> None:
    """Write protocol.json, each benchmark's `fingerprint`, beside a method's results.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    with atomic(folder / "protocol.json") as temporary:
        text = json.dumps(by_benchmark, indent=1, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
