import csv
import json

import pytest

from lift.evaluation.results import METRICS, rounded, summary, write


def row(clip="a", **values):
    default = dict.fromkeys(METRICS, 0.5) | {"motion": 2.0, "seed": 7, "context": 14, "kind": ""}
    own = {"benchmark": "davis", "clip": clip, "video": clip[0], "group": clip[0]}
    return rounded({**own, **default, **values})


def write_results(folder, rows, alphas, model=None):
    write(folder, rows, alphas, model=model)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_files_have_the_columns_of_the_brief(tmp_path):
    write_results(
        tmp_path,
        [row(epe=None)],
        [{"benchmark": "davis", "clip": "a", "kind": "", "seed": 7, "offset": -1, "alpha": 1 / 3}],
    )
    clips, weights = ((tmp_path / name).read_text().splitlines()[0] for name in ("clips.csv", "alpha.csv"))
    assert clips == (
        "benchmark,clip,video,group,kind,motion,seed,context,"
        "psnr,ssim,ssim_matlab,lpips,ie,ie_rms,ie_edges,ie_occluded,warping,epe,occluded"
    )
    assert weights == "benchmark,clip,kind,seed,offset,alpha"
    assert read(tmp_path / "clips.csv")[0]["epe"] == ""
    assert read(tmp_path / "alpha.csv")[0]["alpha"] == "0.3333333"


def test_weights_without_a_model_are_a_header(tmp_path):
    write_results(tmp_path, [row()], [])
    assert (tmp_path / "alpha.csv").read_text() == "benchmark,clip,kind,seed,offset,alpha\n"


def test_means_are_those_of_the_written_values(tmp_path):
    rows = [row("a", psnr=100 / 3), row("b", psnr=100 / 7)]
    write_results(tmp_path, rows, [])
    written = [float(line["psnr"]) for line in read(tmp_path / "clips.csv")]
    means = json.loads((tmp_path / "metrics.json").read_text())
    assert means["davis"]["psnr"] == round(sum(written) / 2, 6)


def test_kinds_have_their_own_means_beside_the_whole():
    rows = [
        row("a1", benchmark="scenes", kind="plain", psnr=30.0),
        row("a2", benchmark="scenes", kind="plain", psnr=32.0),
        row("b1", benchmark="scenes", kind="lighting", psnr=20.0),
        row("c1", psnr=25.0, epe=None),
    ]
    means = summary(rows)
    assert list(means) == ["davis", "scenes", "scenes_lighting", "scenes_plain"]
    assert means["scenes_plain"]["psnr"] == 31.0
    assert (means["scenes_plain"]["clips"], means["scenes_plain"]["videos"]) == (2, 1)
    assert means["scenes"]["psnr"] == pytest.approx(82 / 3, abs=1e-6)
    assert "epe" not in means["davis"]


def test_means_are_over_seeds_and_clips_are_counted_once():
    rows = [
        row("a", seed=1, psnr=30.0),
        row("b", seed=1, psnr=32.0),
        row("a", seed=2, psnr=34.0),
        row("b", seed=2),
    ]
    means = summary(rows)["davis"]
    assert (means["clips"], means["videos"], means["seeds"]) == (2, 2, 2)
    assert means["psnr"] == pytest.approx((30 + 32 + 34 + 0.5) / 4)


def test_a_methods_row_without_seed_is_an_empty_cell_and_the_models_cost_stands_beside_the_means(tmp_path):
    write_results(tmp_path, [row(seed=None)], [], {"parameters": 12})
    assert read(tmp_path / "clips.csv")[0]["seed"] == ""
    assert json.loads((tmp_path / "metrics.json").read_text())["model"] == {"parameters": 12}


def test_equal_results_give_equal_bytes(tmp_path):
    for name in ("one", "two"):
        write_results(tmp_path / name, [row(psnr=100 / 3)], [])
    for file in ("clips.csv", "alpha.csv", "metrics.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_nothing_is_left_beside_the_results(tmp_path):
    write_results(tmp_path, [row()], [])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "alpha.csv",
        "clips.csv",
        "metrics.json",
        "probes.csv",
    ]
