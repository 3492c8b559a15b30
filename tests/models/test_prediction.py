"""What every model that predicts must do: the same as every model, from frames of the past alone."""

import re
from dataclasses import replace

import pytest
import torch

from lift import weights
from lift.config.schema import MODELS
from lift.errors import UserError
from lift.losses import Losses
from lift.models.registry import build

PAST, WIDE = (-2, -1), tuple(range(-6, 0))
VARIANTS = {
    "lift": ("lift", {}, WIDE),
    "lift_no_context": ("lift", {"use_context": False}, WIDE),
    "lift_s4": ("lift", {"use_s1": False, "occlusion": False}, WIDE),
    "ifrnet": ("ifrnet", {"factor": 0.125}, PAST),
    "ifrnet_t": ("ifrnet", {"widths": (3, 5, 7), "factor": 1.0, "block": "thirds"}, PAST),
    "ifrnet_elan": ("ifrnet", {"widths": (3, 5, 7), "factor": 1.0, "block": "elan"}, PAST),
}
every_model = pytest.mark.parametrize("variant", VARIANTS)


@pytest.fixture
def model_of(small):
    """Give a function that describes a variant: (configuration, its window)."""

    def describe(variant):
        name, options, offsets = VARIANTS[variant]
        if name == "lift":
            return replace(small, dropout=0.0, **options), offsets
        return replace(small, name=name, **{name: replace(getattr(small, name), **options)}), offsets

    return describe


def test_every_model_that_says_it_predicts_is_tried_and_the_others_refuse(small):
    able = {name for name, family in MODELS.items() if "predict" in family.tasks}
    assert able == {name for name, _, _ in VARIANTS.values()}
    for name in set(MODELS) - able:
        with pytest.raises(UserError, match="lift, ifrnet"):
            build(replace(small, name=name), task="predict")


@every_model
def test_any_size_gives_the_promised_shapes_within_range(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    for size in ((33, 47), (1, 21)):
        output = module(*clip(offsets, samples=2, size=size))
        assert output.frame.shape == (2, 3, *size)
        assert output.frame.min() >= 0
        assert output.frame.max() <= 1
        assert output.flow.shape == (2, 4, -(-size[0] // 4), -(-size[1] // 4))


@every_model
@pytest.mark.parametrize("later", [(0, 1), (1, 2), (0, 5)])
def test_no_frame_from_the_missing_one_on_has_any_influence(model_of, clip, stir, variant, later):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets)
    expected = module(frames, times, valid)
    for value in (0.0, 1.0, torch.nan):
        more = torch.full((1, 2, *frames.shape[2:]), value)
        output = module(
            torch.cat((more, frames), dim=1),
            torch.cat((torch.tensor([later]).float(), times), dim=1),
            torch.cat((torch.ones(1, 2, dtype=torch.bool), valid), dim=1),
        )
        assert torch.equal(output.frame, expected.frame)
        assert torch.equal(output.flow, expected.flow)


@every_model
def test_absent_frames_have_no_influence_and_two_in_a_row_are_needed(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets)
    absent = times < -2
    spoiled = frames.masked_fill(absent[..., None, None, None], torch.nan)
    assert module(spoiled, times, ~absent).frame.isfinite().all()
    with pytest.raises(ValueError, match=re.escape("offset -2")):
        module(frames, times, times != -2)
    with pytest.raises(ValueError, match="valid frames"):
        module(frames, times, torch.zeros_like(valid))


@every_model
def test_order_and_the_neighbours_horizon_in_the_batch_do_not_matter(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets, samples=2)
    times[1] -= 2  # the second is to be predicted three frames ahead
    together = module(frames, times, valid).frame
    order = torch.randperm(len(offsets), generator=torch.Generator().manual_seed(3))
    shuffled = module(frames[:, order], times[:, order], valid[:, order]).frame
    assert torch.allclose(shuffled, together, atol=1e-5)
    for i in range(2):
        alone = module(frames[i : i + 1], times[i : i + 1], valid[i : i + 1]).frame
        assert torch.allclose(alone[0], together[i], atol=1e-5)


@every_model
def test_how_far_ahead_the_frame_lies_is_seen(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets)
    near, far = (module(frames, times - ahead, valid).frame for ahead in (0, 2))
    assert not torch.equal(near, far)


@every_model
def test_a_few_steps_lower_the_loss_the_same_way_twice_and_saved_weights_give_the_same_frame(
    model_of, clip, small_loss, tmp_path, variant
):
    model, offsets = model_of(variant)
    arguments = clip(offsets, samples=2)
    target = arguments[0][:, -1] * 0.7
    parts = {**dict.fromkeys(model.family.auxiliary, 0.1), "warping": 0.1}
    losses = Losses(replace(small_loss, l1=1.0, lpips=0.0, **parts))
    batch = dict(zip(("frames", "offsets", "valid"), arguments, strict=True)) | {"target": target}

    def train():
        module = build(model, task="predict", seed=5)
        optimizer = torch.optim.AdamW(module.parameters(), lr=2e-3)
        curve = []
        for _ in range(6):
            loss = sum(losses(module(*arguments, target), batch).values())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            curve.append(loss.item())
        return curve, module

    (curve, module), (again, _) = train(), train()
    assert curve[-1] < curve[0]
    assert curve == again
    weights.save(tmp_path / "w.safetensors", module, {"model": model.name})
    other = build(model, task="predict", seed=2).eval()
    weights.load(tmp_path / "w.safetensors", other, {"model": model.name})
    assert torch.equal(other(*arguments).frame, module.eval()(*arguments).frame)


@every_model
def test_gradients_reach_every_parameter(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict"))
    output = module(*clip(offsets, samples=2), clip(samples=2, seed=9)[0][:, 0])
    loss = output.frame.square().mean() + sum((output.auxiliary or {}).values(), start=torch.zeros(()))
    loss.backward()
    assert not [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()]


@every_model
def test_an_untrained_model_is_the_average_of_the_last_two_frames(model_of, clip, variant):
    model, offsets = model_of(variant)
    frames, times, valid = clip(offsets, size=(40, 50))
    output = build(model, task="predict")(frames, times, valid)
    assert not output.flow.any()
    if model.name == "ifrnet":
        assert torch.allclose(output.frame, frames[:, -2:].mean(dim=1), atol=1e-5)
