"""Declared comparisons and the sentences made from them."""

import dataclasses
import math

import numpy as np
import pytest

from lift.report.answer import answer
from lift.report.comparisons import declared, gains
from lift.report.curves import read_curves
from lift.report.reading import read
from lift.report.statistics import detectable
from lift.report.strata import by_stratum, narrow_methods, trend
from lift.report.tables.effects import of_family, of_strata
from tests.report import fake

ONCE = "Each model was trained once: this is about these models, not yet about their methods."


def with_report(results, **changes):
    config = results.config
    return dataclasses.replace(
        results, config=dataclasses.replace(config, report=dataclasses.replace(config.report, **changes))
    )


def real(results):
    return dataclasses.replace(results, procedural=dict.fromkeys(results.procedural, False))


def test_every_declared_comparison_is_tested_in_every_outcome(results, families):
    found = [(t.comparison, t.metric.key) for tests in families.values() for t in tests]
    assert len(found) == len(set(found)) == 5 * len(results.config.report.comparisons)


def test_a_gain_is_positive_where_the_first_method_is_better_whatever_the_metrics_direction(results):
    psnr = gains(results, "ucf101", "psnr", "lift15", "repeat")
    error = gains(results, "ucf101", "ie", "lift15", "repeat")
    assert (psnr > 0).all()
    assert (error > 0).all()
    assert np.allclose(error, -gains(results, "ucf101", "ie", "repeat", "lift15"))


def test_what_has_no_flow_is_listed_as_not_tested(families):
    (test,) = [t for t in families["width"] if t.comparison.against == "repeat" and t.metric.key == "warping"]
    assert test.effect is None
    assert test.reason == "repeat has no flow"


def test_the_correction_runs_over_the_whole_family(families):
    for tests in families.values():
        measured = [t for t in tests if t.effect]
        smallest = min(measured, key=lambda t: t.effect.p)
        assert smallest.p_holm == pytest.approx(min(1, len(measured) * smallest.effect.p))


def test_tests_are_the_same_in_every_run(results, families):
    again = declared(results)
    assert [t.effect for t in again["width"]] == [t.effect for t in families["width"]]


def test_few_videos_are_said_to_decide_nothing_however_small_the_p(results, families):
    said = answer(real(results), families)
    assert said.headline == "These results do not answer the question."
    assert "16 source videos where 30 are the least" in said.caveats[0]
    assert all("n is too small to say anything" in text for text in said.verdicts.values())


def test_stand_ins_are_said_to_say_nothing_about_real_video(results, families):
    said = answer(with_report(results, least_videos=5), families)
    assert "procedural stand-ins take the place of UCF101" in said.caveats[0]
    assert "(on these stand-ins)" in said.verdicts["width"]


def test_enough_real_videos_decide_by_the_corrected_tests(results, families):
    enough = with_report(real(results), least_videos=5)
    said = answer(enough, families)
    assert not said.caveats
    assert said.headline == (
        "Width: H0 is rejected against repeat, ctx3 and ctx7. "
        "Position: H0 is not rejected against shift0. "
        f"Exploratory: H0 is not rejected against matched_ctx3. {ONCE}"
    )
    assert ": 0 of 10 tests find lift15 better" in said.verdicts["position"]


def test_a_comparison_that_comes_out_against_the_hypothesis_is_told_and_rejects_nothing(results):
    (first, *_) = results.config.report.comparisons
    reverse = dataclasses.replace(first, method="ctx3", against="lift15")
    turned = with_report(real(results), comparisons=(reverse,), least_videos=5)
    said = answer(turned, declared(turned))
    assert said.headline == f"Width: H0 is not rejected against lift15. {ONCE}"
    assert (
        "5 find it worse (PSNR, SSIM, LPIPS, IE and Warping error against lift15)" in said.verdicts["width"]
    )


def test_an_ablation_without_results_is_named_in_the_verdict(own):
    folder, config, configs = own
    asked = tuple(c for c in config.report.comparisons if c.against in ("repeat", "ctx3"))
    config = dataclasses.replace(config, report=dataclasses.replace(config.report, comparisons=asked))
    (folder / "results" / "ctx3").rename(folder / "results" / "gone")
    results = read(config, configs, folder)
    assert "Not tested: ctx3 has no results yet" in answer(results, declared(results)).verdicts["width"]


def test_the_interaction_is_the_gain_beyond_that_in_plain_scenes(results):
    rows = {(row.against, row.kind): row for row in by_stratum(results) if row.metric == "psnr"}
    assert {against for against, _ in rows} == {"ctx3", "no_context"} == set(narrow_methods(results))
    row, plain = rows["no_context", "occlusion"], rows["no_context", "plain"]
    assert row.excess == pytest.approx(row.effect.mean - plain.effect.mean)
    assert row.low < row.excess < row.high
    assert np.isnan(plain.excess)
    assert np.isnan(plain.p_holm)


def test_interactions_of_all_metrics_and_methods_are_one_family(results):
    rows = [row for row in by_stratum(results) if row.kind != "plain"]
    assert len(rows) == 2 * 2 * 4
    assert min(r.p_holm for r in rows) == pytest.approx(len(rows) * min(r.p for r in rows))


def test_a_loss_that_is_smaller_than_in_plain_scenes_is_no_benefit(results):
    row = next(row for row in by_stratum(results) if row.found(0.05) > 0)
    assert row.benefits(0.05)
    loss = dataclasses.replace(row, effect=dataclasses.replace(row.effect, mean=-0.5, low=-0.8, high=-0.2))
    assert (loss.found(0.05), loss.benefits(0.05)) == (1, False)
    said = {row[-1].text for row in of_strata(results, [row, loss]).rows}
    assert said == {"a larger gain than in plain", "more than in plain, but no gain"}


@pytest.mark.parametrize(("section", "change"), [
    ("model", {"refinement": "aligned"}), ("model", {"layers": 9}), ("loss", {"lpips": 0.7}),
])  # fmt: skip
def test_another_architecture_or_training_is_no_test_of_context(results, section, change):
    ctx3 = results.configs["ctx3"]
    other = dataclasses.replace(ctx3, **{section: dataclasses.replace(getattr(ctx3, section), **change)})
    changed = dataclasses.replace(results, configs={**results.configs, "ctx3": other})
    assert narrow_methods(changed) == ["no_context"]


def test_a_trend_has_one_point_per_source_video(results):
    found = trend(results, "snu_film", "ctx3", "motion")
    assert len(found.x) == len(found.gain) == 2
    assert trend(results, "snu_film", "ctx3", "occluded") is None


def family(results, *pairs, name="width"):
    (first, *_) = results.config.report.comparisons
    asked = tuple(dataclasses.replace(first, family=name, method=m, against=a) for m, a in pairs)
    return with_report(real(results), comparisons=asked, least_videos=5)


def test_a_check_of_sampling_is_no_part_of_the_answer_to_h0(results, families):
    said = answer(with_report(real(results), least_videos=5), families)
    assert "uniform" not in said.headline
    assert "A check of robustness, on which H0 does not rest" in said.verdicts["sampling"]


def test_to_beat_a_repeated_frame_does_not_reject_h0_against_the_narrow_window(results):
    asked = family(results, ("shift0", "repeat"), ("shift0", "lift15"))
    said = answer(asked, declared(asked))
    assert said.headline == f"Width: H0 is rejected against repeat, not rejected against lift15. {ONCE}"
    assert "Smallest gain in PSNR that this n finds with 80 % power" in said.verdicts["width"]


def test_an_opponent_without_results_is_not_passed_over_in_the_headline(own):
    folder, config, configs = own
    (folder / "results" / "ctx3").rename(folder / "results" / "gone")
    asked = family(read(config, configs, folder), ("lift15", "repeat"), ("lift15", "ctx3"))
    said = answer(asked, declared(asked))
    assert said.headline == f"Width: H0 is rejected against repeat, not tested against ctx3. {ONCE}"


def test_where_no_effect_however_large_could_pass_nothing_is_answered(results, families):
    hopeless = {
        name: [dataclasses.replace(t, detectable=math.inf) for t in tests] for name, tests in families.items()
    }
    said = answer(with_report(real(results), least_videos=5), hopeless)
    assert said.headline == "These results do not answer the question."
    assert "no effect, however large" in said.caveats[0]


def test_a_mean_and_ranks_on_different_sides_find_nothing(families):
    (test, *_) = [t for t in families["width"] if t.effect and t.found(0.05) == 1]
    torn = dataclasses.replace(test, effect=dataclasses.replace(test.effect, mean=-1.0))
    assert (torn.passes(0.05), torn.found(0.05)) == (True, 0)


def test_one_training_is_said_to_speak_for_itself_alone(results, families):
    assert "Models trained once" in answer(results, families).limits[0]


def test_several_trainings_are_averaged_and_counted(tmp_path):
    base, configs = fake.seeded(7, 8, 9)
    fake.write(tmp_path, ("lift15", "ctx3", "repeat"), kept=(), seeds=(7, 8, 9))
    results = read(base, configs, tmp_path)
    tests = declared(results)
    (test,) = [t for t in tests["width"] if t.comparison.against == "ctx3" and t.metric.key == "psnr"]
    means = [results.seed_means(m, "ucf101", "psnr").mean() for m in ("lift15", "ctx3")]
    assert test.effect.mean == pytest.approx(means[0] - means[1])
    assert test.seeds[0] < test.effect.mean < test.seeds[1]
    said = answer(results, tests)
    assert "Intervals that count the seeds as well exclude zero" in said.limits[0]
    assert "Models trained once" not in " ".join(said.limits)
    table = of_family(results, "width", tests["width"])
    assert "with_seeds" in [column.key for column in table.columns]
    assert len({len(row) for row in table.rows}) == 1
    (curve,) = {read_curves(results)["ctx3"].loss.shape}
    assert curve[0] == 3


def found(test, sign):
    """The same test with a sure gain, or a sure loss."""
    effect = dataclasses.replace(
        test.effect, mean=float(sign), rank_biserial=float(sign), low=sign, high=sign
    )
    return dataclasses.replace(test, effect=effect, p_holm=0.001 if sign else 0.9)


def judged(results, tests):
    return answer(with_report(real(results), least_videos=5), {"family": tests})


def test_a_shift_is_judged_against_none_whichever_is_named_first(results):
    more, less = (family(results, pair) for pair in (("lift15", "shift0"), ("shift0", "lift15")))
    gain, loss = ([found(t, sign) for t in declared(more)["width"]] for sign in (1, -1))
    turned = [found(t, 1) for t in declared(less)["width"]]
    assert judged(more, gain).headline.startswith("Family: H0 is rejected against shift0.")
    assert judged(more, loss).headline.startswith("Family: H0 is not rejected against shift0.")
    assert judged(less, turned).headline.startswith("Family: H0 is not rejected against lift15.")


def test_less_shift_being_better_than_more_rejects_nothing(results):
    asked = family(results, ("lift15", "shift3"), ("lift15", "shift0"))
    tests = [found(t, 1 if t.comparison.against == "shift3" else 0) for t in declared(asked)["width"]]
    said = judged(asked, tests)
    assert said.headline.startswith("Family: H0 is not rejected against shift0.")
    assert (
        "Shift of 1 against 3 (shift3), which does not bear on H0: the smaller is better in PSNR"
        in (said.verdicts["family"])
    )


def test_better_in_one_outcome_and_worse_in_others_is_mixed(results):
    asked = family(results, ("lift15", "ctx3"))
    first, *others = declared(asked)["width"]
    said = judged(asked, [found(first, 1), *(found(t, -1) for t in others)])
    assert said.headline.startswith("Family: H0 is mixed against ctx3.")


def test_a_family_with_one_check_of_sampling_is_judged_by_the_others(results):
    asked = family(results, ("lift15", "uniform"), ("lift15", "ctx3"))
    said = judged(asked, [found(t, 1) for t in declared(asked)["width"]])
    assert said.headline.startswith("Family: H0 is rejected against ctx3.")


def test_a_base_that_is_no_better_than_the_references_as_they_are_answers_nothing(results, families):
    enough = with_report(real(results), least_videos=5)
    rows = {m: dict(by_benchmark) for m, by_benchmark in enough.rows.items()}
    rows["average"]["ucf101"] = rows["lift15"]["ucf101"].copy()
    rows["average"]["ucf101"]["psnr"] += np.linspace(0.5, 1.5, 16)
    said = answer(dataclasses.replace(enough, rows=rows), families)
    assert said.headline == "These results do not answer the question."
    frames, flow = said.caveats
    assert frames.startswith(
        "The frames of lift15 on UCF101: worse than the average of the two references (PSNR"
    )
    assert flow.startswith("The flow of lift15 on UCF101: not shown to be better than no motion at all")


def test_what_is_detectable_is_so_at_the_corrected_level(results):
    tests = declared(family(results, ("lift15", "ctx3"), ("lift15", "ctx7")))["width"]
    test = tests[0]
    assert test.detectable == pytest.approx(
        detectable(test.effect.n, test.effect.deviation, 0.05 / len(tests))
    )
    assert test.detectable > 1.1 * detectable(test.effect.n, test.effect.deviation, 0.05)
