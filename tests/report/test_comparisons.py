"""Declared comparisons, the verdicts that they are given, and the sentences made from them."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from lift.report.comparisons import (
    BETTER,
    COMPARISON,
    NONE,
    WORSE,
    by_stratum,
    decided,
    declared,
    describe,
    doubt,
    gains,
    gated,
    opponents,
    verdict,
)
from lift.report.page import answer
from lift.report.reading import read
from lift.report.statistics import detectable
from lift.report.tables.differences import every_test, gained, strata, verdicts, worst
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
    keys = {"against": against, "metric": metric, "benchmark": benchmark}
    (found,) = (row for row in tests.to_dict("records") if keys.items() <= row.items())
    return found


def changed(test, **effect):
    return test | {"effect": dataclasses.replace(test["effect"], **effect)}


def judged(results):
    """Test and sum up what is declared."""
    return decided(results, declared(results))


def test_every_declared_comparison_is_tested_in_every_outcome_on_every_population(results, tests):
    assert not tests.duplicated([*COMPARISON, "metric"]).any()
    assert len(tests) == 3 * 5 * len(results.config.report.comparisons)
    assert set(tests["benchmark"]) == {"ucf101", "davis", "scenes"}


def test_a_gain_is_positive_where_the_first_method_is_better_whatever_the_metrics_direction(results):
    psnr = gains(results, "ucf101", "psnr", "lift15", "repeat")
    error = gains(results, "ucf101", "ie", "lift15", "repeat")
    assert (psnr > 0).all()
    assert (error > 0).all()
    assert np.allclose(error, -gains(results, "ucf101", "ie", "repeat", "lift15"))


def test_what_has_no_flow_is_listed_as_not_tested(tests):
    test = of(tests, "repeat", "warping")
    assert (test["effect"], test["verdict"]) == (None, "repeat has no flow")


def test_the_correction_runs_over_the_whole_family_of_one_population(tests):
    for _, rows in tests.groupby(["family", "benchmark"]):
        own = [row for row in rows.to_dict("records") if row["effect"]]
        smallest = min(own, key=lambda row: row["effect"].p)
        assert smallest["p_holm"] == pytest.approx(min(1, len(own) * smallest["effect"].p))
        effect, first = own[0]["effect"], (1 - 0.95) / len(own)
        assert own[0]["detectable"] == pytest.approx(detectable(effect.n, effect.deviation, first))


def test_tests_are_the_same_in_every_run(results, tests):
    assert list(declared(results)["effect"]) == list(tests["effect"])


def test_few_videos_are_given_no_verdict_however_small_the_p(results, tests):
    assert of(tests, "repeat")["p_holm"] < 0.05
    assert of(tests, "repeat")["verdict"] == "not judged: fewer than 30 videos"
    said = answer(results, decided(results, tests))
    assert said["headline"][0].startswith("Width: not judged: fewer than 30 videos.")
    assert any("16 videos, fewer than the 30" in text for text in said["bounds"])
    assert any("rendered stand-ins" in text for text in said["bounds"])
    assert not any(row[-1].mark for row in verdicts(results, decided(results, tests)).cells)


@pytest.mark.parametrize(("effect", "told"), [
    ({}, BETTER), ({"low": -0.35}, NONE), ({"mean": -1.0, "low": -2.0, "high": -0.5}, NONE),
    ({"mean": -1.0, "low": -2.0, "high": -0.5, "rank_biserial": -0.9}, WORSE), ({"low": math.nan}, NONE),
])  # fmt: skip
def test_better_needs_the_interval_the_mean_and_the_ranks_on_one_side(results, effect, told):
    test = of(declared(deciding(results, ("lift15", "repeat"))), "repeat")
    assert verdict(changed(test, **effect)) == told
    assert verdict(test | {"p_holm": 0.2}) == NONE
    assert verdict(test | {"agree": False}) == NONE


def test_no_difference_beside_an_interval_without_0_says_why(results):
    asked = deciding(results, ("lift15", "repeat"))
    tests = declared(asked)
    tests.loc[:, "verdict"] = NONE
    for change, told in (({"p_holm": 0.2}, "corrected p 0.20"), ({"agree": False}, "trainings disagree")):
        found = decided(asked, tests.assign(**change))
        (row,) = (row for row in verdicts(asked, found).cells if row[2].text == "UCF101")
        assert row[-1].text == f"no difference shown (PSNR: {told})"
        assert f", {told})" in answer(asked, found)["headline"][0]
    test = of(tests, "repeat")
    assert doubt(changed(test, low=-0.1)) == doubt(test | {"verdict": BETTER}) == ""


def test_parts_that_were_trained_once_are_not_judged_and_untrained_ones_are(results):
    asked = deciding(results, ("lift15", "repeat"), ("rife_v4", "repeat"), least_seeds=3)
    once, never = declared(asked).query("metric == 'psnr' and benchmark == 'ucf101'")["verdict"]
    assert once == "not judged: trained once"
    assert (never, results.trainings["rife_v4"]) == (BETTER, 0)


def test_several_trainings_are_averaged_and_must_agree_in_sign(tmp_path):
    base, configs = fake.seeded(7, 8, 9)
    fake.write(tmp_path, ("lift15", "ctx3", "layers4", "repeat"), kept=(), seeds=(7, 8, 9))
    results = deciding(
        read(base, configs, tmp_path), ("lift15", "ctx3"), ("lift15", "layers4"), least_seeds=3, worst=0
    )
    tests = declared(results)
    sure, unsure = of(tests, "ctx3"), of(tests, "layers4")
    means = [results.seed_means(m, "ucf101", "psnr") for m in ("lift15", "ctx3")]
    assert sure["effect"].mean == pytest.approx(means[0].mean() - means[1].mean())
    assert sure["low"] < sure["effect"].mean < sure["high"]
    assert (sure["agree"], sure["verdict"]) == (True, BETTER)
    signs = np.sign(
        np.subtract.outer(*(results.seed_means(m, "ucf101", "psnr") for m in ("lift15", "layers4")))
    )
    assert unsure["agree"] == (np.ptp(signs) == 0)
    row = (
        verdicts(results, decided(results, tests)).frame.set_index("comparison").loc["lift15 - ctx3"].iloc[0]
    )
    assert row["trainings"] == "3 / 3"
    # So do several trainings that were released, and are no ablations of this run.
    config = results.config
    released = dataclasses.replace(config, ablations=(), released=config.ablations)
    again = of(declared(dataclasses.replace(results, config=released)), "layers4")
    assert [again[key] for key in ("low", "high", "agree")] == [
        unsure[key] for key in ("low", "high", "agree")
    ]


def test_a_model_that_is_no_better_than_the_references_as_they_are_gets_a_sentence_and_no_verdict(results):
    asked = deciding(results, ("lift15", "ctx3"), ("rife_v4", "dis"), gate={"ucf101": "average"})
    rows = {m: dict(by_benchmark) for m, by_benchmark in asked.rows.items()}
    rows["average"]["ucf101"] = rows["ctx3"]["ucf101"].copy()
    rows["average"]["ucf101"]["psnr"] += np.linspace(0.5, 1.5, 16)
    asked = dataclasses.replace(asked, rows=rows)
    assert ("ucf101", "ctx3") in gated(asked)
    assert of(declared(asked), "ctx3")["verdict"] == "not judged: no better than the average"
    # On another population it is asked again.
    assert "no better" not in of(declared(asked), "ctx3", benchmark="scenes")["verdict"]
    said = " ".join(answer(asked, judged(asked))["bounds"])
    assert "Ctx3, trained once here, is not shown to be better than the average on UCF101" in said


def test_each_reading_of_the_question_is_one_sentence(results):
    asked = deciding(results)
    said = answer(asked, judged(asked))
    width, position = said["headline"]
    assert width.startswith("Width: H0 is rejected; on UCF101 (16 videos) lift15 is better than repeat (+")
    rendered = dataclasses.replace(asked, procedural={**asked.procedural, "ucf101": True})
    assert "on UCF101 (rendered stand-ins, 16 videos)" in answer(rendered, judged(rendered))["headline"][0]
    assert position.startswith("Position: H0 is ")
    assert "uniform" not in width + position  # a check of robustness
    assert "matched" not in width + position  # exploratory
    assert list(said["pico"])[:5] == [
        "Population",
        "Intervention",
        "Comparison",
        "Outcome",
        "H0",
    ]


def test_a_comparison_that_comes_out_against_the_hypothesis_is_told_and_rejects_nothing(results):
    asked = deciding(results, ("ctx3", "lift15"))
    (said,) = answer(asked, judged(asked))["headline"]
    assert said.startswith("Width: H0 is not rejected; on UCF101 (16 videos) ctx3 is worse than lift15 (−")


def test_to_beat_a_repeated_frame_alone_is_told_beside_what_was_not_shown(results):
    asked = deciding(results, ("shift0", "repeat"), ("shift0", "layers4"))
    (said,) = answer(asked, judged(asked))["headline"]
    assert said.startswith("Width: H0 is rejected, but not against every comparison; on UCF101")
    assert "no difference is shown between shift0 and layers4" in said


def test_better_in_one_outcome_and_worse_in_another_is_mixed(results):
    asked = deciding(results, ("lift15", "repeat"))
    first, second, *rest = declared(asked).query("benchmark == 'ucf101'").to_dict("records")
    turned = changed(second, mean=-1.0, low=-2.0, high=-0.5, rank_biserial=-0.9)
    tests = pd.DataFrame(
        [first, turned | {"verdict": verdict(turned)}, *(row | {"verdict": NONE} for row in rest)]
    )
    assert list(decided(asked, tests)["verdict"]) == ["mixed: better in PSNR; worse in SSIM"]
    tests["verdict"] = [BETTER, NONE, NONE, BETTER, NONE]
    assert list(decided(asked, tests)["verdict"]) == [BETTER]


def test_what_is_better_in_other_outcomes_than_psnr_names_them(results):
    asked = deciding(results, ("ctx3", "lift15"))
    tests = declared(asked)
    tests.loc[:, "verdict"] = [BETTER if key == "ssim" else NONE for key in tests["metric"]]
    (verdict,) = set(decided(asked, tests)["verdict"])
    assert verdict == "better in SSIM alone"
    (said, *_) = answer(asked, decided(asked, tests))["headline"]
    assert "the outcomes are mixed" in said
    assert "against lift15" in said


def test_a_reading_is_told_by_what_two_methods_differ_in(results):
    readings = {
        "shift3": "position",
        "uniform": "robustness",
        "ctx3": "width",
        "repeat": "width",
        "no_s1": "method",
    }
    found = judged(deciding(results, *(("lift15", against) for against in readings)))
    assert dict(zip(found["against"], found["reading"], strict=True)) == readings
    tried = judged(deciding(results, ("lift15", "ctx3"), family="exploratory"))
    assert set(tried["reading"]) == {"exploratory"}


def test_a_gain_has_one_interval_in_the_whole_report(results):
    gain = gains(results, "ucf101", "psnr", "lift15", "ctx3")
    other = gains(results, "ucf101", "psnr", "lift15", "repeat")
    alone, beside = describe(results, gain)[0], describe(results, other, gain)[1]
    assert (alone.low, alone.high) == pytest.approx((beside.low, beside.high), rel=1e-9)


def test_a_method_without_results_is_named_and_not_passed_over(own):
    folder, config, configs = own
    (folder / "results" / "ctx3").rename(folder / "results" / "gone")
    results = deciding(read(config, configs, folder), ("lift15", "repeat"), ("lift15", "ctx3"))
    tests = declared(results)
    assert of(tests, "ctx3")["verdict"] == "ctx3 has no results yet"
    assert "ctx3 has no results yet" in set(every_test(results, tests).frame["result"])


def test_rows_that_were_kept_are_told(results):
    kept = dataclasses.replace(results, absent=("ucf101", "cityscapes"))
    assert kept.kept == ["ucf101"]
    assert any("Kept and not measured again" in text for text in answer(kept, judged(kept))["bounds"])


def test_gains_and_the_worst_video_are_those_of_the_videos(results):
    cells = gained(results, "ucf101").frame.set_index("method").loc["ctx7"]
    gain = gains(results, "ucf101", "psnr", "ctx7", "lift15")
    assert cells["over_lift15"] == pytest.approx(gain.mean())
    assert cells["worst_lift15"] == pytest.approx(gain.min())
    assert cells["worst_lift15_beside"] == np.unique(results.videos("ucf101"))[gain.argmin()]
    first = worst(results).frame.query("population == 'UCF101'").iloc[0]
    assert first["gain"] == pytest.approx(gains(results, "ucf101", "psnr", "lift15", fake.RELEASED).min())


def test_the_interaction_is_the_gain_beyond_that_in_plain_scenes(results):
    rows = by_stratum(results).query("metric == 'psnr'").set_index(["against", "kind"])
    assert set(rows.index.get_level_values("against")) == {"ctx3", "repeat"} == set(opponents(results))
    row, plain = rows.loc[("ctx3", "occlusion")], rows.loc[("ctx3", "plain")]
    assert row["excess"] == pytest.approx(row["effect"].mean - plain["effect"].mean)
    assert row["low"] < row["excess"] < row["high"]
    assert np.isnan(plain["excess"])
    assert np.isnan(plain["p_holm"])


def test_interactions_of_all_metrics_and_methods_are_one_family(results):
    rows = by_stratum(results).query("kind != 'plain'")
    assert len(rows) == 3 * 4  # a repeated frame has no flow
    assert rows["p_holm"].min() == pytest.approx(min(1, len(rows) * rows["p"].min()))


def test_a_loss_that_is_smaller_than_in_the_control_is_no_benefit(results):
    row = by_stratum(results).iloc[1].to_dict() | {"excess": 1.0, "p_holm": 0.001, "found": 1}
    row = changed(row, mean=1.0, low=0.5)
    loss = changed(row, mean=-0.5, low=-0.8, high=-0.2)
    said = list(strata(results, pd.DataFrame([row, loss])).frame["result"])
    assert said == ["a larger gain than in the control", "more than in the control, but no gain"]


def test_what_the_corrected_test_finds_has_the_sign_of_the_excess(results):
    rows = by_stratum(results)
    sure = rows["p_holm"] < 1 - results.config.report.confidence
    assert sure.any()
    assert (rows["found"][sure] == np.sign(rows["excess"][sure])).all()
    assert not rows["found"][~sure].any()


def test_a_video_with_judder_in_one_clip_has_it_all_over(results):
    rows = {m: dict(by) for m, by in results.rows.items()}
    for method in results.measured("ucf101"):
        frame = rows[method]["ucf101"].copy()
        frame["group"] = [f"v{i // 2}" for i in range(len(frame))]
        frame.loc[:4, "kind"] = ["judder", "", "", "judder", ""]
        rows[method]["ucf101"] = frame
    own = dataclasses.replace(results, rows=rows)
    assert list(own.kinds("ucf101")[:6]) == ["judder", "judder", "judder", "judder", "", ""]
    found = by_stratum(own).query("benchmark == 'ucf101' and against == 'ctx3'")
    assert {row.kind: row.effect.n for row in found.itertuples()} == {"": 6, "judder": 2}
