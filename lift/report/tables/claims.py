"""The table of the sources' claims beside what was measured."""

from collections.abc import Iterator

from lift.report.comparisons import describe, gains
from lift.report.measured import COMMAND, GPU, MODELS, Measured
from lift.report.names import METRICS, NONE, listing, number
from lift.report.results import Results
from lift.report.tables.table import Table, table
from lift.report.weights import entropies, weighted

SPECIFIED = "lift15"
"""The specification's own model, of which the claims are."""
_TARGETS = {"psnr": "> 30 dB", "ssim": "> 0.9", "lpips": "< 0.1"}
_KEYS = ("what", "claimed", "measured", "of")


def claims(results: Results, whole: Measured) -> Table | None:
    """Return each claim beside its measurement; those of memory have a table of their own.

    Args:
        results: What was measured by the pipeline.
        whole: Costs at the specification's widths.
    """
    if not results.populations:
        return None
    rows = [*_quality(results), *_speed(results)]
    if SPECIFIED in whole.frames:
        millions = f"{number(whole.frames[SPECIFIED]['parameters'] / 1e6, 1)} M"
        rows.insert(0, ("parameters of the specification's model", "15–20 M", millions, "counted"))
    shares = {m: 100 * float(entropies(own)["share"].mean()) for m, own in weighted(results).items()}
    if shares:
        what = "α weighs frames by their use (entropy, of equal weights' 100 %)"
        told = listing([f"{results.called(method)} {number(share, 1)} %" for method, share in shares.items()])
        rows.append((what, "learnt, not equal", told, "mean over all clips"))
    why = (
        "no trained pair with and without s1 is released; what is on RIFE and not learnt has neither s1 "
        "nor attention"
    )
    rows.append(("full-resolution features (s1) sharpen edges", "yes", "not measured", why))
    return table(
        "claims",
        results,
        [dict(zip(_KEYS, row, strict=True)) for row in rows],
        [
            *results.sources([results.base, *results.config.report.strips[:1]]),
            MODELS.as_posix(),
            *([GPU.as_posix()] if results.timings.gpu else []),
        ],
        command=COMMAND,
    )


def _quality(results: Results) -> Iterator[tuple[str, str, str, str]]:
    base = results.base
    for key, claimed in _TARGETS.items():
        told = [
            f"{results.title(name)} {number(results.values(base, name, key).mean(), METRICS[key].digits)}"
            for name in results.populations
            if results.has(base, name, key)
        ]
        of = f"{results.called(base)}, mean over clips"
        yield METRICS[key].title, claimed, "; ".join(told) or NONE, of
    for over in results.config.report.strips[:1]:
        told = []
        for name in results.populations:
            if all(results.has(m, name, "psnr") for m in (base, over)):
                gain = gains(results, name, "psnr", base, over)
                (effect,) = describe(results, gain)
                mean, low, high = (number(v, 2, True) for v in (effect.mean, effect.low, effect.high))
                told.append(f"{results.title(name)} {mean} [{low}, {high}]")
        methods = f"{results.called(base)} over {results.called(over)}"
        yield "gain over RIFE", "+1 to +2 dB", "; ".join(told), methods


def _speed(results: Results) -> Iterator[tuple[str, str, str, str]]:
    base, gpu, cpu = results.base, results.timings.gpu, results.timings.frames
    card = {name: f"{row['card']}, another card than claimed" for name, row in gpu.items()}
    shown = [(name, gpu[name]["ms"], card[name]) for name in (SPECIFIED, base) if name in gpu]
    if base in cpu:
        shown.append((base, cpu[base]["milliseconds"], cpu[base]["where"]))
    for name, milliseconds, where in dict.fromkeys(shown):
        rate = f"{number(1000 / milliseconds, 1)} at 256 × 448"
        yield "speed, frames/s", "10–15 on an RTX 4080", rate, f"{results.called(name)}, {where}"
    if SPECIFIED in gpu and gpu[SPECIFIED]["samples"]:
        rate = number(gpu[SPECIFIED]["samples"], 0)
        of = f"{results.called(SPECIFIED)}, {card[SPECIFIED]}"
        yield "training, samples/s", "13 on an RTX 4080", rate, of
