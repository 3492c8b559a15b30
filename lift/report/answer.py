"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words. "Temporal shift" is read in two ways, and H0 is judged apart for each: by the width of the
window, and by where in it the missing frame sits.
"""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

from lift.config import Comparison
from lift.report.comparisons import BETTER, NONE, WORSE, Tested, gated
from lift.report.names import listing, number, number_of
from lift.report.results import Results

QUESTION = "Does a wide temporal context improve the interpolation of video frames?"
PICO = (
    ("Intervention", "interpolation from a window of 15 frames, a modification of RIFE"),
    (
        "Comparison",
        "the original material without interpolation (the earlier frame shown again), and frames "
        "interpolated "
        "from 3 frames: the two neighbours of the missing one",
    ),
    ("Outcome", "PSNR, SSIM, LPIPS, interpolation error, and the error of the optical flow"),
    ("H0", "a temporal shift in the interpolation of intermediate frames does not improve the metrics"),
    ("H1", "it does"),
    (
        "Two readings of “temporal shift”",
        "width: frames that lie farther off in time take part; position: the missing frame does not sit in "
        "the "
        "middle of its window",
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


def answer(results: Results, tests: Sequence[Tested]) -> Answer:
    """Write the answer from the declared tests on the population that is asked about."""
    asked = results.config.report.benchmark
    own = [t for t in tests if t.benchmark == asked and t.comparison.family != EXPLORATORY]
    told = tuple(s for reading in (WIDTH, POSITION) if (s := _sentence(results, own, reading)))
    return Answer(
        headline=told or (f"No declared comparison was measured on {_title(results, asked)} yet.",),
        bounds=tuple(_bounds(results)),
        pico=(("Population", _population(results)), *PICO),
        method=_method(results),
    )


def reading(results: Results, comparison: Comparison) -> str:
    """Say which reading of the question a comparison bears on, by what its two methods differ in.

    The position where it is the shift alone, neither where it is the sampling alone (ROBUSTNESS) or where the
    windows are the same (METHOD), else the width.
    """
    pair = (comparison.method, comparison.against)
    if not set(pair) <= set(results.configs):
        return WIDTH
    one, two = (results.configs[name] for name in pair)
    clips = [dataclasses.asdict(config.clip) for config in (one, two)]
    differing = " ".join(key for key in clips[0] if clips[0][key] != clips[1][key])
    if not differing:
        return METHOD
    alike = all(getattr(one, part) == getattr(two, part) for part in ("model", "loss", "train"))
    return {"shift": POSITION, "sampling": ROBUSTNESS}.get(differing, WIDTH) if alike else WIDTH


def by_comparison(tests: Sequence[Tested]) -> list[list[Tested]]:
    """Group tests by comparison and population."""
    groups: dict[tuple[Comparison, str], list[Tested]] = {}
    for test in tests:
        groups.setdefault((test.comparison, test.benchmark), []).append(test)
    return list(groups.values())


def judged(tests: Sequence[Tested]) -> str:
    """Sum up one comparison over its outcomes: better or worse where none is the opposite."""
    found = {t.found for t in tests}
    if {1, -1} <= found:
        return "mixed: " + "; ".join(
            f"{verdict} in {listing([t.metric.title for t in tests if t.verdict == verdict])}"
            for verdict in (BETTER, WORSE)
        )
    if found != {0}:
        return BETTER if 1 in found else WORSE
    return NONE if any(t.verdict == NONE for t in tests) else tests[0].withheld


def _sentence(results: Results, tests: Sequence[Tested], about: str) -> str:
    """Write one sentence of everything that was declared about one reading."""
    groups = [g for g in by_comparison(tests) if reading(results, g[0].comparison) == about and g[0].effect]
    # What is given no verdict is told below; where nothing is given one, this says why.
    groups = [g for g in groups if not judged(g).startswith("not judged")] or groups
    if not groups:
        return ""
    if judged(groups[0]).startswith("not judged"):
        return f"{about.capitalize()}: {judged(groups[0])}."
    parts: dict[tuple[str, str], list[str]] = {}
    for group in groups:
        effect, names = group[0].effect, (group[0].comparison.method, group[0].comparison.against)
        assert effect is not None
        ends = f"[{_number(effect.low)}, {_number(effect.high)}]"
        gain = f"{results.called(names[1])} ({_number(effect.mean)} dB {ends})"
        parts.setdefault((results.called(names[0]), judged(group)), []).append(gain)
    clauses = [_CLAUSES.get(v, "{} against {} is " + v).format(m, listing(a)) for (m, v), a in parts.items()]
    verdicts = {judged(group) for group in groups}
    if any(v.startswith("mixed") for v in verdicts) or {BETTER, WORSE} <= verdicts:
        word = "the outcomes are mixed"
    elif verdicts == {BETTER}:
        word = "H0 is rejected"
    else:
        word = (
            "H0 is rejected, but not against every comparison" if BETTER in verdicts else "H0 is not rejected"
        )
    n = max(group[0].effect.n for group in groups if group[0].effect)
    asked = tests[0].benchmark
    footage = "rendered stand-ins, " if results.stand_in(asked) else ""
    where = f"on {_title(results, asked)} ({footage}{number_of(n, 'video')})"
    return f"{about.capitalize()}: {word}; {where} {'; '.join(clauses)}."


_CLAUSES = {
    BETTER: "{} is better than {}",
    WORSE: "{} is worse than {}",
    NONE: "no difference is shown between {} and {}",
}


def _population(results: Results) -> str:
    told = []
    for name in results.populations:
        videos = len(set(results.videos(name)))
        footage = "rendered" if results.procedural[name] else "real footage"
        told.append(f"{_title(results, name)} ({footage}, {number_of(videos, 'video')})")
    return "; ".join(told)


def _bounds(results: Results) -> list[str]:
    report, found = results.config.report, []
    for name in results.populations:
        videos = len(set(results.videos(name)))
        if videos < report.least_videos:
            found.append(
                f"{_title(results, name)}: {number_of(videos, 'video')}, fewer than the "
                f"{report.least_videos} that a "
                "verdict needs; gains and intervals are shown without one."
            )
        if results.stand_in(name):
            found.append(f"{_title(results, name)}: rendered stand-ins, so nothing is said about real video.")
    if results.kept:
        found.append(
            f"Kept and not measured again, as the footage is not here: the rows of "
            f"{listing([_title(results, name) for name in results.kept])} (digests of the clips below)."
        )
    found += [f"{sentence[0].upper()}{sentence[1:]}." for sentence in gated(results).values()]
    return found


def _method(results: Results) -> str:
    report = results.config.report
    level = 1 - report.confidence
    return (
        f"“Better” and “worse” stand where, over source videos, Holm's corrected Wilcoxon signed-rank test "
        f"(two-sided, "
        f"level {level:.3g} for each family of comparisons on each population, over all outcomes) passes, "
        f"the "
        f"{100 * report.confidence:g} % bootstrap interval of the mean excludes 0 on the same side, there "
        f"are at least "
        f"{report.least_videos} videos, and, for parts that were trained here, at least "
        f"{report.least_seeds} trainings "
        "agree in sign. The comparisons were written into params.yaml before their results existed; those "
        "called "
        "exploratory were declared after trials had shown them."
    )


def _title(results: Results, benchmark: str) -> str:
    return results.config.benchmarks[benchmark].title


def _number(value: float) -> str:
    return "–" if math.isnan(value) else number(value, 2, signed=True)
