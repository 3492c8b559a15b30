"""The gain of the declared wide window by kind of video: the claim of specification section 1 on hard scenes.

The claim is an interaction: not that the gain in a stratum is positive, but that it is larger than in plain
scenes. Its tests, of all kinds, comparisons and metrics of a benchmark, are one family (Holm); and an
interaction is a benefit only where the gain itself is positive, for a loss can be smaller than another. Real
video has one stratum, of frames that repeat while the scene moves (judder), against all other videos.
"""

import math
from typing import Any

import pandas as pd

from lift.report.comparisons import describe, gains
from lift.report.names import CONTROL, STRATA
from lift.report.results import Results
from lift.report.statistics import bootstrap_interval, detectable_between, holm, permutation_p
from lift.seeds import derive, generator

METRICS = ("psnr", "epe")
_MEASURED = ("excess", "low", "high", "p", "detectable", "p_holm", "found")
COLUMNS = ["benchmark", "against", "metric", "kind", "effect", *_MEASURED]


def opponents(results: Results) -> list[str]:
    """List the methods of the two references alone that the base is compared with by declaration."""
    asked = [c.against for c in results.config.report.comparisons if c.method == results.base]
    return [m for m in dict.fromkeys(asked) if results.narrow(m)]


def by_stratum(results: Results) -> pd.DataFrame:
    """Return the base's gain in every kind of video of each population that has kinds, interactions tested.

    Returns:
        One row for each population, opponent, metric and kind: `effect`, the gain; `excess`, how much it is
        beyond that in the control (the interaction), with the interval `low`, `high`; `p` and `p_holm`,
        two-sided and corrected over the population; `detectable`, the smallest excess that these videos
        find with 80 % power as the family's smallest p; all NaN for the control itself. `found`: +1 where
        the corrected test finds the gain to be larger than in the control, -1 smaller, 0 neither.
    """
    rows = [row for name in results.populations for row in _of(results, name)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of(results: Results, benchmark: str) -> list[dict[str, Any]]:
    present = set(results.kinds(benchmark)) if results.frame(results.base, benchmark) is not None else set()
    kinds = [*(kind for kind in STRATA if kind in present), *sorted(present - set(STRATA))]
    control = CONTROL if CONTROL in present else ""
    if len(kinds) < 2 or control not in present:
        return []
    asked = [
        (metric, against)
        for metric in METRICS
        for against in opponents(results)
        if all(results.has(method, benchmark, metric) for method in (results.base, against))
    ]
    report, rows = results.config.report, []
    level = 1 - report.confidence
    smallest = level / max(1, len(asked) * (len(kinds) - 1))
    for metric, against in asked:
        plain = gains(results, benchmark, metric, results.base, against, control)
        for kind in kinds:
            here = gains(results, benchmark, metric, results.base, against, kind)
            (effect,) = describe(results, here)
            row: dict[str, Any] = {"benchmark": benchmark, "metric": metric, "against": against}
            row |= {"kind": kind, "effect": effect, **dict.fromkeys(_MEASURED, math.nan)}
            rows.append(row)
            if kind == control:
                continue
            (low,), (high,) = bootstrap_interval(
                [here[:, None], plain[:, None]],
                confidence=report.confidence,
                resamples=report.resamples,
                seed=derive(results.config.seed, "report", "bootstrap"),
            )
            row |= {"excess": float(here.mean() - plain.mean()), "low": float(low), "high": float(high)}
            rng = generator(results.config.seed, "report", "permutation")
            row["p"] = permutation_p(here, plain, resamples=report.resamples, rng=rng)
            row["detectable"] = detectable_between(here, plain, smallest, report.resamples)
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row |= {"p_holm": p, "found": (1 if row["excess"] > 0 else -1) if p < level else 0}  # 0 for NaN
    return rows
