"""Tables of what models cost: operations, time and memory, and what the thesis' trainings would take."""

import math
from collections.abc import Mapping

from lift.config import Config
from lift.report.measured import COMMAND, MEMORY, MODELS, PARTS, Measured
from lift.report.names import METRICS, MISSING, NONE, TWO
from lift.report.results import Results
from lift.report.tables.results import FRAMES, METHOD
from lift.report.tables.table import Column, Row, Table

SIZE = "256x448"  # height and width of the frame for which operations are shown first: Vimeo-90K's
SIZES = (SIZE, "720x1280")
GMACS = [Column(f"gmacs_{size}", f"GMACs, {size.replace('x', ' × ')} ↓", 2) for size in SIZES]
_AGREEMENT = 1e-5  # relative: both counts are written with six decimals
_STEP = 3  # forward, and twice that backward
_OPERATIONS = 2  # per multiply-accumulate
_CLAIMED = (  # measurement, what it is, claimed memory, claimed speed: specification section 9
    ("forward", "forward, 15 frames", "0.4–0.65 GB", "10–15 frames/s"),
    ("forward_no_s1", "forward, 15 frames, no s1", NONE, NONE),
    ("training", "training, 15 frames", "3–4 GB", "13 samples/s"),
    ("training_no_s1", "training, 15 frames, no s1", "2–3 GB", NONE),
    ("training_checkpointed", "training, 15 frames, recomputed", NONE, NONE),
    ("training_64", "training, 64 frames in windows of 8", "8–12 GB", NONE),
    ("training_64_full", "training, 64 frames, full attention", NONE, NONE),
    ("training_64_no_s1", "training, 64 frames in windows of 8, no s1", NONE, NONE),
    ("training_64_checkpointed", "training, 64 frames in windows of 8, recomputed", NONE, NONE),
)
_UNMEASURED = "not measured"


def compute(results: Results) -> Table | None:
    """Return each model's parameters, operations, time and quality; None where no cost is known."""
    costed = [method for method in results.methods if method in results.costs]
    if not costed:
        return None
    benchmark, psnr = results.config.report.benchmark, METRICS["psnr"]
    size, where, rows = SIZE.replace("x", " × "), dict[str, None](), []
    for method in (*results.config.models, *(m for m in costed if m in results.config.baselines)):
        keys = ["parameters", *(column.key for column in GMACS), "memory", "milliseconds", "psnr"]
        row = results.named(method) | dict.fromkeys(keys, MISSING)
        rows.append(row)
        if (cost := results.costs.get(method)) is None:
            continue
        row |= {**cost, "parameters": cost["parameters"] / 1e6, "memory": NONE, "milliseconds": NONE}
        # Shown only if the model is still the one that was measured; `untrained` is the base's.
        name = method if method in results.config.models else results.base
        if (frame := results.timings.frames.get(name)) is not None:
            same = math.isclose(frame["gmacs_256x448"], cost["gmacs_256x448"], rel_tol=_AGREEMENT)
            if same and frame["parameters"] == cost["parameters"]:
                row |= {"memory": frame["memory_mib"], "milliseconds": frame["milliseconds"]}
                where[frame["where"]] = None
        if results.frame(method, benchmark) is not None:
            row["psnr"] = float(results.values(method, benchmark, "psnr").mean())
    return Table(
        name="compute",
        caption=f"Parameters and operations of each model{results.footage(benchmark)}",
        columns=[
            METHOD,
            FRAMES,
            Column("parameters", "Parameters (M) ↓", 3),
            *GMACS,
            Column("memory", f"Peak memory, {size} (MiB) ↓", 0),
            Column("milliseconds", f"CPU time, {size} (ms) ↓", 0),
            Column("psnr", f"{psnr.heading}, {results.title(benchmark)}", psnr.digits),
        ],
        rows=rows,
        notes=[
            "GMACs: billions of multiply-accumulates of convolutions and matrix products for one frame, "
            "height × width, with all frames of the model's window; parts that only training uses are left "
            "out.",
            "Memory: most that tensors hold at once, weights and input included. Time: the processor's, "
            f"median of a few frames, on: {'; '.join(where) or _UNMEASURED}. Both come from `{COMMAND} "
            f"models`, apart from the pipeline, as a time differs from run to run; {NONE} where that did "
            "not measure this model.",
            f"PSNR: mean over clips of {results.title(benchmark)}. Sampling: each model's own.",
            TWO,
        ],
        sources=[f"results/{m}/{name}" for m in costed for name in ("metrics.json", "clips.csv")]
        + [MODELS.as_posix()],
    )


def memory(results: Results) -> Table | None:
    """Return memory and speed of the specification's model, claimed and measured; None: not measured."""
    steps = results.timings.steps
    if not steps:
        return None
    rows: list[Row] = []
    for key, what, claimed, speed in _CLAIMED:
        row: Row = {"what": what, "claimed_memory": claimed, "claimed_speed": speed}
        kept = [f"kept_{part}" for part in PARTS]
        row |= dict.fromkeys(("batch", "gib", "samples", *kept), _UNMEASURED)
        if (step := steps.get(key)) is not None:
            row |= {name: NONE if math.isnan(step[name]) else step[name] for name in ("batch", "gib", *kept)}
            row["samples"] = step["batch"] / step["seconds"]
        rows.append(row)
    sizes = sorted({f"{step['crop']:.0f}×{step['crop']:.0f}" for step in steps.values()})
    where = dict.fromkeys(step["where"] for step in steps.values())
    return Table(
        name="memory",
        caption="Memory and speed that the sources claim of the specification's model, and what was "
        "measured on a CPU (random frames)",
        columns=[
            Column("what", "What"),
            Column("claimed_memory", "Claimed memory"),
            Column("claimed_speed", "Claimed speed (RTX 4080)"),
            Column("batch", "Batch, CPU", 0),
            Column("gib", "Measured memory, CPU (GiB)", 2),
            Column("samples", "Measured samples/s, CPU", 3),
            *(Column(f"kept_{part}", f"Kept by the {part} (GiB)", 2) for part in PARTS),
        ],
        rows=rows,
        notes=[
            f"Frames of {', '.join(sizes)} pixels, single precision; claims: batch 4 (for 64 frames the "
            "documents name none). Recomputed: encoder and transformer (train.recompute). Kept: for the "
            "backward pass, by part. Memory: growth of the process at its peak over one pass or step, with "
            "what operations need inside; time: the processor's own, without other programs'.",
            f"CPU: {'; '.join(where)}. What a GPU takes stands in the table of claims.",
            f"Measured by `{COMMAND} memory`, apart from the pipeline: times differ from run to run.",
        ],
        sources=[MEMORY.as_posix()],
    )


def thesis(results: Results, whole: Measured, planned: tuple[Config, Mapping[str, Config]]) -> Table | None:
    """Return what the trainings of the thesis profile would cost, one seed each.

    Args:
        results: For what the report reckons with (`report.whole`), and names.
        whole: Operations of each model at the specification's widths.
        planned: The thesis profile, and its methods that have a model.
    """
    rules, (base, configs) = results.config.report.whole, planned
    rows: list[Row] = []
    totals = {"main": [0, 0.0], "all": [0, 0.0]}
    height, width = map(int, SIZE.split("x"))
    for name in base.ablations:
        if name not in whole.frames or configs[name].clip.task != "interpolate":
            continue
        frame, phases = whole.frames[name], configs[name].train.phases
        pixels = sum(p.epochs * p.crop[0] * p.crop[1] for p in phases) * rules.samples
        work = pixels / (height * width) * frame["gmacs_256x448"] * 1e9 * _STEP * _OPERATIONS
        hours = work / (1e12 * rules.tflops * rules.share) / 3600
        for group in ("main", "all") if name in rules.main else ("all",):
            totals[group] = [totals[group][0] + 1, totals[group][1] + hours]
        rows.append(
            {"method": name, "method_shown": results.called(name), "hours": hours}
            | {"parameters": frame["parameters"] / 1e6, "gmacs": frame["gmacs_256x448"]}
            | {"main": "yes" if name in rules.main else ""}
        )
    if not rows:
        return None
    for what, (count, hours) in zip(("the main", "all"), totals.values(), strict=True):
        rows.append({"method": f"{what} {count}", "parameters": "", "gmacs": "", "hours": hours, "main": ""})
    epochs = ", ".join(f"{p.epochs} at {p.crop[0]} × {p.crop[1]}" for p in base.train.phases)
    return Table(
        name="thesis",
        caption="What the thesis' trainings would cost, one seed each",
        columns=[
            METHOD,
            Column("parameters", "Parameters (M)", 1),
            Column("gmacs", "GMACs, 256 × 448", 1),
            Column("hours", "Hours", 0),
            Column("main", "Main"),
        ],
        rows=rows,
        notes=[
            f"Arithmetic, not measured: {epochs} epochs of {rules.samples:,} clips, {_STEP} × {_OPERATIONS} "
            f"operations per multiply-accumulate, on a GPU of {rules.tflops:g} × 10^12 operations per "
            f"second of which {100 * rules.share:g} % are reached. Frozen phases are counted as whole ones; "
            "losses, validation and teachers are not counted.",
            f"Disk: {rules.samples * rules.clip_mb / 1000:.0f} GB for the clips that train, beside the data "
            "sets themselves (docs/data.md); a model and its newest checkpoints take under 1 GB.",
        ],
        sources=[MODELS.as_posix()],
    )
