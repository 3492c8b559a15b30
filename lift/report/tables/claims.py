"""Tables of claims beside what was measured, and of what the thesis' trainings would cost."""

from collections.abc import Mapping

from lift.config import Config
from lift.report import measured
from lift.report.comparisons import describe, gains
from lift.report.names import METRICS, NONE, listing, narrow, number
from lift.report.results import Results
from lift.report.tables.results import percent, sources, title
from lift.report.tables.table import Cell, Column, Table
from lift.report.weights import entropies, read_weights

SPECIFIED = "lift15"
"""The specification's own model, of which the claims are."""
_PIXELS = 256 * 448  # of the frame for which operations are counted
_STEP = 3  # forward, and twice that backward
_OPERATIONS = 2  # per multiply-accumulate
_TARGETS = (("psnr", "PSNR > 30 dB", 30.0), ("ssim", "SSIM > 0.9", 0.9), ("lpips", "LPIPS < 0.1", 0.1))
_MEMORY = (
    ("forward", "memory of a forward pass, batch 4, 256 × 256", "0.4–0.65 GB"),
    ("training", "memory of training, 15 frames, with s1", "3–4 GB"),
    ("training_no_s1", "memory of training, 15 frames, without s1", "2–3 GB"),
    ("training_64", "memory of training, 64 frames", "8–12 GB"),
)


def claims(results: Results, whole: measured.Measured) -> Table | None:
    """Return each claim beside its measurement.

    Args:
        results: What was measured by the pipeline.
        whole: Costs at the specification's widths.
    """
    base, report = results.base, results.config.report
    if not results.populations:
        return None
    rows: list[tuple[str, str, str, str]] = []
    specified, steps = whole.frames.get(SPECIFIED), results.timings.steps
    if specified:
        millions = number(specified.parameters / 1e6, 1)
        rows.append(("parameters of the specification's model", "15–20 M", f"{millions} M", "counted"))
    for key, what, claimed in _MEMORY:
        if key in steps:
            rows.append(
                (what, claimed, f"{steps[key].gib:.2f} GiB, batch {steps[key].batch}", steps[key].where)
            )
    for key, what, _ in _TARGETS:
        rows.append(
            (what, what.split(" ", 1)[1], _values(results, key), f"{results.called(base)}, mean over clips")
        )
    over = next(iter(report.strips), base)
    if over != base:
        told = []
        for name in results.populations:
            if all(results.has(m, name, "psnr") for m in (base, over)):
                (effect,) = describe(
                    results, [gains(results, name, "psnr", base, over)], "gain", name, base, over
                )
                ends = f"[{number(effect.low, 2, True)}, {number(effect.high, 2, True)}]"
                told.append(f"{title(results, name)} {number(effect.mean, 2, True)} {ends}")
        rows.append(
            (
                "gain over RIFE",
                "+1 to +2 dB",
                "; ".join(told),
                f"{results.called(base)} over {results.called(over)}",
            )
        )
    frame = results.timings.frames.get(base)
    if frame:
        rate = number(1000 / frame.milliseconds, 2)
        rows.append(
            (
                "speed, frames/s",
                "10–15 on an RTX 4080",
                f"{rate} at 256 × 448",
                f"{results.called(base)}, {frame.where}",
            )
        )
    rows += _alpha(results)
    rows.append(
        (
            "full-resolution features (s1) sharpen edges",
            "yes",
            "not measured",
            "no trained pair with and without s1 is released; what is on RIFE and not learnt has neither "
            "s1 nor attention",
        )
    )
    return Table(
        name="claims",
        caption="What the sources claim of LIFT, and what was measured",
        columns=[
            Column(key=k, title=k.capitalize(), numeric=False) for k in ("what", "claimed", "measured", "of")
        ],
        rows=[[Cell(text=text) for text in row] for row in rows],
        notes=[
            f"Claims: specification section 9 and the sources' targets. Intervals: {percent(results)}, "
            f"over videos. Memory and "
            f"time: `{measured.COMMAND}`, apart from the pipeline. No GPU of the claims' kind could be had.",
        ],
        sources=[*sources(results, [base, over]), f"{measured.FOLDER.as_posix()}/models.csv"],
    )


def _values(results: Results, key: str) -> str:
    told = [
        f"{title(results, name)} "
        f"{number(float(results.values(results.base, name, key).mean()), METRICS[key].digits)}"
        for name in results.populations
        if results.has(results.base, name, key)
    ]
    return "; ".join(told) or NONE


def _alpha(results: Results) -> list[tuple[str, str, str, str]]:
    told = []
    for method in (m for m in results.methods if results.rows.get(m) and not narrow(results.configs, m)):
        found = entropies(read_weights(results, method))
        if len(found):
            told.append(f"{results.called(method)} {number(100 * float(found['share'].mean()), 1)} %")
    what = "α weighs frames by their use (entropy, of equal weights' 100 %)"
    return [(what, "learnt, not equal", listing(told), "mean over all clips")] if told else []


def thesis(
    results: Results, whole: measured.Measured, planned: tuple[Config, Mapping[str, Config]]
) -> Table | None:
    """Return what the trainings of the thesis profile would cost, one seed each.

    Args:
        results: For what the report reckons with (`report.whole`), and names.
        whole: Operations of each model at the specification's widths.
        planned: The thesis profile, and its methods that have a model.
    """
    rules, (base, configs) = results.config.report.whole, planned
    hours = {
        name: _hours(
            configs[name], whole.frames[name].gmacs, rules.samples, 1e12 * rules.tflops * rules.share
        )
        for name in base.ablations
        if name in whole.frames and configs[name].clip.task == "interpolate"
    }
    if not hours:
        return None
    main = {name: hours[name] for name in rules.main if name in hours}
    rows = [
        [
            Cell(text=results.called(name), key=name),
            Cell(value=whole.frames[name].parameters / 1e6),
            Cell(value=whole.frames[name].gmacs),
            Cell(value=value),
            Cell(text="yes" if name in main else ""),
        ]
        for name, value in hours.items()
    ]
    for what, group in ((f"the main {len(main)}", main), (f"all {len(hours)}", hours)):
        rows.append(
            [Cell(text=what), Cell(text=""), Cell(text=""), Cell(value=sum(group.values())), Cell(text="")]
        )
    epochs = ", ".join(f"{p.epochs} at {p.crop[0]} × {p.crop[1]}" for p in base.train.phases)
    return Table(
        name="thesis",
        caption="What the thesis' trainings would cost, one seed each",
        columns=[
            Column(key="method", title="Method", numeric=False),
            Column(key="parameters", title="Parameters (M)", digits=1),
            Column(key="gmacs", title="GMACs, 256 × 448", digits=1),
            Column(key="hours", title="Hours", digits=0),
            Column(key="main", title="Main", numeric=False),
        ],
        rows=rows,
        notes=[
            f"Arithmetic, not measured: {epochs} epochs of {rules.samples:,} clips, {_STEP} × "
            f"{_OPERATIONS} operations per "
            f"multiply-accumulate, on a GPU of {rules.tflops:g} × 10^12 operations per second of which "
            f"{100 * rules.share:g} % "
            "are reached. Frozen phases are counted as whole ones; losses, validation and teachers are not "
            "counted.",
            f"Disk: {rules.samples * rules.clip_mb / 1000:.0f} GB for the clips that train, beside the "
            f"data sets themselves "
            "(docs/data.md); a model and its newest checkpoints take under 1 GB.",
        ],
        sources=[f"{measured.FOLDER.as_posix()}/models.csv"],
    )


def _hours(config: Config, gmacs: float, samples: int, rate: float) -> float:
    visited = sum(p.epochs * p.crop[0] * p.crop[1] for p in config.train.phases) * samples
    return visited / _PIXELS * gmacs * 1e9 * _STEP * _OPERATIONS / rate / 3600
