"""Paired statistics over source videos.

The unit is the source video: frames of one video are alike, so clips are averaged within a video first and
videos are what is resampled (a cluster bootstrap). Sources:
- studentised bootstrap interval: Efron and Tibshirani, An Introduction to the Bootstrap (1993), section 12.5;
  for means of few and skewed values it keeps its coverage where the percentile interval does not (Hesterberg,
  The American Statistician 69, 2015);
- matched-pairs rank-biserial correlation: Kerby, Comprehensive Psychology 3 (2014);
- permutation test of a difference of means by Welch's t: Janssen, Statistics & Probability Letters 36 (1997);
- the Wilcoxon test's efficiency against the t-test, 3/π for normal differences: Lehmann, Nonparametrics
  (1975), section 2.4.

Legend: n videos, k differences looked at together.
"""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]
Counts = npt.NDArray[np.uint32]

POWER = 0.8  # the convention for "could have been found" (Cohen 1988)
_EFFICIENCY = 3 / math.pi
_EXACT = 50  # videos: above, the normal approximation is as good as exact
_CHUNK = 4_000_000  # draws held at once: bounds memory at the thesis' sizes


@dataclass(frozen=True, kw_only=True)
class Effect:
    """A paired difference over `n` videos; what n is too small for is NaN."""

    n: int
    mean: float
    deviation: float
    """Standard deviation over videos."""
    low: float
    high: float
    """Ends of the bootstrap interval of the mean."""
    p: float
    """Wilcoxon signed-rank, two-sided."""
    rank_biserial: float
    """-1 … 1: share of rank sum that is positive minus the share that is negative."""


def effects(differences: Array, *, confidence: float, resamples: int, seed: int) -> list[Effect]:
    """Describe the columns of `differences` (n, k), one row per video, finite.

    Columns share the resamples, so intervals of related comparisons move together and k costs little.
    """
    low, high = bootstrap_interval([differences], confidence=confidence, resamples=resamples, seed=seed)
    n = len(differences)
    return [
        Effect(
            n=n,
            mean=float(column.mean()),
            deviation=float(column.std(ddof=1)) if n > 1 else math.nan,
            low=float(low[i]),
            high=float(high[i]),
            p=signed_rank_p(column),
            rank_biserial=rank_biserial(column),
        )
        for i, column in enumerate(differences.T)
    ]


def signed_rank_p(differences: Array) -> float:
    """Return the two-sided Wilcoxon signed-rank p; NaN for fewer than two videos, 1 where nothing differs.

    Videos without a difference are dropped (Wilcoxon's rule); tied ones share a middle rank, and up to 50
    videos p is exact all the same: the distribution is that of the ranks at hand over all signs.
    """
    if len(differences) < 2:
        return math.nan
    nonzero = differences[differences != 0]
    if not len(nonzero):
        return 1.0
    if len(nonzero) > _EXACT:
        return float(stats.wilcoxon(nonzero).pvalue)
    doubled = np.rint(2 * stats.rankdata(np.abs(nonzero))).astype(np.int64)  # middle ranks end in a half
    chances = np.zeros(doubled.sum() + 1)
    chances[0] = 1.0
    for rank in doubled:
        added = np.zeros_like(chances)
        added[rank:] = chances[: len(chances) - rank]
        chances = (chances + added) / 2
    positive = int(doubled[nonzero > 0].sum())
    return float(min(1.0, 2 * min(chances[: positive + 1].sum(), chances[positive:].sum())))


def rank_biserial(differences: Array) -> float:
    """Return the matched-pairs rank-biserial correlation, without zeros as in the test; 0: no difference."""
    nonzero = differences[differences != 0]
    if not len(nonzero):
        return 0.0
    ranks = stats.rankdata(np.abs(nonzero))
    return float((ranks * np.sign(nonzero)).sum() / ranks.sum())


def bootstrap_interval(
    groups: Sequence[Array], *, confidence: float, resamples: int, seed: int
) -> tuple[Array, Array]:
    """Return the studentised bootstrap interval of mean(groups[0]) - mean(groups[1]), or of one group's mean.

    Args:
        groups: One or two arrays (n_g, k) of independent videos; n may differ, k may not.
        confidence: Coverage, in (0, 1).
        resamples: Bootstrap resamples.
        seed: Of the draws: the same videos are drawn of as many.

    Returns:
        Lower and upper ends (k,). NaN where n is too small to bound the mean; both at the mean where nothing
        varies.
    """
    signs = (1.0, -1.0)
    mean = sum(s * g.mean(axis=0) for s, g in zip(signs, groups, strict=False))
    variance = sum(g.var(axis=0) / len(g) for g in groups)  # of the mean
    sizes = tuple(len(g) for g in groups)
    small = max(sizes) * resamples <= _CHUNK
    draws = _kept_counts(seed, sizes, resamples) if small else _counts(seed, sizes, resamples)
    t = []
    for counts in draws:
        parts = [_moments(c, g) for c, g in zip(counts, groups, strict=True)]
        drawn = sum(s * m for s, (m, _) in zip(signs, parts, strict=False))
        spread = np.asarray(sum(v for _, v in parts))
        spread[spread <= 1e-12 * variance] = 0.0  # equal draws leave rounding errors, not zero
        with np.errstate(divide="ignore", invalid="ignore"):
            t.append(np.nan_to_num(drawn / np.sqrt(spread), nan=0.0, posinf=math.inf, neginf=-math.inf))
    tail, joined = (1 - confidence) / 2, np.concatenate(t)
    # Not interpolated: a resample without spread has t = ±inf, and inf - inf would spoil its neighbours.
    below = np.quantile(joined, tail, axis=0, method="lower")
    above = np.quantile(joined, 1 - tail, axis=0, method="higher")
    error = np.sqrt(variance)
    with np.errstate(invalid="ignore"):
        low, high = mean - above * error, mean - below * error
    several = min(sizes) > 1
    unbounded, fixed = ~(np.isfinite(low) & np.isfinite(high) & several), (variance <= 0) & several
    low[unbounded] = high[unbounded] = math.nan
    return np.where(fixed, mean, low), np.where(fixed, mean, high)


def _counts(seed: int, sizes: Sequence[int], resamples: int) -> Iterator[list[Counts]]:
    """Yield how often each video of each group is drawn, (rows, n_g), in chunks of resamples."""
    rng = np.random.default_rng(seed)
    size = min(_CHUNK // max(sizes) + 1, resamples)
    for start in range(0, resamples, size):
        rows, chunk = min(size, resamples - start), []
        for n in sizes:
            draws = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
            counts = np.bincount(draws.ravel(), minlength=rows * n).reshape(rows, n)
            chunk.append(counts.astype(np.uint32))
        yield chunk


@functools.lru_cache(maxsize=8)
def _kept_counts(seed: int, sizes: Sequence[int], resamples: int) -> list[list[Counts]]:
    """Return the same, drawn once for all comparisons of a report that have as many videos."""
    return list(_counts(seed, sizes, resamples))


def _moments(counts: Counts, values: Array) -> tuple[Array, Array]:
    """Return the (centred) mean of `values` (n, k) and its variance in each resample."""
    n, k = values.shape
    centred = values - values.mean(axis=0)
    sums = counts.astype(np.float64) @ np.hstack([centred, centred**2]) / n
    return sums[:, :k], (sums[:, k:] - sums[:, :k] ** 2) / n


def permutation_p(one: Array, two: Array, *, resamples: int, rng: np.random.Generator) -> float:
    """Return the two-sided p of a difference between the means of two groups of videos.

    Permuted is Welch's t, which holds its level for groups of unequal spread as well; all divisions of the
    videos where these are no more than `resamples`, else a draw of them. NaN for a group of fewer than two
    videos, 1 where none differs from another.
    """
    if min(len(one), len(two)) < 2:
        return math.nan
    if not np.ptp(np.concatenate([one, two])):
        return 1.0
    method = stats.PermutationMethod(n_resamples=resamples, rng=rng)
    with np.errstate(divide="ignore", invalid="ignore"):  # a division without spread: t is infinite
        return float(stats.ttest_ind(one, two, equal_var=False, method=method).pvalue)


def detectable_between(one: Array, two: Array, alpha: float, resamples: int) -> float:
    """Return the smallest difference of two means that `permutation_p` at `alpha` finds with 80 % power.

    For normal values, by Welch's t; infinite where the permutation's smallest p is above `alpha`.
    """
    sizes = (len(one), len(two))
    divisions = math.comb(sum(sizes), sizes[0])
    if min(sizes) < 2 or 2 / min(divisions, resamples + 1) > alpha:
        return math.inf
    parts = [float(group.var(ddof=1)) / len(group) for group in (one, two)]
    if not sum(parts):
        return 0.0
    freedom = sum(parts) ** 2 / sum(
        part**2 / (len(group) - 1) for part, group in zip(parts, (one, two), strict=True)
    )
    steps = stats.t.ppf(1 - alpha / 2, freedom) + stats.t.ppf(POWER, freedom)
    return float(steps) * math.sqrt(sum(parts))


def seed_interval(differences: Array, seeds: Sequence[Array], *, confidence: float) -> tuple[float, float]:
    """Return an interval of the mean difference that counts training seeds as well as videos.

    Every seed's model sees the same videos, so the two are crossed and their variances add: that of the mean
    over videos, and that of each trained method's mean over its seeds. Each has its own t interval, whose
    squared half widths add (Zou and Donner, Statistics in Medicine 27, 2008): with two or three seeds
    Satterthwaite's degrees of freedom would cover too seldom.

    Args:
        differences: (n), one per video, averaged over seeds.
        seeds: For each of the two methods that was trained its mean with each seed, (s).
        confidence: Coverage, in (0, 1).

    Returns:
        The ends; NaN where one video or one training does not show how much another would differ.
    """
    samples = [differences, *seeds]
    if any(len(own) < 2 for own in samples):
        return math.nan, math.nan
    halves = [
        float(stats.t.ppf((1 + confidence) / 2, len(own) - 1) * own.std(ddof=1)) / math.sqrt(len(own))
        for own in samples
    ]
    mean, reach = float(differences.mean()), math.hypot(*halves)
    return mean - reach, mean + reach


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values of one family by Holm's method (Scandinavian Journal of Statistics 6, 1979).

    NaN (no test was possible) stays and does not count.
    """
    values = np.array(p, dtype=np.float64)
    order = np.argsort(values)[: int((~np.isnan(values)).sum())]
    # The smallest of m counts m times, the next m - 1 times …, and none less than a smaller one. statsmodels'
    # multipletests does the same and collects the whole process' garbage at each call.
    factors = np.arange(len(order), 0, -1)
    values[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1)
    return [float(value) for value in values]


def detectable(n: int, deviation: float, alpha: float) -> float:
    """Return the smallest mean difference that a two-sided Wilcoxon test at `alpha` finds with 80 % power.

    It is for n normal differences of this standard deviation, and in their unit; `alpha` is the level of the
    single test, after any correction. Infinite where no effect, however large, could be found: the test's
    smallest p with n videos is 2 / 2^n.
    """
    if n < 3 or 2.0 ** (1 - n) > alpha:
        return math.inf
    return _standardised(n, alpha) * deviation


@functools.cache
def _standardised(n: int, alpha: float) -> float:
    from statsmodels.stats.power import TTestPower

    # One side at half the level: the chance to reject on the wrong side is nothing at this power, and its
    # tail of the noncentral t comes out as NaN for many videos.
    rules = {"nobs": n * _EFFICIENCY, "alpha": alpha / 2, "power": POWER, "alternative": "larger"}
    return float(TTestPower().solve_power(**rules))
