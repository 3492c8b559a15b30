"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words. "Temporal shift" is read in two ways, and H0 is judged apart for each: by the width of the
window, and by where in it the missing frame sits.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from lift.report.comparisons import BETTER, NONE, POSITION, WIDTH, WORSE, gated
from lift.report.names import listing, number, number_of
from lift.report.results import Results

QUESTION = "Does a wide temporal context improve the interpolation of video frames?"
PICO = (
    ("Intervention", "interpolation from a window of 15 frames, a modification of RIFE"),
    (
        "Comparison",
        "the original material without interpolation (the earlier frame shown again), and frames "
        "interpolated from 3 frames: the two neighbours of the missing one",
    ),
    ("Outcome", "PSNR, SSIM, LPIPS, interpolation error, and the error of the optical flow"),
    ("H0", "a temporal shift in the interpolation of intermediate frames does not improve the metrics"),
    ("H1", "it does"),
    (
        "Two readings of “temporal shift”",
        "width: frames that lie farther off in time take part; position: the missing frame does not sit in "
        "the middle of its window",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The report's first lines."""

    headline: tuple[str, ...]
    """One sentence for each reading of the question."""
    bounds: tuple[str, ...]
    """What stands against taking it further: few videos, stand-ins, models without a verdict, kept rows."""
    pico: tuple[tuple[str, str], ...]
    method: str
    """How the verdicts were reached."""


def answer(results: Results, verdicts: pd.DataFrame) -> Answer:
    """Write the answer from the verdicts on the population that is asked about."""
    asked = results.config.report.benchmark
    own = verdicts[verdicts["benchmark"] == asked]
    said = [_sentence(results, own[own["reading"] == about], about) for about in (WIDTH, POSITION)]
    told = tuple(filter(None, said))
    population = "; ".join(
        f"{results.title(name)} ({'rendered' if results.procedural[name] else 'real footage'}, "
        f"{_videos(results, name)})"
        for name in results.populations
    )
    report = results.config.report
    return Answer(
        headline=told or (f"No declared comparison was measured on {results.title(asked)} yet.",),
        bounds=tuple(_bounds(results)),
        pico=(("Population", population), *PICO),
        method="“Better” and “worse” stand where, over source videos, Holm's corrected Wilcoxon "
        f"signed-rank test (two-sided, level {1 - report.confidence:.3g} for each family of comparisons on "
        f"each population, over all outcomes) passes, the {results.coverage} bootstrap interval of the mean "
        f"excludes 0 on the same side, there are at least {report.least_videos} videos, and, for parts that "
        f"were trained here, at least {report.least_seeds} trainings agree in sign. The comparisons were "
        "written into params.yaml before their results existed; those called exploratory were declared "
        "after trials had shown them.",
    )


def _sentence(results: Results, verdicts: pd.DataFrame, about: str) -> str:
    """Write one sentence of everything that was declared about one reading."""
    rows = verdicts.to_dict("records")
    # What is given no verdict is told below; where nothing is given one, this says why.
    rows = [row for row in rows if not row["verdict"].startswith("not judged")] or rows
    if not rows or rows[0]["verdict"].startswith("not judged"):
        return f"{about.capitalize()}: {rows[0]['verdict']}." if rows else ""
    parts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        mean, low, high = (
            number(v, 2, True) for v in (row["effect"].mean, row["effect"].low, row["effect"].high)
        )
        gain = f"{results.called(row['against'])} ({mean} dB [{low}, {high}])"
        parts.setdefault((results.called(row["method"]), row["verdict"]), []).append(gain)
    clauses = [_CLAUSES.get(v, "{} against {} is " + v).format(m, listing(a)) for (m, v), a in parts.items()]
    found = {row["verdict"] for row in rows}
    if any(v.startswith("mixed") for v in found) or {BETTER, WORSE} <= found:
        word = "the outcomes are mixed"
    elif BETTER in found:
        word = "H0 is rejected" + (", but not against every comparison" if len(found) > 1 else "")
    else:
        word = "H0 is not rejected"
    asked = rows[0]["benchmark"]
    footage = "rendered stand-ins, " if results.stand_in(asked) else ""
    videos = number_of(max(row["effect"].n for row in rows), "video")
    return (
        f"{about.capitalize()}: {word}; on {results.title(asked)} ({footage}{videos}) {'; '.join(clauses)}."
    )


_CLAUSES = {
    BETTER: "{} is better than {}",
    WORSE: "{} is worse than {}",
    NONE: "no difference is shown between {} and {}",
}


def _videos(results: Results, benchmark: str) -> str:
    return number_of(len(set(results.videos(benchmark))), "video")


def _bounds(results: Results) -> Iterator[str]:
    report = results.config.report
    for name in results.populations:
        if len(set(results.videos(name))) < report.least_videos:
            yield (
                f"{results.title(name)}: {_videos(results, name)}, fewer than the {report.least_videos} "
                "that a verdict needs; gains and intervals are shown without one."
            )
        if results.stand_in(name):
            yield f"{results.title(name)}: rendered stand-ins, so nothing is said about real video."
    absent = [results.title(name) for name in results.absent if name not in results.kept]
    if absent:
        yield f"Not given in profile {results.config.profile}, so not measured: {', '.join(absent)}."
    if results.kept:
        yield (
            "Kept and not measured again, as the footage is not here: the rows of "
            f"{listing([results.title(name) for name in results.kept])} (digests of the clips below)."
        )
    for _, sentence in gated(results).values():
        yield f"{sentence[0].upper()}{sentence[1:]}."
    if results.missing:
        yield f"Declared methods without results: {', '.join(results.missing)}."
