"""The table of what the documents claim that training takes, beside what it was measured to take."""

from lift.report.measured import COMMAND, FOLDER, PARTS
from lift.report.results import Results
from lift.report.tables.table import Cell, Column, Table

_ROWS = (  # measurement, what it is, claimed memory, claimed speed: specification section 9
    ("forward", "forward, 15 frames", "0.65 GB", "10–15 frames/s"),
    ("forward_no_s1", "forward, 15 frames, no s1", "", ""),
    ("training", "training, 15 frames", "3–4 GB", "13 samples/s"),
    ("training_no_s1", "training, 15 frames, no s1", "2–3 GB", ""),
    ("training_checkpointed", "training, 15 frames, recomputed", "", ""),
    ("training_64", "training, 64 frames in windows of 8", "8–12 GB", ""),
    ("training_64_full", "training, 64 frames, full attention", "", ""),
    ("training_64_no_s1", "training, 64 frames in windows of 8, no s1", "", ""),
    ("training_64_checkpointed", "training, 64 frames in windows of 8, recomputed", "", ""),
)
MISSING = "not measured"


def memory(results: Results) -> Table | None:
    """Return claimed and measured memory and speed; None where nothing was measured."""
    steps = results.timings.steps
    if not steps:
        return None
    rows = []
    for key, what, claimed, speed in _ROWS:
        row, step = [Cell(text=what), Cell(text=claimed or "–"), Cell(text=speed or "–")], steps.get(key)
        if step is None:
            rows.append([*row, *(Cell(text=MISSING) for _ in range(3 + len(PARTS)))])
        else:
            rate = Cell(value=step.batch / step.seconds)
            parts = [Cell(value=step.kept[p]) if p in step.kept else Cell(text="–") for p in PARTS]
            rows.append([*row, Cell(value=step.batch), Cell(value=step.gib), rate, *parts])
    sizes = sorted({f"{step.crop}×{step.crop}" for step in steps.values()})
    return Table(
        name="memory",
        caption="What the documents claim of the specification's model, and what was measured on a CPU "
        "(random frames)",
        columns=[
            Column(key="what", title="What", numeric=False),
            Column(key="claimed_memory", title="Claimed memory", numeric=False),
            Column(key="claimed_speed", title="Claimed speed (RTX 4080)", numeric=False),
            Column(key="batch", title="Batch, CPU", digits=0),
            Column(key="gib", title="Measured memory, CPU (GiB)", digits=2),
            Column(key="samples", title="Measured samples/s, CPU", digits=3),
            *(Column(key=f"kept_{part}", title=f"Kept by the {part} (GiB)", digits=2) for part in PARTS),
        ],
        rows=rows,
        notes=[
            f"Frames of {', '.join(sizes)} pixels, single precision; claims: batch 4 (for 64 frames the "
            "documents name none). Recomputed: encoder and transformer (train.recompute). Kept: for the "
            "backward pass, by part. Memory: growth of the process at its peak over one pass or step, with "
            "what operations need inside; time: the processor's own, without other programs'.",
            f"CPU: {'; '.join(dict.fromkeys(step.where for step in steps.values()))}. The row of a CUDA GPU "
            "is missing, as none could be had; the claimed speeds are of one and remain unchecked.",
            f"Measured by `{COMMAND} memory`, apart from the pipeline: times differ from run to run.",
        ],
        sources=[f"{FOLDER.as_posix()}/memory.csv"],
    )
