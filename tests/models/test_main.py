"""`python -m lift.models`: it says what a model is, and fails where one is not the specification's."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from lift.config import load
from lift.models.__main__ import PARAMS, clip_of, counted, expected, frozen, main, report
from lift.models.registry import build

QUICK = ["--quick", "--size", "32x32", "--batch", "1"]


def lines(config, model, size=(32, 32)):
    return list(report(config, model, clip_of(config, 2, size), measure=False))


@pytest.mark.parametrize("profile", ["demo", "thesis"])
def test_every_ablation_has_the_specifications_shapes(profile, capsys):
    names = (
        ["lift15", "no_context", "no_s1", "matched", "rife", "flavr", "ifrvp"]
        if profile == "thesis"
        else ["all"]
    )
    assert main([*names, "--profile", profile, *QUICK]) == 0
    assert "all shapes are the specification's" in capsys.readouterr().out


def test_the_base_is_checked_where_none_is_named_with_memory_and_time(capsys):
    assert main(["--size", "50x40", "--batch", "1"]) == 0
    out = capsys.readouterr().out
    assert "lift15 of profile demo" in out
    assert "frames of 64x64" in out  # what the model pads to
    assert "training step" in out
    assert "FAULT" not in out


def test_shapes_are_the_specifications_own_numbers():
    shapes = expected(load(PARAMS, "thesis", "lift15"), 2, (256, 448))
    assert shapes["encoder.s8"] == (4, 192, 32, 56)  # specification section 3: widths 32, 64, 128, 192, 256
    assert shapes["encoder.s16"] == (28, 256, 16, 28)
    assert shapes["context.F_ctx"] == (2, 256, 16, 28)
    assert shapes["alpha"] == (2, 14)
    assert shapes["flow"] == (2, 4, 64, 112)


def test_another_shape_another_range_and_a_weight_that_never_learns_are_faults():
    config = load(PARAMS, "demo", "lift15")
    other = build(replace(config.model, widths=(8, 16, 24, 32, 56)), seed=1)
    told = [line for line in lines(config, other) if line.startswith("FAULT")]
    assert any("context.F_ctx: (2, 56, 2, 2), expected (2, 48, 2, 2)" in line for line in told)
    silent = build(config.model, seed=1)
    silent.spare = nn.Linear(2, 2)
    assert "FAULT lift15: 2 parameters get no gradient: spare.weight, spare.bias" in "\n".join(
        lines(config, silent)
    )
    broken = build(config.model, seed=1)
    with torch.no_grad():
        broken.refiner.network[-1].bias.fill_(torch.nan)
    assert "FAULT lift15: frame: not finite" in lines(config, broken)


def test_faults_and_unknown_names_are_exit_1(capsys, monkeypatch):
    monkeypatch.setattr(
        "lift.models.__main__.report", lambda *a, **k: iter(["FAULT lift15: frame: not finite"])
    )
    assert main(QUICK) == 1
    assert "faults: 1" in capsys.readouterr().out
    assert main(["lift51", *QUICK]) == 1
    assert "lift51: no such method; did you mean 'lift15'?" in capsys.readouterr().err


def test_parameters_are_counted_by_stage_and_as_phases_freeze_them():
    config = load(PARAMS, "thesis", "lift15")
    model = build(config.model, pretrained=False)
    by_stage = counted(model)
    every = sum(p.numel() for p in model.parameters())
    assert next(iter(by_stage)) == "1 encoder"
    assert sum(by_stage.values()) == every
    loaded = {name: p.numel() for name, p in model.named_parameters() if name in model.loadable}
    first, second, third = (frozen(model, phase) for phase in config.train.phases)
    assert first == [(0, sum(loaded.values()))]
    assert third == [(0, 0)]
    assert [epoch for epoch, _ in second] == [0, 2, 4, 6]
    still = [n for name, n in loaded.items() if ".s8." not in name]  # the deepest thaws first
    assert second[0][1] == sum(still)
    assert second[-1][1] == 0
    told = lines(config, model, (64, 64))
    assert f"    from epoch 11  {every - second[0][1]:>12,} train, {second[0][1]:>12,} frozen" in told
