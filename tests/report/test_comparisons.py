"""Declared comparisons, the verdicts that they are given, and the sentences made from them."""

import dataclasses
import math

import numpy as np
import pytest

from lift.report.answer import answer, judged, reading
from lift.report.comparisons import BETTER, NONE, WORSE, declared, gains, gated
from lift.report.reading import read
from lift.report.statistics import detectable
from lift.report.strata import by_stratum, opponents
from lift.report.tables.judged import every_test, gained, strata, verdicts, worst
from tests.report import fake


def with_report(results, **changes):
    config = results.config
    report = dataclasses.replace(config.report, **changes)
    return dataclasses.replace(results, config=dataclasses.replace(config, report=report))


def deciding(results, *pairs, family="width", **changes):
    """The same results where few videos and one training are enough for a verdict, with these comparisons."""
    (first, *_) = results.config.report.comparisons
    asked = tuple(dataclasses.replace(first, family=family, method=m, against=a) for m, a in pairs)
    changes = {"least_videos": 5, "least_seeds": 1, "gate": {}, **changes}
    real = dataclasses.replace(results, procedural=dict.fromkeys(results.procedural, False))
    return with_report(real, **({"comparisons": asked} if pairs else {}), **changes)


def of(tests, against, metric="psnr", benchmark="ucf101"):
    (found,) = [
        t for t in tests if (t.comparison.against, t.metric.key, t.benchmark) == (against, metric, benchmark)
    ]
    return found


def changed(test, **effect):
    return dataclasses.replace(test, effect=dataclasses.replace(test.effect, **effect))


def test_every_declared_comparison_is_tested_in_every_outcome_on_every_population(results, tests):
    found = [(t.comparison, t.metric.key, t.benchmark) for t in tests]
    assert len(found) == len(set(found)) == 3 * 5 * len(results.config.report.comparisons)
    assert {t.benchmark for t in tests} == {"ucf101", "davis", "scenes"}


def test_a_gain_is_positive_where_the_first_method_is_better_whatever_the_metrics_direction(results):
    psnr = gains(results, "ucf101", "psnr", "lift15", "repeat")
    error = gains(results, "ucf101", "ie", "lift15", "repeat")
    assert (psnr > 0).all()
    assert (error > 0).all()
    assert np.allclose(error, -gains(results, "ucf101", "ie", "repeat", "lift15"))


def test_what_has_no_flow_is_listed_as_not_tested(tests):
    test = of(tests, "repeat", "warping")
    assert (test.effect, test.verdict) == (None, "repeat has no flow")


def test_the_correction_runs_over_the_whole_family_of_one_population(tests):
    keys = dict.fromkeys((t.comparison.family, t.benchmark) for t in tests)
    for key in keys:
        own = [t for t in tests if (t.comparison.family, t.benchmark) == key and t.effect]
        smallest = min(own, key=lambda t: t.effect.p)
        assert smallest.p_holm == pytest.approx(min(1, len(own) * smallest.effect.p))
        first = (1 - 0.95) / len(own)
        assert own[0].detectable == pytest.approx(detectable(own[0].effect.n, own[0].effect.deviation, first))


def test_tests_are_the_same_in_every_run(results, tests):
    assert [t.effect for t in declared(results)] == [t.effect for t in tests]


def test_few_videos_are_given_no_verdict_however_small_the_p(results, tests):
    assert of(tests, "repeat").p_holm < 0.05
    assert of(tests, "repeat").verdict == "not judged: fewer than 30 videos"
    said = answer(results, tests)
    assert said.headline[0].startswith("Width: not judged: fewer than 30 videos.")
    assert any("16 videos, fewer than the 30" in text for text in said.bounds)
    assert any("rendered stand-ins" in text for text in said.bounds)
    assert not any(row[-1].mark for row in verdicts(results, tests).rows)


@pytest.mark.parametrize(("effect", "verdict"), [
    ({}, BETTER), ({"low": -0.35}, NONE), ({"mean": -1.0, "low": -2.0, "high": -0.5}, NONE),
    ({"mean": -1.0, "low": -2.0, "high": -0.5, "rank_biserial": -0.9}, WORSE), ({"low": math.nan}, NONE),
])  # fmt: skip
def test_better_needs_the_interval_the_mean_and_the_ranks_on_one_side(results, effect, verdict):
    test = of(declared(deciding(results, ("lift15", "repeat"))), "repeat")
    assert changed(test, **effect).verdict == verdict
    assert dataclasses.replace(test, p_holm=0.2).verdict == NONE
    assert dataclasses.replace(test, agree=False).verdict == NONE


def test_parts_that_were_trained_once_are_not_judged_and_untrained_ones_are(results):
    asked = deciding(results, ("lift15", "repeat"), ("rife_v4", "repeat"), least_seeds=3)
    once, never = [t for t in declared(asked) if t.metric.key == "psnr" and t.benchmark == "ucf101"]
    assert once.verdict == "not judged: trained once"
    assert (never.verdict, results.trainings["rife_v4"]) == (BETTER, 0)


def test_several_trainings_are_averaged_and_must_agree_in_sign(tmp_path):
    base, configs = fake.seeded(7, 8, 9)
    fake.write(tmp_path, ("lift15", "ctx3", "layers4", "repeat"), kept=(), seeds=(7, 8, 9))
    results = deciding(
        read(base, configs, tmp_path), ("lift15", "ctx3"), ("lift15", "layers4"), least_seeds=3, worst=0
    )
    tests = declared(results)
    sure, unsure = of(tests, "ctx3"), of(tests, "layers4")
    means = [results.seed_means(m, "ucf101", "psnr") for m in ("lift15", "ctx3")]
    assert sure.effect.mean == pytest.approx(means[0].mean() - means[1].mean())
    assert sure.seeds[0] < sure.effect.mean < sure.seeds[1]
    assert (sure.agree, sure.verdict) == (True, BETTER)
    signs = np.sign(
        np.subtract.outer(*(results.seed_means(m, "ucf101", "psnr") for m in ("lift15", "layers4")))
    )
    assert unsure.agree == (np.ptp(signs) == 0)
    row = next(row for row in verdicts(results, tests).rows if row[0].key == "lift15 - ctx3")
    assert row[7].text == "3 / 3"


def test_a_model_that_is_no_better_than_the_references_as_they_are_gets_a_sentence_and_no_verdict(results):
    asked = deciding(results, ("lift15", "ctx3"), ("rife_v4", "dis"), gate={"ucf101": "average"})
    rows = {m: dict(by_benchmark) for m, by_benchmark in asked.rows.items()}
    rows["average"]["ucf101"] = rows["ctx3"]["ucf101"].copy()
    rows["average"]["ucf101"]["psnr"] += np.linspace(0.5, 1.5, 16)
    asked = dataclasses.replace(asked, rows=rows)
    assert "ctx3" in gated(asked)
    assert of(declared(asked), "ctx3").verdict == "not judged: no better than the references as they are"
    said = " ".join(answer(asked, declared(asked)).bounds)
    assert "Ctx3, trained once here, is not better than the average on UCF101" in said


def test_each_reading_of_the_question_is_one_sentence(results):
    asked = deciding(results)
    said = answer(asked, declared(asked))
    width, position = said.headline
    assert width.startswith("Width: H0 is rejected; on UCF101 (16 videos) lift15 is better than repeat (+")
    rendered = dataclasses.replace(asked, procedural={**asked.procedural, "ucf101": True})
    assert "on UCF101 (rendered stand-ins, 16 videos)" in answer(rendered, declared(rendered)).headline[0]
    assert position.startswith("Position: H0 is ")
    assert "uniform" not in width + position  # a check of robustness
    assert "matched" not in width + position  # exploratory
    assert [name for name, _ in said.pico][:5] == [
        "Population",
        "Intervention",
        "Comparison",
        "Outcome",
        "H0",
    ]


def test_a_comparison_that_comes_out_against_the_hypothesis_is_told_and_rejects_nothing(results):
    asked = deciding(results, ("ctx3", "lift15"))
    (said,) = answer(asked, declared(asked)).headline
    assert said.startswith("Width: H0 is not rejected; on UCF101 (16 videos) ctx3 is worse than lift15 (−")


def test_to_beat_a_repeated_frame_alone_is_told_beside_what_was_not_shown(results):
    asked = deciding(results, ("shift0", "repeat"), ("shift0", "layers4"))
    (said,) = answer(asked, declared(asked)).headline
    assert said.startswith("Width: H0 is rejected, but not against every comparison; on UCF101")
    assert "no difference is shown between shift0 and layers4" in said


def test_better_in_one_outcome_and_worse_in_another_is_mixed(results):
    first, second, *_ = declared(deciding(results, ("lift15", "repeat")))
    turned = changed(second, mean=-1.0, low=-2.0, high=-0.5, rank_biserial=-0.9)
    assert judged([first, turned]) == f"mixed: better in {first.metric.title}; worse in {second.metric.title}"
    assert judged([first, first]) == BETTER


def test_a_reading_is_told_by_what_two_methods_differ_in(results):
    (first, *_) = results.config.report.comparisons
    for against, about in (
        ("shift3", "position"),
        ("uniform", "robustness"),
        ("ctx3", "width"),
        ("repeat", "width"),
        ("no_s1", "method"),
    ):
        assert reading(results, dataclasses.replace(first, against=against)) == about


def test_a_method_without_results_is_named_and_not_passed_over(own):
    folder, config, configs = own
    (folder / "results" / "ctx3").rename(folder / "results" / "gone")
    results = deciding(read(config, configs, folder), ("lift15", "repeat"), ("lift15", "ctx3"))
    tests = declared(results)
    assert of(tests, "ctx3").verdict == "ctx3 has no results yet"
    assert "ctx3 has no results yet" in {row[-1].text for row in every_test(results, tests).rows}


def test_rows_that_were_kept_are_told(results):
    kept = dataclasses.replace(results, absent=("ucf101", "cityscapes"))
    assert kept.kept == ["ucf101"]
    assert any("Kept and not measured again" in text for text in answer(kept, declared(kept)).bounds)


def test_gains_and_the_worst_video_are_those_of_the_videos(results):
    table = gained(results, "ucf101")
    row = next(row for row in table.rows if row[0].key == "ctx7")
    cells = dict(zip([column.key for column in table.columns], row, strict=True))
    gain = gains(results, "ucf101", "psnr", "ctx7", "lift15")
    assert cells["over_lift15"].value == pytest.approx(gain.mean())
    assert cells["worst_lift15"].value == pytest.approx(gain.min())
    assert cells["worst_lift15"].text == np.unique(results.videos("ucf101"))[gain.argmin()]
    first = next(row for row in worst(results).rows if row[1].text == "UCF101")
    assert first[3].value == pytest.approx(gains(results, "ucf101", "psnr", "lift15", fake.RELEASED).min())


def test_the_interaction_is_the_gain_beyond_that_in_plain_scenes(results):
    rows = {(row.against, row.kind): row for row in by_stratum(results) if row.metric == "psnr"}
    assert {against for against, _ in rows} == {"ctx3", "repeat"} == set(opponents(results))
    row, plain = rows["ctx3", "occlusion"], rows["ctx3", "plain"]
    assert row.excess == pytest.approx(row.effect.mean - plain.effect.mean)
    assert row.low < row.excess < row.high
    assert np.isnan(plain.excess)
    assert np.isnan(plain.p_holm)


def test_interactions_of_all_metrics_and_methods_are_one_family(results):
    rows = [row for row in by_stratum(results) if row.kind != "plain"]
    assert len(rows) == 3 * 4  # a repeated frame has no flow
    assert min(r.p_holm for r in rows) == pytest.approx(min(1, len(rows) * min(r.p for r in rows)))


def test_a_loss_that_is_smaller_than_in_the_control_is_no_benefit(results):
    row = dataclasses.replace(by_stratum(results)[1], excess=1.0, p_holm=0.001)
    row = dataclasses.replace(row, effect=dataclasses.replace(row.effect, mean=1.0, low=0.5))
    loss = dataclasses.replace(row, effect=dataclasses.replace(row.effect, mean=-0.5, low=-0.8, high=-0.2))
    assert (row.benefits(0.05), loss.found(0.05), loss.benefits(0.05)) == (True, 1, False)
    said = {line[-1].text for line in strata(results, [row, loss]).rows}
    assert said == {"a larger gain than in the control", "more than in the control, but no gain"}


def test_a_video_with_judder_in_one_clip_has_it_all_over(results):
    rows = {m: dict(by) for m, by in results.rows.items()}
    for method in results.measured("ucf101"):
        frame = rows[method]["ucf101"].copy()
        frame["group"] = [f"v{i // 2}" for i in range(len(frame))]
        frame.loc[:4, "kind"] = ["judder", "", "", "judder", ""]
        rows[method]["ucf101"] = frame
    own = dataclasses.replace(results, rows=rows)
    assert list(own.kinds("ucf101")[:6]) == ["judder", "judder", "judder", "judder", "", ""]
    found = [row for row in by_stratum(own) if (row.benchmark, row.against) == ("ucf101", "ctx3")]
    assert {row.kind: row.effect.n for row in found} == {"": 6, "judder": 2}
