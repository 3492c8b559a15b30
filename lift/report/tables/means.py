"""Tables of means: metrics by benchmark and by difficulty, of prediction, of the weights α; the clip sets.

Means are over clips, the field's convention and that of metrics.json; the interval beside them is over source
videos, whose clips are resampled together.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lift.report import texts
from lift.report.comparisons import describe
from lift.report.reading import read_alpha
from lift.report.results import Results, clip_mean_parts
from lift.report.tables.table import Column, Row, Table, interval, table
from lift.report.texts import DIFFICULTIES, METRICS, MISSING, NONE, TWO_FRAMES


def of_benchmark(results: Results, benchmark: str) -> Table | None:
    """Return every metric of every declared method; one without results is a row that says so."""
    metrics = [
        m for m in METRICS.values() if any(results.has(own, benchmark, m.key) for own in results.methods)
    ]
    keys = [m.key for m in metrics]
    spreads = _spreads(results, benchmark, keys)
    rows = [
        _start(results, method, benchmark)
        | {key: results.mean(method, benchmark, key) for key in keys if results.has(method, benchmark, key)}
        | spreads.get(method, {})
        for method in results.methods
    ]
    return table(
        "results",
        results,
        rows,
        columns={"metrics": [Column(m.key, f"{m.named} {m.arrow}", m.digits, m.better) for m in metrics]},
        block=_published(results, benchmark, f"results_{benchmark}", results.title(benchmark)),
        benchmark=benchmark,
        spread=bool(spreads),
    )


def by_difficulty(results: Results, benchmark: str = "snu_film") -> Table | None:
    """Return PSNR and SSIM by difficulty of SNU-FILM; None where nothing was measured."""
    if benchmark not in results.config.benchmarks or not results.measured(benchmark):
        return None
    kinds = results.kinds(benchmark)
    present = [kind for kind in DIFFICULTIES if (kinds == kind).any()]
    pairs = [(METRICS[key], kind) for key in ("psnr", "ssim") for kind in present]
    rows = [
        _start(results, method, benchmark)
        | {
            f"{m.key}_{kind}": results.values(method, benchmark, m.key)[kinds == kind].mean()
            for m, kind in pairs
            if results.has(method, benchmark, m.key)
        }
        for method in results.methods
    ]
    metrics = [Column(f"{m.key}_{k}", f"{m.title} {k} {m.arrow}", m.digits, m.better) for m, k in pairs]
    title = f"{results.title(benchmark)} by difficulty"
    return table(
        "difficulty",
        results,
        rows,
        columns={"metrics": metrics},
        block=_published(results, benchmark, f"{benchmark}_difficulty", title),
        benchmark=benchmark,
        sizes=", ".join(f"{kind} {int((kinds == kind).sum())}" for kind in present),
    )


def _start(results: Results, method: str, benchmark: str) -> Row:
    row = results.named(method) | {"sampling": results.sampling(method, benchmark), "weights": "none"}
    if method in results.config.models:
        row["weights"] = "trained here" if method in results.config.ablations else "released"
    frame = results.frame(method, benchmark)
    if frame is None:
        row["absent"] = MISSING
    elif not results.narrow(method):
        least, most = int(frame["context"].min()), int(frame["context"].max())
        if least < len(results.configs[method].clip.offsets):  # the benchmark's videos have fewer
            mean = "" if least == most else f"–{most}, mean {frame['context'].mean():.1f}"
            row["window"] = f"{row['window']}, here {least}{mean}"
    return row


def _spreads(results: Results, benchmark: str, metrics: Sequence[str]) -> dict[str, Row]:
    """Return the interval of each method's mean over clips, of every metric; none where videos are few.

    It would be far wider than the values can be, and no narrower one has its coverage.
    """
    if results.many(benchmark) < results.config.report.least_interval:
        return {}
    asked = [
        (m, key) for m in results.measured(benchmark) for key in metrics if results.has(m, benchmark, key)
    ]
    units, found = results.videos(benchmark), dict[str, Row]()
    columns = (clip_mean_parts(results.values(method, benchmark, key), units) for method, key in asked)
    for (method, key), effect in zip(asked, describe(results, *columns), strict=True):
        found.setdefault(method, {}).update(interval(key, effect))
    return found


def _published(results: Results, benchmark: str, name: str, ours: str) -> Table | None:
    """Return what others published, as a block below the table `name`, which is titled `ours`.

    Other training and protocols: no common ranks, and not shown beside stand-ins, where comparing would mean
    nothing. published.yaml has each row with its source and protocol (protocols section 2).
    """
    published = texts.read("published.yaml")
    rows = published["tables"].get(name, ())
    if results.stand_in(benchmark) or results.stand_in("train"):
        return None
    protocols = {key: chr(ord("a") + i) for i, key in enumerate(dict.fromkeys(r["protocol"] for r in rows))}
    sources = {key: str(i) for i, key in enumerate(dict.fromkeys(r["source"] for r in rows), 1)}
    numbers = [Column(**one) for one in texts.part("tables")["published"]["numbers"]]
    shown = [
        row
        | {"method_shown": row["method"] + (f" {TWO_FRAMES}" if row["frames"] == 2 else "")}
        | {"protocol": protocols[row["protocol"]], "source": sources[row["source"]]}
        for row in rows
    ]
    return table(
        "published",
        results,
        shown,
        columns={"numbers": [column for column in numbers if any(column.key in row for row in rows)]},
        below=name,
        ours=ours,
        protocols=protocols,
        cited=sources,
        known=published,
    )


def prediction(predictions: Results, benchmark: str) -> Table | None:
    """Return PSNR at each horizon, and MS-SSIM and LPIPS averaged up to it, of every declared method.

    Prediction (specification section 8) is never mixed with the rest.
    """
    ahead = range(1, predictions.config.benchmarks[benchmark].horizons + 1)
    psnr, lpips = METRICS["psnr"], METRICS["lpips"]
    columns = [
        *(Column(f"psnr_{k}", f"{psnr.title} +{k} {psnr.arrow}", psnr.digits, 1) for k in ahead),
        *(Column(f"ms_ssim_to_{k}", f"MS-SSIM ≤{k} {psnr.arrow}", 4, 1) for k in ahead),
        *(Column(f"lpips_to_{k}", f"{lpips.title} ≤{k} {lpips.arrow}", lpips.digits, -1) for k in ahead),
    ]
    rows = []
    for method in predictions.methods:
        row, frame = predicting(predictions, method), predictions.frame(method, benchmark)
        rows.append(row | {"task": "predict"})  # all are given the same
        if frame is None:
            rows[-1]["absent"] = MISSING
            continue
        means = frame.groupby("horizon")[["psnr", "ms_ssim", "lpips"]].mean().reindex(ahead)
        # A mean up to k needs all that come before; a mode may not reach them.
        upto = means.expanding().mean().where(means.notna().astype(int).cummin() > 0)
        parts = {"psnr": means["psnr"], "ms_ssim_to": upto["ms_ssim"], "lpips_to": upto["lpips"]}
        for start, values in parts.items():
            rows[-1] |= {f"{start}_{k}": value for k, value in values.dropna().to_dict().items()}
    return table("prediction", predictions, rows, columns={"horizons": columns}, benchmark=benchmark)


def predicting(predictions: Results, method: str) -> Row:
    """Return the first cells of the row of a method that predicts: its name, window and mode."""
    if method not in predictions.config.models:
        return {"method": method, "window": "1" if method == "last" else "2", "mode": NONE}
    clip = predictions.configs[method].clip
    return {"method": method, "window": str(clip.before), "mode": clip.mode}


def entropies(table: pd.DataFrame) -> pd.DataFrame:
    """Return what the weights of each clip and training seed come to, of one method's table of `read_alpha`.

    The entropy of α, −Σ α ln α, is ln n where all n frames weigh the same and 0 where one has all the weight;
    its exponential is how many equally weighted frames would have as much (Hill, "Diversity and Evenness",
    Ecology 1973).

    Returns:
        One row for each benchmark, clip and seed: `frames` (n), `share` (entropy over ln n; 1: all alike),
        `effective` (its exponential, frames), `references` (α of the frames at offsets −1 and +1 together).
    """
    alpha = table["alpha"]
    terms = table.assign(
        entropy=-alpha * np.log(alpha.where(alpha > 0, 1)),
        references=alpha.where(table["offset"].abs() == 1, 0),
    )
    found = terms.groupby(["benchmark", "clip", "seed"], dropna=False).agg(
        frames=("alpha", "size"), entropy=("entropy", "sum"), references=("references", "sum")
    )
    found["share"] = (found["entropy"] / np.log(found["frames"])).where(found["frames"] > 1, 1.0)
    return found.assign(effective=np.exp(found["entropy"])).reset_index()


def alpha(results: Results) -> Table | None:
    """Return the entropy of α against equal weights, by method and population; None: no method has any."""
    rows: list[Row] = []
    base: dict[str, Row] = {}
    for method, found in read_alpha(results).items():
        means = entropies(found).groupby("benchmark").mean(numeric_only=True)
        for benchmark in (name for name in results.populations if name in means.index):
            own = means.loc[benchmark]
            row: Row = {"frames": own["frames"], "entropy": 100 * own["share"], "equal": 200 / own["frames"]}
            row |= {"effective": own["effective"], "references": 100 * own["references"]}
            rows.append(results.named(method) | {"benchmark": results.title(benchmark)} | row)
            if method == results.base:
                base[benchmark] = row
    return table("alpha", results, rows, base=base)


def data(results: Results) -> Table | None:
    """Return what each clip set is, so that whoever has the same files can tell."""
    rows: list[Row] = []
    for name, procedural in results.procedural.items():
        rules = results.protocols.get(name, {})
        size = results.sizes[name]
        footage = ("procedural" if procedural else "the data set's own") if size else "no clips in this run"
        row: Row = {"set": name, "footage": "not given" if name in results.absent else footage}
        row |= {"clips": size} if size else {}
        if results.measured(name):
            row |= {"clips": len(results.videos(name)), "videos": results.many(name)}
            row["manifest"] = rules.get("clips", NONE)
            row["protocol"] = f"{rules['protocol']}; sampling: {rules['sampling']}"
        rows.append(row)
    return table("data", results, rows, results.procedural)
