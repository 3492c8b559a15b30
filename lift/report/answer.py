"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lift.report.comparisons import Tested
from lift.report.results import Results

QUESTION = (
    "Does a wide temporal context, 15 frames around the missing one, interpolate better than the two "
    "neighbouring frames or no "
    "interpolation at all, and does it matter where in the window the missing frame sits?"
)
H0 = "H0: a temporal shift in the interpolation of intermediate frames does not improve the metrics."


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The report's first lines."""

    headline: str
    caveats: tuple[str, ...]
    """Why the headline may not be taken further; empty where nothing stands against it."""
    verdicts: Mapping[str, str]
    """Family -> one paragraph."""
    method: str
    """How the verdicts were reached."""


def answer(results: Results, families: Mapping[str, Sequence[Tested]]) -> Answer:
    """Write the answer to the research question from the declared tests."""
    caveats = _caveats(results, families)
    rejected, against = (
        [name for name, tests in families.items() if any(t.found(_level(results)) == sign for t in tests)]
        for sign in (1, -1)
    )
    if caveats:
        headline = "These results do not answer the question."
    elif rejected:
        headline = f"H0 is rejected for {_and(rejected)}, in the outcomes named below."
    else:
        headline = "H0 is not rejected: no declared comparison shows an improvement."
    if against and not caveats:
        headline += f" Outcomes against the hypothesis: {_and(against)}, named below."
    return Answer(
        method="Tests: Wilcoxon signed-rank over source videos, two-sided, Holm's correction over all of a "
        f"family, level {_level(results):.3g}.",
        headline=headline,
        caveats=caveats,
        verdicts={
            family: _verdict(results, family, tests, bool(caveats)) for family, tests in families.items()
        },
    )


def _level(results: Results) -> float:
    return 1 - results.config.report.confidence


def videos_compared(families: Mapping[str, Sequence[Tested]]) -> int:
    """Count the source videos behind the declared tests; 0 where nothing could be tested."""
    return max((t.effect.n for tests in families.values() for t in tests if t.effect), default=0)


def _caveats(results: Results, families: Mapping[str, Sequence[Tested]]) -> tuple[str, ...]:
    report, found = results.config.report, []
    title = results.config.benchmarks[report.benchmark].title
    count = videos_compared(families)
    if not count:
        found.append(f"No declared comparison has results on {title} yet.")
    elif count < report.least_videos:
        found.append(
            f"Too little data: {_videos(count)} where "
            f"{report.least_videos} are the least "
            "(report.least_videos), so nothing is decided either way."
        )
    if results.stand_in(report.benchmark):
        found.append(
            f"Not the real footage: procedural stand-ins take the place of {title}, so nothing is said "
            "about real video."
        )
    if results.stand_in("train"):
        found.append("The models were trained on procedural stand-ins, at the size of the profile's budget.")
    return tuple(found)


def _verdict(results: Results, family: str, tests: Sequence[Tested], doubtful: bool) -> str:
    report = results.config.report
    tested = [t for t in tests if t.effect is not None]
    method = tests[0].comparison.method
    opponents = list(dict.fromkeys(t.comparison.against for t in tests))
    start = f"{family.capitalize()}: {method} against {_and(opponents)}"
    missing = sorted({t.reason for t in tests if t.reason})
    if not tested:
        return f"{start}: not tested, because {_and(missing)}."
    count = max(t.effect.n for t in tested if t.effect)
    better, worse = ([t for t in tested if t.found(_level(results)) == sign] for sign in (1, -1))
    if count < report.least_videos:
        conclusion = (
            "H0 is not rejected, and not supported either: n is too small to say anything. At face value, "
        )
    else:
        conclusion = f"H0 is {'' if better else 'not '}rejected{' on these stand-ins' if doubtful else ''}: "
    parts = [
        f"{start} on {results.config.benchmarks[report.benchmark].title}, n = {_videos(count)}. ",
        conclusion,
        f"{len(better)} of {len(tested)} tests find {method} better{_outcomes(better)}, ",
        f"{len(worse)} find it worse{_outcomes(worse)}.",
        f" Not tested: {_and(missing)}." if missing else "",
    ]
    return "".join(parts)


def _videos(count: int) -> str:
    return f"{count} source video{'' if count == 1 else 's'}"


def _outcomes(tests: Sequence[Tested]) -> str:
    by_opponent: dict[str, list[str]] = {}
    for test in tests:
        by_opponent.setdefault(test.comparison.against, []).append(test.metric.title)
    told = "; ".join(f"{_and(titles)} against {opponent}" for opponent, titles in by_opponent.items())
    return f" ({told})" if told else ""


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
