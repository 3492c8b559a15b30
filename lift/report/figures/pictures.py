"""Which kept clips are shown, beside which methods, and what is said of them."""

from collections.abc import Sequence
from functools import partial

from lift.report.examples import Example, Examples, chosen
from lift.report.figures import strips
from lift.report.figures.style import Drawing
from lift.report.results import Results
from lift.report.strata import SCENES, narrow_methods
from lift.report.tables.results import stand_in, title

_BASELINES = ("average", "dis")  # what a strip shows beside the base; `repeat` is the reference before


def plan(results: Results) -> list[Drawing]:
    """List the strips of chosen clips, and the edges with and without full-resolution features."""
    examples = Examples(results.data)
    shown = chosen([e for e in examples.listed(results.base) if e.benchmark in results.config.benchmarks])
    others: list[str] = [m for m in _BASELINES if m in results.config.baselines and m not in results.missing]
    others += [m for m in narrow_methods(results)[:1] if m not in results.missing]
    others += [m for m in _of_others(results) if m not in results.missing]
    found = [_strip(results, examples, example, others) for example in _worth_showing(results, shown)]
    without = [
        m for m in results.config.models if not results.configs[m].model.use_s1 and m not in results.missing
    ]
    if without and shown:
        own = [e for e in shown if e.benchmark == results.config.report.benchmark] or shown
        found.append(_edges(results, examples, own[-1], [results.base, without[0]]))
    return found


def _of_others(results: Results) -> list[str]:
    """List the released models of another family than the base's: what people use today."""
    family = results.configs[results.base].model.name
    return [m for m in results.config.released if results.configs[m].model.name != family]


def _worth_showing(results: Results, shown: Sequence[Example]) -> list[Example]:
    """Keep the extremes where the question is asked; elsewhere one middling clip shows the footage."""
    kept: list[Example] = []
    for benchmark in dict.fromkeys(example.benchmark for example in shown):
        own = [example for example in shown if example.benchmark == benchmark]
        asked = benchmark in (results.config.report.benchmark, SCENES)
        kept += own if asked else [own[len(own) // 2]]
    return kept


def _strip(results: Results, examples: Examples, example: Example, others: Sequence[str]) -> Drawing:
    return Drawing(
        name=f"strip_{example.benchmark}_{example.rank}",
        title=f"{title(results, example.benchmark)}: {example.place}",
        caption=f"{example.clip} of "
        f"{title(results, example.benchmark)}{stand_in(results, example.benchmark)}, the {example.place} "
        f"by the PSNR of {results.base} ({example.psnr:.2f} dB). Errors, and what "
        f"context and refinement add to the blend of the warped references (mid grey: nothing), are "
        f"{strips.GAIN} times enlarged; insets: the window in which {results.base} errs most; flow: "
        "hue is direction, full colour the length beside the wheel.",
        alt="References, truth, frames of several methods, errors and flow of one clip.",
        sources=tuple(f"results/{m}/examples.zip" for m in (results.base, *others)),
        draw=partial(strips.strip, examples, example, results.base, others),
    )


def _edges(results: Results, examples: Examples, example: Example, methods: Sequence[str]) -> Drawing:
    return Drawing(
        name="edges",
        title="Edges with and without full-resolution features",
        caption=f"The sharpest window of {example.clip} "
        f"({title(results, example.benchmark)}{stand_in(results, example.benchmark)}): "
        f"coarse and final frame of {methods[0]} and of {methods[1]}, which lacks s1.",
        alt="Magnified edges of coarse frame, final frame and truth.",
        sources=tuple(f"results/{m}/examples.zip" for m in methods),
        draw=partial(strips.edges, examples, example, methods),
    )
