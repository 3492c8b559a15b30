"""What each option promises."""

import csv
import dataclasses
import logging

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision.amp import MixedPrecision
from safetensors.torch import load_file
from tiny import ROOT, Made, results

from lift.config import Config, load
from lift.errors import UserError
from lift.models.registry import build
from lift.training.job import BEST, LAST, Interrupted
from lift.training.loop import fit
from lift.training.state import NAME
from lift.training.step import Average, Stepper, drop_context


def test_the_average_is_the_recurrence_it_claims_and_gives_back_the_models_own_weights():
    model = torch.nn.Linear(2, 1, bias=False)
    average, expected = Average(model, 0.5), model.weight.detach().double().clone()
    for step in range(20):
        with torch.no_grad():
            model.weight.add_(1.0)
        average.update(step)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * model.weight.detach().double()
    own = model.weight.detach().clone()
    with average.applied():
        assert torch.allclose(model.weight.double(), expected, atol=1e-5)
    assert torch.equal(model.weight, own)


def test_averaged_weights_are_published_and_resume_exactly(job, stop_after):
    whole = job("whole", average=0.9)
    fit(whole)
    resume = stop_after(7)
    with pytest.raises(Interrupted):
        fit(job("cut", average=0.9))
    resume()
    cut = job("cut", average=0.9)
    fit(cut)
    assert results(cut.folder.parent) == results(whole.folder.parent)
    plain = job("plain")
    fit(plain)
    published, raw = load_file(cut.folder / LAST), load_file(plain.folder / LAST)
    assert all(torch.equal(raw[name], value) for name, value in cut.model.state_dict().items())
    assert any(not torch.equal(raw[name], published[name]) for name in raw)
    assert (cut.folder / BEST).exists()


def test_context_dropout_of_a_window_in_the_past_keeps_its_last_two_frames():
    offsets = torch.tensor([-5.0, -4.0, -3.0]).repeat(200, 1)
    batch = {"offsets": offsets, "valid": torch.ones_like(offsets).bool()}
    valid = drop_context(batch, 0.5, 3)["valid"]
    assert valid[:, 1:].all()
    assert 0.3 < valid[:, 0].float().mean() < 0.7


def test_context_dropout_masks_its_share_of_frames_and_never_a_reference():
    offsets = torch.tensor([-3.0, -2.0, -1.0, 1.0, 2.0]).repeat(400, 1)
    valid = torch.ones(400, 5, dtype=torch.bool)
    valid[:, 0] = False
    batch = {"offsets": offsets, "valid": valid}
    dropped = drop_context(batch, 0.3, seed=1)["valid"]
    assert not dropped[:, 0].any()
    assert dropped[:, 2:4].all()
    assert 1 - dropped[:, [1, 4]].double().mean() == pytest.approx(0.3, abs=0.05)
    assert torch.equal(dropped, drop_context(batch, 0.3, seed=1)["valid"])
    assert not torch.equal(dropped, drop_context(batch, 0.3, seed=2)["valid"])
    assert drop_context(batch, 0.0, seed=1) is batch
    assert batch["valid"][:, 1:].all()


def test_the_other_window_must_be_stored(params):
    mixed = ("  lift15: {}", "  lift15:\n    train:\n      other_sampling: 0.5")
    text = params(mixed)
    assert load(text, "demo", "lift15").clip.other.offsets[0] == -15
    wide = ("  lift15: {}", "  lift15:\n    clip:\n      frames: 65\n    train:\n      other_sampling: 0.5")
    small = params(wide)
    with pytest.raises(UserError, match=r"ablations\.lift15: needs frames from -65 to \+61"):
        load(small, "demo", "lift15")


@pytest.fixture
def params(tmp_path):
    """Give a function that writes params.yaml with replaced lines."""

    def write(*changes):
        text = (ROOT / "params.yaml").read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "params.yaml"
        path.write_text(text)
        if not (tmp_path / "weights").exists():  # the released methods' windows stand in their headers
            (tmp_path / "weights").symlink_to(ROOT / "weights")
        return path

    return write


def lift_and_batch(dropout=0.0):
    config: Config = load(ROOT / "params.yaml", "demo", "lift15")
    model = build(dataclasses.replace(config.model, dropout=dropout), seed=1)
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(1, 14, 3, 32, 32, generator=generator)
    offsets = torch.tensor([config.clip.offsets], dtype=torch.float32)
    return model, (frames, offsets, torch.ones(1, 14, dtype=torch.bool))


def gradients(model, inputs):
    model.zero_grad()
    model(*inputs).frame.square().mean().backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("part", ["encoder", "transformer"])
def test_what_is_recomputed_keeps_less_and_gives_the_same_gradients_dropout_included(part):
    model, inputs = lift_and_batch(dropout=0.3)
    for parameter in model.refiner.parameters():  # the last convolutions start at zero and hide all others
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(1))

    def measured():
        sizes = []
        torch.manual_seed(5)
        with torch.autograd.graph.saved_tensors_hooks(lambda t: sizes.append(t.numel()) or t, lambda t: t):
            model(*inputs)
        torch.manual_seed(5)
        return sum(sizes), gradients(model, inputs)

    before, plain = measured()
    model.recompute([part])
    after, recomputed = measured()
    assert after < {"encoder": 0.75, "transformer": 0.95}[part] * before
    assert plain.keys() == recomputed.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(recomputed[name], gradient, rtol=1e-5, atol=1e-7)


def test_only_a_model_with_context_frames_recomputes():
    config: Config = load(ROOT / "params.yaml", "demo", "ifrnet")
    with pytest.raises(UserError, match=r"train\.recompute: IfrNet has no context frames"):
        build(config.model).recompute(["encoder"])


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_a_compiled_training_gives_the_same_weights(job):
    plain, compiled = job("plain"), job("compiled", compile=True)
    for run in (plain, compiled):
        run.model.dropout.p = 0.0  # compiled, it draws its random numbers in another order
        fit(run)
    for one, other in zip(plain.model.parameters(), compiled.model.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_fp16_leaves_out_a_step_that_overflows_halves_its_scale_and_resumes_exactly(
    job, stop_after, monkeypatch
):
    def settings():
        # Fabric offers fp16 on GPUs alone; its precision and PyTorch's scaler work on a CPU all the same.
        precision = MixedPrecision(precision="16-mixed", device="cpu")
        return {"log_every": 1, "fabric": Fabric(accelerator="cpu", devices=1, plugins=precision)}

    original = Stepper._pass

    def overflowing(self, wrapped, batch, step, number):
        if step == 4:
            self._scaler._scale.fill_(2.0**40)  # no fp16 gradient survives it
        return original(self, wrapped, batch, step, number)

    monkeypatch.setattr(Stepper, "_pass", overflowing)
    whole = job("whole", **settings())
    fit(whole)
    overflow = {int(row["step"]): row.get("overflow") for row in rows_of(whole) if "overflow" in row}
    assert overflow[4] == 0.0
    assert overflow[5] == 1.0
    resume = stop_after(8)
    with pytest.raises(Interrupted):
        fit(job("cut", **settings()))
    resume()
    state = torch.load(job("cut", **settings()).folder / NAME, weights_only=True)
    assert 0 < state["scaler"]["scale"] < 2.0**40
    cut = job("cut", **settings())
    fit(cut)
    assert results(cut.folder.parent) == results(whole.folder.parent)


def rows_of(job):
    text = (job.folder / "curves.csv").read_text().splitlines()
    return [{k: float(v) for k, v in row.items() if v} for row in csv.DictReader(text)]


def test_a_loss_far_above_the_last_ones_is_reported_with_its_clips(job, caplog, monkeypatch):
    original = Made.__getitem__

    def shifted(self, key):
        item = original(self, key)
        if isinstance(key, tuple) and key[1:] == (6, 4):  # epoch 6, fifth visit: the third of its steps
            item["target"] = item["target"] + 30
        return item

    monkeypatch.setattr(Made, "__getitem__", shifted)
    run = job(phases=job().config.train.phases * 2, log_every=1)
    with caplog.at_level(logging.WARNING):
        fit(run)
    spikes = [int(row["step"]) for row in rows_of(run) if row.get("spike")]
    assert spikes == [33]
    assert "training step 33: loss" in caplog.text
    assert "times the median of the last 32, on clips made/" in caplog.text
