"""Statistics against worked examples, independent implementations and simulation."""

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from lift.report import statistics
from lift.report.statistics import (
    bootstrap_interval,
    detectable,
    detectable_between,
    effects,
    holm,
    permutation_p,
    rank_biserial,
    seed_interval,
    signed_rank_p,
)
from lift.seeds import generator

# Darwin's maize: heights of cross- minus self-fertilised plants, eighths of an inch (Fisher 1935, table 3).
DARWIN = np.array([49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48], dtype=float)
# Survival times of the control mice of Efron and Tibshirani (1993), table 2.1.
MICE = np.array([10, 27, 31, 40, 46, 50, 52, 104, 146], dtype=float)


def interval(values, confidence=0.95, resamples=10_000, seed=0):
    return bootstrap_interval([values], confidence=confidence, resamples=resamples, seed=seed)


def test_signed_rank_p_equals_the_exact_enumeration_for_darwins_plants():
    ranks = stats.rankdata(np.abs(DARWIN))
    lesser = min(ranks[DARWIN > 0].sum(), ranks[DARWIN < 0].sum())
    signs = (np.arange(2**15)[:, None] >> np.arange(15)) & 1
    exact = 2 * np.mean(signs @ ranks <= lesser)
    assert lesser == 24
    assert signed_rank_p(DARWIN) == pytest.approx(exact, abs=1e-12)


def test_signed_rank_p_is_exact_with_ties_and_drops_zeros():
    values = np.array([0.5, -0.5, 0.5, 1.0, 1.0, -1.0, 2.0, 2.0, 0.0, 3.0, 0.0, 1.0])
    nonzero = values[values != 0]
    ranks = stats.rankdata(np.abs(nonzero))
    signs = (np.arange(2 ** len(ranks))[:, None] >> np.arange(len(ranks))) & 1
    sums, found = signs @ ranks, ranks[nonzero > 0].sum()
    exact = 2 * min(np.mean(sums <= found), np.mean(sums >= found))
    assert signed_rank_p(values) == pytest.approx(exact, abs=1e-12)
    assert signed_rank_p(-values) == pytest.approx(signed_rank_p(values))


@pytest.mark.parametrize("n", [2, 13, 50, 51, 300])
def test_signed_rank_p_equals_scipys_without_ties(n):
    values = np.random.default_rng(n).normal(0.2, 1, n)
    assert signed_rank_p(values) == pytest.approx(stats.wilcoxon(values).pvalue, rel=1e-9)


def test_one_video_that_differs_among_many_that_do_not_proves_nothing():
    values = np.zeros(40)
    values[3] = 5.0
    assert signed_rank_p(values) == 1
    assert signed_rank_p(np.zeros(40)) == 1


def test_rank_biserial_is_the_difference_of_the_rank_sums_shares():
    assert rank_biserial(DARWIN) == pytest.approx((96 - 24) / 120)
    assert rank_biserial(-DARWIN) == -rank_biserial(DARWIN)
    assert rank_biserial(np.array([1.0, 2.0, 0.0])) == 1


def test_holm_agrees_with_the_method_done_by_hand_and_skips_what_was_not_tested():
    assert holm([0.01, math.nan, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, math.nan, 0.06, 0.06, 0.02], nan_ok=True
    )


def test_holm_equals_statsmodels():
    p = np.random.default_rng(4).random(40) ** 3
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


def test_interval_agrees_with_the_published_one_for_the_mice():
    low, high = interval(MICE[:, None], confidence=0.9)
    assert low[0] == pytest.approx(35.82, abs=2)  # their 1,000 resamples against our 10,000
    assert high[0] == pytest.approx(116.74, abs=5)


def test_interval_equals_a_loop_over_the_same_resamples():
    values = np.random.default_rng(3).exponential(size=12)
    draws = np.random.default_rng(0).integers(0, 12, (500, 12))
    error = values.std() / math.sqrt(12)
    t = [(values[d].mean() - values.mean()) / (values[d].std() / math.sqrt(12)) for d in draws]
    below, above = np.quantile(t, 0.025, method="lower"), np.quantile(t, 0.975, method="higher")
    low, high = interval(values[:, None], resamples=500)
    assert low[0] == pytest.approx(values.mean() - above * error)
    assert high[0] == pytest.approx(values.mean() - below * error)


def test_interval_approaches_the_t_interval_for_many_normal_values():
    values = np.random.default_rng(1).normal(2, 3, 2000)
    low, high = interval(values[:, None])
    expected = stats.t.interval(0.95, 1999, values.mean(), values.std(ddof=1) / math.sqrt(2000))
    assert (low[0], high[0]) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("n", [16, 30])
def test_intervals_cover_the_mean_of_skewed_values_as_often_as_they_claim(n):
    values = np.random.default_rng(5).exponential(size=(n, 600)) - 1
    low, high = interval(values, resamples=1000)
    assert np.mean((low <= 0) & (high >= 0)) > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 600)


def test_interval_of_a_difference_of_groups_covers_it():
    rng = np.random.default_rng(6)
    one, two = rng.normal(1, 2, (12, 600)), rng.normal(0, 1, (8, 600))
    low, high = bootstrap_interval([one, two], confidence=0.95, resamples=1000, seed=6)
    assert np.mean((low <= 1) & (high >= 1)) > 0.95 - 3 * math.sqrt(0.95 * 0.05 / 600)


def test_resampling_in_chunks_changes_nothing_for_related_columns():
    values = np.random.default_rng(2).normal(size=(10, 1))
    low, high = interval(np.hstack([values, -values]))
    assert low[0] == pytest.approx(-high[1], abs=0.02)


@pytest.mark.parametrize("sizes", [(12,), (12, 8)])
def test_draws_that_are_kept_are_those_that_are_drawn_anew(sizes, monkeypatch):
    groups = [np.random.default_rng(n).normal(size=(n, 2)) for n in sizes]
    kept = [bootstrap_interval(groups, confidence=0.95, resamples=300, seed=3) for _ in range(2)]
    monkeypatch.setattr("lift.report.statistics._kept_counts", statistics._counts)
    anew = bootstrap_interval(groups, confidence=0.95, resamples=300, seed=3)
    other = bootstrap_interval(groups, confidence=0.95, resamples=300, seed=4)
    assert np.array_equal(kept, [anew, anew])
    assert not np.array_equal(other, anew)
    monkeypatch.setattr("lift.report.statistics._CHUNK", 50 * max(sizes))  # several chunks, nothing kept
    low, high = bootstrap_interval(groups, confidence=0.95, resamples=300, seed=3)
    assert (low < high).all()


def test_too_few_videos_give_no_interval_rather_than_a_narrow_one():
    for n in (1, 2, 3):
        low, high = interval(np.random.default_rng(n).normal(size=(n, 1)))
        assert np.isnan([low[0], high[0]]).all()


def test_one_video_is_described_and_not_tested():
    (effect,) = effects(np.array([[0.5]]), confidence=0.95, resamples=100, seed=0)
    assert effect.mean == 0.5
    assert np.isnan([effect.p, effect.low, effect.high, effect.deviation]).all()


def test_no_difference_anywhere_is_no_effect():
    (effect,) = effects(np.zeros((9, 1)), confidence=0.95, resamples=100, seed=0)
    assert (effect.mean, effect.low, effect.high, effect.p, effect.rank_biserial) == (0, 0, 0, 1, 0)


def test_detectable_is_infinite_where_the_smallest_p_cannot_pass():
    assert math.isinf(detectable(5, 1.0, 0.05))  # 2 / 2^5 = 0.0625
    assert math.isfinite(detectable(6, 1.0, 0.05))


def test_detectable_shrinks_with_the_root_of_n():
    assert detectable(4000, 1.0, 0.05) / detectable(1000, 1.0, 0.05) == pytest.approx(0.5, rel=0.01)


def test_an_effect_of_the_detectable_size_is_found_at_the_stated_power():
    rng = np.random.default_rng(7)
    alpha, n = 0.01, 30
    size = detectable(n, 1.0, alpha)
    found = np.mean([signed_rank_p(rng.normal(size, 1, n)) < alpha for _ in range(1000)])
    assert found == pytest.approx(0.8, abs=0.045)  # 3 standard errors, and the efficiency is asymptotic


def test_a_family_without_any_effect_errs_at_most_at_its_level():
    rng = np.random.default_rng(8)
    wrong = 0
    for _ in range(400):
        shared = rng.normal(size=(16, 1))  # outcomes of one video move together
        p = stats.wilcoxon(shared + rng.normal(size=(16, 8)), axis=0).pvalue
        wrong += min(holm(p)) < 0.05
    assert wrong / 400 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 400)


@pytest.mark.parametrize("seeds", [(3, 3), (3, None), (5, 2)])
def test_an_interval_with_seeds_covers_the_methods_difference_and_one_without_does_not(seeds):
    """Videos, seeds and their interplay vary: the truth is the mean over all videos and all trainings."""
    rng = np.random.default_rng(9)
    videos, runs, covered, narrow = 20, 500, 0, 0
    for _ in range(runs):
        video = rng.normal(0, 0.5, videos)
        own = [
            None if s is None else rng.normal(0, 0.5, (s, 1)) + rng.normal(0, 0.3, (s, videos)) for s in seeds
        ]
        scores = [np.zeros(videos) if part is None else part.mean(axis=0) for part in own]
        gain = video + scores[0] - scores[1]
        low, high = seed_interval(
            gain, [part.mean(axis=1) for part in own if part is not None], confidence=0.95
        )
        covered += low <= 0 <= high
        low, high = stats.t.interval(0.95, videos - 1, gain.mean(), stats.sem(gain))
        narrow += low <= 0 <= high
    assert covered / runs > 0.95 - 3 * math.sqrt(0.95 * 0.05 / runs)
    assert narrow / runs < 0.8


def test_one_training_says_nothing_of_another():
    gain = np.random.default_rng(1).normal(size=12)
    assert np.isnan(seed_interval(gain, [np.array([30.0])], confidence=0.95)).all()
    assert np.isnan(seed_interval(gain[:1], [np.array([1.0, 2.0])], confidence=0.95)).all()
    assert seed_interval(np.full(5, 2.0), [], confidence=0.95) == (2, 2)


def test_a_permutation_of_small_groups_is_exact():
    # 20 divisions of 3 + 3; only the two most extreme reach the observed one.
    one, two = np.array([5.0, 6.0, 7.0]), np.array([1.0, 2.0, 3.5])
    assert permutation_p(one, two, resamples=1000, rng=generator(1, "p")) == pytest.approx(2 / 20)
    assert permutation_p(one, one, resamples=1000, rng=generator(1, "p")) == 1
    assert permutation_p(np.ones(4), np.ones(5), resamples=100, rng=generator(1, "p")) == 1
    assert math.isnan(permutation_p(one[:1], two, resamples=100, rng=generator(1, "p")))


def test_the_detectable_difference_of_two_groups_is_found_four_times_in_five():
    draw = generator(3, "between")
    shape = np.array([draw.normal(size=20), 2 * draw.normal(size=20)])
    one, two = (part / part.std(ddof=1) * spread for part, spread in zip(shape, (1, 2), strict=True))
    gap = detectable_between(one, two, 0.01, 10000)
    hits = [
        stats.ttest_ind(gap + draw.normal(size=20), 2 * draw.normal(size=20), equal_var=False).pvalue < 0.01
        for _ in range(2000)
    ]
    assert np.mean(hits) == pytest.approx(0.8, abs=0.04)
    assert detectable_between(one[:3], two[:3], 0.05, 10000) == math.inf  # smallest p: 2 / 20
