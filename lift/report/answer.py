"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words. "Temporal shift" is read in two ways, and H0 is judged apart for each: by the width of the
window, and by where in it the missing frame sits.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from lift.report.comparisons import BETTER, COMPARISON, NONE, WORSE, gated
from lift.report.names import METRICS, listing, number, number_of
from lift.report.results import Results
from lift.report.statistics import Effect

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
WIDTH, POSITION, ROBUSTNESS, METHOD = "width", "position", "robustness", "method"
EXPLORATORY = "exploratory"


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


def answer(results: Results, tests: pd.DataFrame) -> Answer:
    """Write the answer from the declared tests on the population that is asked about."""
    asked = results.config.report.benchmark
    own = tests[(tests["benchmark"] == asked) & (tests["family"] != EXPLORATORY)]
    told = tuple(s for about in (WIDTH, POSITION) if (s := _sentence(results, own, about)))
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


def reading(results: Results, method: str, against: str) -> str:
    """Say which reading of the question a comparison bears on, by what its two methods differ in.

    The position where it is the shift alone, neither where it is the sampling alone (ROBUSTNESS) or where the
    windows are the same (METHOD), else the width.
    """
    if not {method, against} <= set(results.configs):
        return WIDTH
    one, two = (results.configs[name] for name in (method, against))
    clips = [dataclasses.asdict(config.clip) for config in (one, two)]
    differing = " ".join(key for key in clips[0] if clips[0][key] != clips[1][key])
    if not differing:
        return METHOD
    alike = all(getattr(one, part) == getattr(two, part) for part in ("model", "loss", "train"))
    return {"shift": POSITION, "sampling": ROBUSTNESS}.get(differing, WIDTH) if alike else WIDTH


def by_comparison(tests: pd.DataFrame) -> list[tuple[pd.DataFrame, Effect]]:
    """Group tests by comparison and population; with the effect in PSNR, of those that were measured."""
    groups = [group for _, group in tests.groupby(COMPARISON, sort=False)]
    return [(group, effect) for group in groups if (effect := group["effect"].iloc[0]) is not None]


def judged(tests: pd.DataFrame) -> str:
    """Sum up one comparison over its outcomes: better or worse where none is the opposite."""
    found = {
        verdict: [METRICS[key].title for key in own["metric"]]
        for verdict, own in tests.groupby("verdict", sort=False)
    }
    decided = [verdict for verdict in (BETTER, WORSE) if verdict in found]
    if len(decided) == 2:
        return "mixed: " + "; ".join(f"{verdict} in {listing(found[verdict])}" for verdict in decided)
    if decided:
        return decided[0]
    return NONE if NONE in found else str(tests["withheld"].iloc[0])


def _sentence(results: Results, tests: pd.DataFrame, about: str) -> str:
    """Write one sentence of everything that was declared about one reading."""
    groups = [
        (judged(group), *group[["method", "against"]].iloc[0], effect)
        for group, effect in by_comparison(tests)
        if reading(results, *group[["method", "against"]].iloc[0]) == about
    ]
    # What is given no verdict is told below; where nothing is given one, this says why.
    groups = [g for g in groups if not g[0].startswith("not judged")] or groups
    if not groups:
        return ""
    if groups[0][0].startswith("not judged"):
        return f"{about.capitalize()}: {groups[0][0]}."
    parts: dict[tuple[str, str], list[str]] = {}
    for verdict, method, against, effect in groups:
        ends = f"[{number(effect.low, 2, True)}, {number(effect.high, 2, True)}]"
        gain = f"{results.called(against)} ({number(effect.mean, 2, True)} dB {ends})"
        parts.setdefault((results.called(method), verdict), []).append(gain)
    clauses = [_CLAUSES.get(v, "{} against {} is " + v).format(m, listing(a)) for (m, v), a in parts.items()]
    verdicts = {verdict for verdict, *_ in groups}
    if any(v.startswith("mixed") for v in verdicts) or {BETTER, WORSE} <= verdicts:
        word = "the outcomes are mixed"
    elif BETTER in verdicts:
        word = "H0 is rejected" + (", but not against every comparison" if len(verdicts) > 1 else "")
    else:
        word = "H0 is not rejected"
    asked = tests["benchmark"].iloc[0]
    footage = "rendered stand-ins, " if results.stand_in(asked) else ""
    videos = number_of(max(effect.n for *_, effect in groups), "video")
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
    for sentence in gated(results).values():
        yield f"{sentence[0].upper()}{sentence[1:]}."
    if results.missing:
        yield f"Declared methods without results: {', '.join(results.missing)}."
