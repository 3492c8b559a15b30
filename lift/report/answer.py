"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words. H0 is judged apart for each reading of the question (family) and each opponent: to beat a
frame shown again says nothing about the comparison with three frames.
"""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lift.config import Comparison
from lift.report.caveats import Tests, bounds, by_opponent, caveats, limits, listing, once_trained, outcomes
from lift.report.comparisons import Tested
from lift.report.names import REFERENCES, number_of, sampling
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
    limits: tuple[str, ...]
    """How far the tests reach even where nothing stands against them."""
    verdicts: Mapping[str, str]
    """Family -> one paragraph."""
    method: str
    """How the verdicts were reached."""


def answer(results: Results, families: Mapping[str, Tests]) -> Answer:
    """Write the answer to the research question from the declared tests."""
    against, bounded = caveats(results, families), bounds(results)
    level = _level(results)
    asked = {name: judged for name, tests in families.items() if (judged := _judged(results, tests))}
    headline = " ".join(f"{name.capitalize()}: H0 is {judged}." for name, judged in asked.items())
    if once_trained(families):
        headline += " Each model was trained once: this is about these models, not yet about their methods."
    many = f", so all {len(families)} together at most at {min(1.0, len(families) * level):.3g}"
    return Answer(
        method="Tests: Wilcoxon signed-rank over source videos, two-sided, Holm's correction over all of a "
        f"family: each family errs at most at level {level:.3g}{many if len(families) > 1 else ''}. "
        "H0 is rejected against an opponent where at least one outcome is better and none is worse; mixed: "
        "some are better, others worse. Of two methods that differ in their shift alone only a shift "
        "against none bears on H0.",
        headline="These results do not answer the question."
        if against
        else (
            f"On procedural footage: {headline}"
            if results.procedural[results.config.report.benchmark]
            else headline
        ),
        caveats=(*against, *bounded),
        limits=limits(results, families),
        verdicts={
            name: _verdict(results, name, tests, bool(against or bounded)) for name, tests in families.items()
        },
    )


def _level(results: Results) -> float:
    return 1 - results.config.report.confidence


def bearing(results: Results, comparison: Comparison) -> int:
    """Say how a gain of the method named first bears on H0: +1 against it, -1 the other way, 0 not at all.

    Of two methods that differ in their shift alone, the gain of a shift over none speaks against H0; that of
    one shift over another shows a direction and not that any shift helps. Two samplings of a window are a
    check of robustness.
    """
    pair = (comparison.method, comparison.against)
    shifts = _shifts(results, comparison)
    if shifts:
        return 0 if all(shifts) else (1 if shifts[0] else -1)
    forced = results.config.benchmarks[results.config.report.benchmark].sampling
    used = {sampling(results.configs, method, forced) for method in pair} - {REFERENCES}
    return 1 if len(used) < 2 else 0


def _shifts(results: Results, comparison: Comparison) -> tuple[int, int] | None:
    """Return the two shifts, without their sides, of methods that differ in nothing else; None: they do."""
    if not {comparison.method, comparison.against} <= set(results.config.models):
        return None
    one, two = (results.configs[method] for method in (comparison.method, comparison.against))
    alike = all(getattr(one, part) == getattr(two, part) for part in ("model", "loss", "train"))
    clips = [{**dataclasses.asdict(config.clip), "shift": None} for config in (one, two)]
    if not alike or clips[0] != clips[1]:
        return None
    return abs(one.clip.shift), abs(two.clip.shift)


def _judged(results: Results, tests: Tests) -> str:
    """Say against which opponents H0 is rejected, which not, and which was not tested; empty: none bears."""
    level = _level(results)
    kinds: dict[str, list[str]] = {"rejected": [], "mixed": [], "not rejected": [], "not tested": []}
    for name, own in by_opponent(tests).items():
        signs = {t.found(level) * bearing(results, t.comparison) for t in own}
        if not any(bearing(results, t.comparison) for t in own):
            continue
        if not any(t.effect for t in own):
            kinds["not tested"].append(name)
        elif 1 in signs:
            kinds["mixed" if -1 in signs else "rejected"].append(name)
        else:
            kinds["not rejected"].append(name)
    return ", ".join(f"{kind} against {listing(names)}" for kind, names in kinds.items() if names)


def _verdict(results: Results, family: str, tests: Tests, doubtful: bool) -> str:
    report, level = results.config.report, _level(results)
    tested = [t for t in tests if t.effect is not None]
    methods = listing(list(dict.fromkeys(t.comparison.method for t in tests)))
    start = f"{family.capitalize()}: {methods} against {listing(list(by_opponent(tests)))}"
    missing = sorted({t.reason for t in tests if t.reason})
    if not tested:
        return f"{start}: not tested, because {listing(missing)}."
    count = max(t.effect.n for t in tested if t.effect)
    better, worse = ([t for t in tested if t.found(level) == sign] for sign in (1, -1))
    unclear = [t for t in tested if t.passes(level) and not t.found(level)]
    judged = _judged(results, tests)
    if count < report.least_videos:
        start_of = "H0 is not rejected, and not supported either" if judged else "A check of robustness"
        conclusion = f"{start_of}: n is too small to say anything. At face value, "
    elif judged:
        conclusion = f"H0 is {judged}{' (on these stand-ins)' if doubtful else ''}: "
    else:
        conclusion = "A check of robustness, on which H0 does not rest: "
    parts = [
        f"{start} on {results.config.benchmarks[report.benchmark].title}, "
        f"n = {number_of(count, 'source video')}. ",
        conclusion,
        f"{len(better)} of {len(tested)} tests find {methods} better{_in(better)}, ",
        f"{len(worse)} find it worse{_in(worse)}.",
        f" Mean and ranks point to different sides{_in(unclear)}: no verdict." if unclear else "",
        _doses(results, tested, level),
        _sensitivity(tested, len(better) + len(worse)),
        f" Not tested: {listing(missing)}." if missing else "",
    ]
    return "".join(parts)


def _doses(results: Results, tested: Tests, level: float) -> str:
    """Say what comparing two shifts shows: which of them is better, and nothing about H0."""
    told = []
    for name, own in by_opponent(tested).items():
        shifts = _shifts(results, own[0].comparison)
        if shifts is None or not all(shifts) or shifts[0] == shifts[1]:
            continue
        wider = 1 if shifts[0] > shifts[1] else -1
        sides = {"the larger": wider, "the smaller": -wider}
        found = [
            f"{side} is better in {listing(titles)}"
            for side, sign in sides.items()
            if (titles := [t.metric.title for t in own if t.found(level) == sign])
        ]
        told.append(
            f" Shift of {shifts[0]} against {shifts[1]} ({name}), which does not bear on H0: "
            f"{listing(found) if found else 'no difference shown'}."
        )
    return "".join(told)


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
    return f" Smallest gain in {psnr[0].metric.title} that this n finds with 80 % power: {listing(told)}."


def _in(tests: Sequence[Tested]) -> str:
    return f" ({outcomes(tests)})" if tests else ""
