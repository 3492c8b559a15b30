"""What stands against the report's answer, or bounds it: few data, stand-ins, a base that learnt little."""

import math
from collections.abc import Mapping, Sequence

from lift.report.comparisons import Tested, describe, gains
from lift.report.names import number_of
from lift.report.results import Results

Tests = Sequence[Tested]
ZERO_FLOW = "average"
"""The baseline that mixes the references as they are: its flow is zero, and any interpolation beats it."""


def videos_compared(families: Mapping[str, Tests]) -> int:
    """Count the source videos behind the declared tests; 0 where nothing could be tested."""
    return max((t.effect.n for tests in families.values() for t in tests if t.effect), default=0)


def caveats(results: Results, families: Mapping[str, Tests]) -> tuple[str, ...]:
    """Say why the tests may not be taken as an answer; empty where nothing stands against them."""
    return (*_data(results, families), *_base(results))


def bounds(results: Results) -> tuple[str, ...]:
    """Say of what footage alone the tests speak; empty where it is the population that is asked about."""
    return tuple(_footage(results))


def _data(results: Results, families: Mapping[str, Tests]) -> list[str]:
    report, count = results.config.report, videos_compared(families)
    tested = [t for tests in families.values() for t in tests if t.effect]
    if not count:
        title = results.config.benchmarks[report.benchmark].title
        return [f"No declared comparison has results on {title} yet."]
    if count < report.least_videos:
        return [
            f"Too little data: {number_of(count, 'source video')} where {report.least_videos} are the least "
            "(report.least_videos), so nothing is decided either way."
        ]
    if all(math.isinf(t.detectable) for t in tested):
        return [
            f"Too little data: with {number_of(count, 'source video')} no effect, however large, could pass "
            "the corrected tests, so nothing is decided either way."
        ]
    return []


def _footage(results: Results) -> list[str]:
    found, benchmark = [], results.config.report.benchmark
    if results.stand_in(benchmark):
        found.append(
            "Not the real footage: procedural stand-ins take the place of "
            f"{results.config.benchmarks[benchmark].title}, so nothing is said about real video."
        )
    elif results.procedural[benchmark]:
        found.append(
            "The question is asked of procedural scenes (report.benchmark), so nothing is said about real "
            "video."
        )
    if results.stand_in("train") and results.config.ablations:
        found.append(
            "The models trained here were trained on procedural stand-ins, for the profile's budget."
        )
    return found


def _base(results: Results) -> list[str]:
    """Say where the base does no better than the references as they are: its windows are then not judged."""
    benchmark = results.config.report.benchmark
    asked = (
        (benchmark, "psnr", "The frames", "the average of the two references"),
        (benchmark, "warping", "The flow", "no motion at all"),
        ("scenes", "epe", "The flow", "no motion at all"),
    )
    return [text for question in asked if (text := _against_zero(results, *question))]


def _against_zero(results: Results, benchmark: str, key: str, what: str, other: str) -> str:
    base, metric = results.base, results.metrics[key]
    if ZERO_FLOW not in results.config.baselines or base == ZERO_FLOW:
        return ""
    if not all(results.has(method, benchmark, key) for method in (base, ZERO_FLOW)):
        return ""
    (gain,) = describe(results, [gains(results, benchmark, key, base, ZERO_FLOW)], "caveat", benchmark, key)
    if gain.low > 0 or (math.isnan(gain.low) and gain.mean > 0):
        return ""
    own, zero = (results.values(method, benchmark, key).mean() for method in (base, ZERO_FLOW))
    unit, digits = f" {metric.unit}" if metric.unit.isalpha() else "", metric.digits  # not a range: 0–255
    verdict = "worse than" if gain.high < 0 else "not shown to be better than"
    numbers = f"{metric.title} {own:.{digits}f} against {zero:.{digits}f}{unit}"
    return (
        f"{what} of {base} on {results.config.benchmarks[benchmark].title}: {verdict} {other} ({numbers}, "
        f"{number_of(gain.n, 'source video')}), so differences between its variants are no evidence about a "
        "model that interpolates."
    )


def limits(results: Results, families: Mapping[str, Tests]) -> tuple[str, ...]:
    """Say what the tests do not count, or count besides: the training seeds."""
    tested = [t for tests in families.values() for t in tests if t.effect]
    counted = [t for t in tested if not math.isnan(t.seeds[0])]
    said = []
    if len(counted) < len(tested):
        said.append(
            "Models trained once (one seed in train.seeds): these tests speak of the models at hand; how "
            "much another training of the same method would differ is not measured."
        )
    if counted:
        within = [t for t in counted if t.seeds[0] <= 0 <= t.seeds[1]]
        said.append(
            "Gains are averaged over training seeds before they are tested. Intervals that count the seeds "
            f"as well exclude zero in {len(counted) - len(within)} of {len(counted)} tests"
            + (f"; they include it in {outcomes(within)}." if within else ".")
        )
    return tuple(said)


def once_trained(families: Mapping[str, Tests]) -> bool:
    """Whether a tested difference comes from methods trained once: of them, not of their kind, it speaks."""
    return any(t.effect and math.isnan(t.seeds[0]) for tests in families.values() for t in tests)


def by_opponent(tests: Tests) -> dict[str, list[Tested]]:
    """Group tests by the method that the comparison names second."""
    opponents: dict[str, list[Tested]] = {}
    for test in tests:
        opponents.setdefault(test.comparison.against, []).append(test)
    return opponents


def outcomes(tests: Tests) -> str:
    """Name the tests: their outcomes by opponent."""
    return "; ".join(
        f"{listing([t.metric.title for t in own])} against {opponent}"
        for opponent, own in by_opponent(tests).items()
    )


def listing(parts: Sequence[str]) -> str:
    """Join parts as in a sentence."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
