"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words. H0 is judged apart for each reading of the question (family) and each opponent: to beat a
frame shown again says nothing about the comparison with three frames.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lift.report.comparisons import Tested
from lift.report.names import REFERENCES, number_of, sampling
from lift.report.results import Results

QUESTION = (
    "Does a wide temporal context, 15 frames around the missing one, interpolate better than the two "
    "neighbouring frames or no "
    "interpolation at all, and does it matter where in the window the missing frame sits?"
)
H0 = "H0: a temporal shift in the interpolation of intermediate frames does not improve the metrics."
Tests = Sequence[Tested]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The report's first lines."""

    headline: str
    caveats: tuple[str, ...]
    """Why the headline may not be taken further; empty where nothing stands against it."""
    limits: tuple[str, ...]
    """How far the tests reach even where nothing stands against them."""
    verdicts: Mapping[str, str]
    """Family -> one paragraph."""
    method: str
    """How the verdicts were reached."""


def answer(results: Results, families: Mapping[str, Tests]) -> Answer:
    """Write the answer to the research question from the declared tests."""
    caveats = _caveats(results, families)
    level = _level(results)
    asked = [name for name, tests in families.items() if not robustness(results, tests)]
    headline = " ".join(f"{name.capitalize()}: H0 is {_judged(results, families[name])}." for name in asked)
    many = f", so all {len(families)} together at most at {min(1.0, len(families) * level):.3g}"
    return Answer(
        method="Tests: Wilcoxon signed-rank over source videos, two-sided, Holm's correction over all of a "
        f"family: each family errs at most at level {level:.3g}{many if len(families) > 1 else ''}. "
        "H0 is rejected against an opponent where at least one outcome is better.",
        headline="These results do not answer the question." if caveats else headline,
        caveats=caveats,
        limits=_limits(results, families),
        verdicts={name: _verdict(results, name, tests, bool(caveats)) for name, tests in families.items()},
    )


def _level(results: Results) -> float:
    return 1 - results.config.report.confidence


def robustness(results: Results, tests: Tests) -> bool:
    """Say whether a family compares different samplings only: a check, for H0 speaks of the window."""
    forced = results.config.benchmarks[results.config.report.benchmark].sampling
    pairs = [(t.comparison.method, t.comparison.against) for t in tests]
    used = [{sampling(results.configs, m, forced) for m in pair} - {REFERENCES} for pair in pairs]
    return all(len(samplings) > 1 for samplings in used)


def videos_compared(families: Mapping[str, Tests]) -> int:
    """Count the source videos behind the declared tests; 0 where nothing could be tested."""
    return max((t.effect.n for tests in families.values() for t in tests if t.effect), default=0)


def _caveats(results: Results, families: Mapping[str, Tests]) -> tuple[str, ...]:
    report, found = results.config.report, []
    title = results.config.benchmarks[report.benchmark].title
    count = videos_compared(families)
    tested = [t for tests in families.values() for t in tests if t.effect]
    if not count:
        found.append(f"No declared comparison has results on {title} yet.")
    elif count < report.least_videos:
        found.append(
            f"Too little data: {number_of(count, 'source video')} where {report.least_videos} are the least "
            "(report.least_videos), so nothing is decided either way."
        )
    elif all(math.isinf(t.detectable) for t in tested):
        found.append(
            f"Too little data: with {number_of(count, 'source video')} no effect, however large, could pass "
            "the corrected tests, so nothing is decided either way."
        )
    if results.stand_in(report.benchmark):
        found.append(
            f"Not the real footage: procedural stand-ins take the place of {title}, so nothing is said "
            "about real video."
        )
    if results.stand_in("train"):
        found.append("The models were trained on procedural stand-ins, at the size of the profile's budget.")
    return tuple(found)


def _limits(results: Results, families: Mapping[str, Tests]) -> tuple[str, ...]:
    """Say what the tests do not count: the training seeds."""
    tested = [t for tests in families.values() for t in tests if t.effect]
    if not tested:
        return ()
    counted = [t for t in tested if not math.isnan(t.seeds[0])]
    excluding = sum(t.seeds[0] > 0 or t.seeds[1] < 0 for t in counted)
    said = []
    if len(counted) < len(tested):
        said.append(
            "Models trained once (one seed in train.seeds): these tests speak of the models at hand; how "
            "much another training of the same method would differ is not measured."
        )
    if counted:
        said.append(
            "Gains are averaged over training seeds before they are tested. Intervals that count the seeds "
            f"as well exclude zero in {excluding} of {len(counted)} tests."
        )
    return tuple(said)


def _judged(results: Results, tests: Tests) -> str:
    """Say against which opponents H0 is rejected, which not, and which were not tested."""
    level = _level(results)
    kinds: dict[str, list[str]] = {"rejected": [], "not rejected": [], "not tested": []}
    for name, own in _by_opponent(tests).items():
        if not any(t.effect for t in own):
            kinds["not tested"].append(name)
        else:
            kinds["rejected" if any(t.found(level) > 0 for t in own) else "not rejected"].append(name)
    return ", ".join(f"{kind} against {_and(names)}" for kind, names in kinds.items() if names)


def _verdict(results: Results, family: str, tests: Tests, doubtful: bool) -> str:
    report, level = results.config.report, _level(results)
    tested = [t for t in tests if t.effect is not None]
    method = _and(list(dict.fromkeys(t.comparison.method for t in tests)))
    start = f"{family.capitalize()}: {method} against {_and(list(_by_opponent(tests)))}"
    missing = sorted({t.reason for t in tests if t.reason})
    if not tested:
        return f"{start}: not tested, because {_and(missing)}."
    count = max(t.effect.n for t in tested if t.effect)
    better, worse = ([t for t in tested if t.found(level) == sign] for sign in (1, -1))
    unclear = [t for t in tested if t.passes(level) and not t.found(level)]
    check = robustness(results, tests)
    if count < report.least_videos:
        start_of = "A check of robustness" if check else "H0 is not rejected, and not supported either"
        conclusion = f"{start_of}: n is too small to say anything. At face value, "
    elif check:
        conclusion = "A check of robustness, on which H0 does not rest: "
    else:
        conclusion = f"H0 is {_judged(results, tests)}{' (on these stand-ins)' if doubtful else ''}: "
    parts = [
        f"{start} on {results.config.benchmarks[report.benchmark].title}, "
        f"n = {number_of(count, 'source video')}. ",
        conclusion,
        f"{len(better)} of {len(tested)} tests find {method} better{_outcomes(better)}, ",
        f"{len(worse)} find it worse{_outcomes(worse)}.",
        f" Mean and ranks point to different sides{_outcomes(unclear)}: no verdict." if unclear else "",
        _sensitivity(tested, len(better) + len(worse)),
        f" Not tested: {_and(missing)}." if missing else "",
    ]
    return "".join(parts)


def _sensitivity(tested: Tests, found: int) -> str:
    """Say what the tests without a finding could have seen: not rejected is not shown to be equal."""
    psnr = [t for t in tested if t.metric.key == "psnr"]
    if not psnr or found == len(tested):
        return ""
    told = [
        f"{t.detectable:.2g} {t.metric.unit} against {t.comparison.against}"
        if math.isfinite(t.detectable)
        else f"none, however large, against {t.comparison.against}"
        for t in psnr
    ]
    return f" Smallest gain in {psnr[0].metric.title} that this n finds with 80 % power: {_and(told)}."


def _by_opponent(tests: Tests) -> dict[str, list[Tested]]:
    opponents: dict[str, list[Tested]] = {}
    for test in tests:
        opponents.setdefault(test.comparison.against, []).append(test)
    return opponents


def _outcomes(tests: Tests) -> str:
    told = "; ".join(
        f"{_and([t.metric.title for t in own])} against {opponent}"
        for opponent, own in _by_opponent(tests).items()
    )
    return f" ({told})" if told else ""


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
