"""What predicts stands in tables of its own, and nowhere else."""

import csv
import dataclasses
import io
import json

import pytest

from lift.errors import UserError
from lift.report import tables
from lift.report.reading import of_task, read, read_curves
from lift.report.tables.costs import prediction_models
from lift.report.tables.means import prediction
from lift.report.tables.table import to_csv, to_latex
from tests.report import fake


@pytest.fixture(scope="session")
def predicted(configs, data):
    return read(*configs, data, "predict")


def rows_of(table):
    return {row["method"]: row for row in csv.DictReader(io.StringIO(to_csv(table)))}


def test_methods_are_told_apart_by_task_and_none_is_lost(configs):
    base, by_name = configs
    between, ahead = (of_task(base, by_name, task) for task in ("interpolate", "predict"))
    assert {*ahead.ablations, *ahead.baselines} == set(fake.predicting())
    assert sorted((*between.ablations, *ahead.ablations)) == sorted(base.ablations)
    assert sorted((*between.baselines, *ahead.baselines)) == sorted(base.baselines)


def test_what_predicts_is_in_no_table_of_interpolation_and_the_other_way_round(results, found, predicted):
    names = set(fake.predicting())
    assert not names & set(results.methods)
    assert not names & set(read_curves(results))
    built = tables.build(dataclasses.replace(found, predicted=predicted))
    for table in built:
        told = {cell for cell in table.frame.to_numpy().ravel() if isinstance(cell, str)}
        if table.name.startswith("prediction_"):
            assert not told & set(results.methods), table.name
        elif table.name not in ("thesis",):  # whose methods are another profile's
            assert not told & names, table.name
    wanted = {"prediction_ucf101", "prediction_davis", "prediction_scenes", "prediction_models"}
    assert wanted <= {table.name for table in built}


def test_metrics_are_averaged_over_the_horizons_up_to_each_and_psnr_is_not(predicted):
    table = prediction(predicted, "ucf101")
    rows = rows_of(table)
    assert set(rows) == set(fake.predicting())
    row = rows["last"]
    assert [float(row[f"psnr_{k}"]) for k in (1, 5)] == [29, 25]
    assert float(row["ms_ssim_to_5"]) == pytest.approx(1 - 0.01 * 3)
    assert float(row["lpips_to_3"]) == pytest.approx(0.02 * 5)
    assert "n = 16 clips of 16 source videos (procedural stand-ins)" in table.caption
    assert "Sampling: dense" in table.notes[0]
    to_latex(table)


def test_a_horizon_that_a_mode_does_not_reach_is_a_dash_and_no_results_are_missing(predicted):
    learnt = dataclasses.replace(predicted.configs["ifrvp"].clip, mode="independent", horizons=(3,))
    config = dataclasses.replace(predicted.configs["ifrvp"], clip=learnt)
    frame = predicted.rows["ifrvp"]["ucf101"]
    rows = {**predicted.rows, "ifrvp": {"ucf101": frame[frame["horizon"] == 3]}}
    some = dataclasses.replace(predicted, rows=rows, configs={**predicted.configs, "ifrvp": config})
    row = rows_of(prediction(some, "ucf101"))["ifrvp"]
    assert (row["psnr_2"], float(row["psnr_3"]), row["ms_ssim_to_3"]) == ("–", 27, "–")
    assert rows_of(prediction(some, "davis"))["ifrvp"]["psnr_1"] == "missing"
    assert rows_of(prediction_models(some))["ifrvp"]["learnt"] == "+3"


def names(found, predicted, **changes):
    config = dataclasses.replace(predicted.config, **changes)
    changed = dataclasses.replace(predicted, config=config)
    made = {table.name for table in tables.build(dataclasses.replace(found, predicted=changed))}
    return {name for name in made if name.startswith("prediction_")}


def test_without_methods_that_predict_there_are_no_such_tables(found, predicted):
    assert not names(found, predicted, ablations=(), released=(), baselines=())


def test_where_no_model_predicts_there_is_no_table_of_models(found, predicted):
    plain = names(found, predicted, ablations=(), released=())
    assert "prediction_ucf101" in plain
    assert not {"prediction_models", "prediction_training"} & plain


@pytest.fixture
def broken(tmp_path, configs):
    """Give the folder of results of two methods that predict, and a function that reads them."""
    fake.write(tmp_path, ("ifrvp", "last"))
    base = dataclasses.replace(configs[0], ablations=("ifrvp",), baselines=("last",))
    return tmp_path / "results", lambda: read(base, configs[1], tmp_path, "predict")


def test_whole_results_are_read(broken):
    assert set(broken[1]().rows) == {"ifrvp", "last"}


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("clips.csv", ",psnr,", ",snr,", ["column psnr"]),
        ("clips.csv", ",0.99,", ",,", ["ms_ssim", "not a finite number"]),
        ("clips.csv", "v_Scene3_g01_c01@16", "v_Other@16", ["same ucf101 clips", "ifrvp"]),
        ("clips.csv", ",7,2,1,", ",8,2,1,", ["training seeds", "asks for 7"]),
        ("metrics.json", "29.0", "28.0", ["psnr_1 is 28.0"]),
        ("protocol.json", '"horizons": "5"', '"horizons": "4"', ["ifrvp", "horizons '4'", "says '5'"]),
    ],
)
def test_what_does_not_compare_is_refused(broken, file, old, new, words):
    folder, read_again = broken
    path = folder / "ifrvp" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(UserError) as error:
        read_again()
    assert all(word in str(error.value) for word in words), str(error.value)


def test_results_of_other_horizons_than_asked_are_refused(broken):
    for method in ("ifrvp", "last"):
        path = broken[0] / method / "protocol.json"
        rules = {name: rule | {"horizons": "3"} for name, rule in json.loads(path.read_text()).items()}
        path.write_text(json.dumps(rules))
    with pytest.raises(UserError, match=r"with horizons '3' .*, but params.yaml says"):
        broken[1]()
