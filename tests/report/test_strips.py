"""Kept pictures, and the strip that is drawn of them."""

import dataclasses

import numpy as np
import pytest

from lift.errors import UserError
from lift.report.figures.strips import GAIN, drawn, read


def test_pictures_are_read_with_each_methods_psnr_of_that_clip(results):
    shown = read(results)
    assert {(one.benchmark, one.rank) for one in shown} == {
        (name, rank) for name in ("ucf101", "scenes") for rank in ("worst1", "worst2", "middle")
    }
    one = shown[0]
    frame = results.frame("ctx3", one.benchmark)
    assert one.psnr["ctx3"] == float(frame.loc[frame["clip"] == one.clip, "psnr"].iloc[0])
    assert [one.place for one in shown[:3]] == ["middle one", "worst one", "2nd worst one"]


def test_without_them_there_is_no_report_but_where_none_are_wanted(results, tmp_path):
    elsewhere = dataclasses.replace(results, data=tmp_path)
    with pytest.raises(UserError, match=r"pictures\.zip: not found; run `dvc repro`"):
        read(elsewhere)
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/pictures.zip").write_text("no archive")
    with pytest.raises(UserError, match=r"pictures\.zip: broken"):
        read(elsewhere)
    none = dataclasses.replace(results.config.report, worst=0)
    config = dataclasses.replace(results.config, report=none)
    assert read(dataclasses.replace(elsewhere, config=config)) == []


def test_a_strip_shows_frames_as_they_are_and_errors_enlarged(results):
    shown = next(one for one in read(results) if one.benchmark == "scenes")
    (drawing,) = drawn(results, [shown])
    figure = drawing.figure
    images = {
        axes.get_title(loc="left").partition("\n")[0]: axes.images[0]
        for axes in figure.axes
        if axes.get_title(loc="left")
    }
    assert list(images) == ["truth", "rife_v4", "ctx3", "dis", "lift15"]
    assert (images["lift15"].get_array() == shown.pictures["lift15"]).all()
    assert all(image.get_interpolation() == "nearest" for image in images.values())
    wrong = np.abs(shown.pictures["lift15"].astype(int) - shown.pictures["target"]).mean(axis=2)
    errors = [
        np.asarray(axes.images[0].get_array())
        for axes in figure.axes
        if axes.get_xlabel().startswith("error")
    ]
    assert (errors[-1][..., 0] == np.clip(GAIN * wrong, 0, 255).astype(np.uint8)).all()
