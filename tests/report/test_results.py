"""What is read, and what is refused with one clear line."""

import json

import numpy as np
import pandas as pd
import pytest

from lift.errors import UserError
from lift.report.reading import read
from lift.report.results import clip_mean_parts, unit_means
from tests.report import fake


def damage(folder, method, change):
    """Change a method's clips.csv and keep metrics.json in agreement with it."""
    path = folder / "results" / method / "clips.csv"
    table = change(pd.read_csv(path, dtype={"kind": str, "video": str, "group": str}, keep_default_na=False))
    table.to_csv(path, index=False)


def refused(own, match):
    folder, config, configs = own
    with pytest.raises(UserError, match=match):
        read(config, configs, folder)


def test_all_methods_hold_the_same_clips_in_the_same_order(results):
    assert results.absent == tuple(b for b in results.config.benchmarks if not results.config.given(b))
    assert "cityscapes" in results.absent
    for benchmark in set(results.config.benchmarks) - set(results.absent):
        orders = {tuple(results.frame(m, benchmark)["clip"]) for m in results.methods}
        assert len(orders) == 1


def test_a_clip_that_stands_twice_is_named(own):
    damage(own[0], "ctx3", lambda t: pd.concat([t, t.iloc[:1]]))
    refused(own, r"ctx3/clips.csv: vimeo90k/00001/0000@4 stands twice")


@pytest.mark.parametrize("value", ["inf", "", "nan?"])
def test_a_metric_that_is_no_finite_number_is_refused(own, value):
    def change(table):
        table["psnr"] = table["psnr"].astype(object)
        table.loc[2, "psnr"] = value
        return table

    damage(own[0], "lift15", change)
    refused(own, "psnr")


def test_a_hole_in_a_flow_metric_is_refused(own):
    def change(table):
        table.loc[table["clip"] == "scenes/plain_00@15", "epe"] = ""
        return table

    damage(own[0], "lift15", change)
    refused(own, "epe of scenes/plain_00@15 is missing")


def test_methods_with_unequal_clips_are_refused_naming_the_clips(own):
    folder = own[0]
    damage(folder, "ctx3", lambda t: t[t["clip"] != "ucf101/v_Scene3_g01_c01@16"])
    path = folder / "results" / "ctx3" / "metrics.json"
    means = json.loads(path.read_text())
    table = pd.read_csv(folder / "results" / "ctx3" / "clips.csv")
    own_rows = table[table["benchmark"] == "ucf101"]
    means["ucf101"] = {key: float(own_rows[key].mean()) for key in means["ucf101"] if key in own_rows}
    path.write_text(json.dumps(means))
    refused(own, "not measured on the same ucf101 clips: they differ in ucf101/v_Scene3_g01_c01@16")


def test_a_missing_column_is_named(own):
    damage(own[0], "ctx3", lambda t: t.drop(columns="lpips"))
    refused(own, "column lpips is missing")


def test_metrics_of_another_run_are_refused(own):
    path = own[0] / "results" / "ctx3" / "metrics.json"
    means = json.loads(path.read_text())
    means["davis"]["psnr"] += 0.01
    path.write_text(json.dumps(means))
    refused(own, r"metrics.json: davis.psnr is .* but clips.csv beside it gives")


@pytest.mark.parametrize("name", ["clips.csv", "metrics.json"])
def test_an_empty_file_is_refused(own, name):
    (own[0] / "results" / "ctx3" / name).write_text("")
    refused(own, name)


def test_a_clip_set_without_summary_is_refused(own):
    (own[0] / "clips" / "davis" / "summary.json").unlink()
    refused(own, "summary.json: not found")


def test_a_declared_method_without_results_is_missing_and_a_stale_folder_is_ignored(own):
    folder, config, configs = own
    (folder / "results" / "ctx3").rename(folder / "results" / "removed_ablation")
    results = read(config, configs, folder)
    assert results.missing == ["ctx3"]
    assert "removed_ablation" not in results.rows


def test_sequences_of_one_recording_are_one_source_video(results):
    assert len(np.unique(results.videos("vimeo90k"))) == 4
    assert len(results.frame("lift15", "vimeo90k")["video"].unique()) == 8
    assert results.videos("ucf101")[0] == "v_Scene0_g01"


def test_videos_weigh_the_same_however_many_clips_they_have():
    means = unit_means(np.array([1.0, 2.0, 3.0, 10.0]), np.array(["b", "b", "b", "a"]))
    assert list(means) == [10, 2]


def test_parts_of_a_clip_mean_average_to_it_and_a_long_video_pulls_harder():
    values, units = np.array([1.0, 2.0, 3.0, 10.0]), np.array(["b", "b", "b", "a"])
    parts = clip_mean_parts(values, units)
    assert parts.mean() == pytest.approx(values.mean()) == 4
    assert list(parts) == pytest.approx([4 + 0.5 * 6, 4 - 1.5 * 2])
    even = np.array(["a", "a", "b", "b"])
    assert clip_mean_parts(values, even) == pytest.approx(unit_means(values, even))


def rewrite(own, method, **changes):
    """Change a method's protocol of DAVIS."""
    path = own[0] / "results" / method / "protocol.json"
    rules = json.loads(path.read_text())
    rules["davis"] |= changes
    path.write_text(json.dumps(rules))


def test_methods_measured_on_clips_of_different_digests_are_refused_by_name(own):
    rewrite(own, "ctx3", clips="feed")
    refused(own, "ctx3 and lift15 were not measured alike on davis: clips is 'feed' for ctx3 and '0123")


@pytest.mark.parametrize("methods", [("ctx3",), ("lift15", "ctx3", "repeat")])
@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("protocol", "cropped", "params.yaml says 'full windows"),
        ("sampling", "uniform", "params.yaml says"),
        ("lpips", "random", "this version knows no such rule"),  # as when LPIPS had random features
    ],
)
def test_another_protocol_than_that_of_the_parameters_is_refused_by_rule(own, methods, key, value, told):
    for method in methods:
        rewrite(own, method, **{key: value})
    refused(own, rf"{methods[0]}: davis was measured with {key} '{value}' \(protocol.json\), but {told}")


def test_a_protocol_that_is_no_object_is_refused_by_its_file(own):
    (own[0] / "results" / "ctx3" / "protocol.json").write_text('{"davis": "x"}')
    refused(own, r"ctx3/protocol\.json: davis: expected an object, found 'x'")


def test_results_without_protocol_are_refused(own):
    (own[0] / "results" / "ctx3" / "protocol.json").unlink()
    refused(own, r"ctx3/protocol.json: not found")


def test_results_of_other_seeds_than_those_asked_for_are_refused(own, tmp_path):
    folder, config, _ = own
    _, configs = fake.seeded(7, 8)
    with pytest.raises(UserError, match=r"training seeds 7, but params.yaml \(train.seeds\) asks for 7, 8"):
        read(config, configs, folder)


def test_a_baseline_with_a_seed_is_refused(own):
    damage(own[0], "repeat", lambda t: t.assign(seed=7))
    refused(own, "repeat/clips.csv: .* training seeds 7, but params.yaml .* asks for none")


def test_rows_are_averaged_over_seeds_and_kept_apart_as_well(tmp_path):
    base, configs = fake.seeded(7, 8)
    fake.write(tmp_path, ("lift15", "repeat"), kept=(), seeds=(7, 8))
    results = read(base, configs, tmp_path)
    one, two = results.seeded["lift15"]["davis"]
    mean = (one["psnr"] + two["psnr"]).to_numpy() / 2
    assert not np.allclose(one["psnr"], two["psnr"])
    assert results.values("lift15", "davis", "psnr") == pytest.approx(mean)
    assert results.seed_means("lift15", "davis", "psnr").shape == (2,)
    assert results.seed_means("repeat", "davis", "psnr").shape == (1,)
    damage(tmp_path, "lift15", lambda t: t[(t["clip"] != "davis/scene-3@16") | (t["seed"] != 8)])
    told = r"lift15 \(seed 8\) and lift15 \(seed 7\) were not measured on the same davis clips: .*scene-3@16"
    with pytest.raises(UserError, match=told):
        read(base, configs, tmp_path)


def test_a_set_without_clips_stands_in_for_nothing(tmp_path):
    base, configs = fake.configs()
    fake.write(tmp_path, ("lift15", "repeat"), kept=())
    path = tmp_path / "clips" / "train" / "summary.json"
    for clips in (1, 0):
        path.write_text(json.dumps({"procedural": True, "clips": clips}))
        assert read(base, configs, tmp_path).stand_in("train") is bool(clips)
