"""What every registered model must do, whatever is inside: shapes, masks, learning, saving, determinism."""

import re
from dataclasses import replace

import pytest
import torch

from lift import weights
from lift.config.schema import MODELS
from lift.errors import UserError
from lift.losses import Losses
from lift.models.interface import Interpolator
from lift.models.registry import build
from lift.ops.pad import pad_to_multiple
from lift.ops.resize import resize

REFERENCES = {"interpolate": (-1, 1), "predict": (-2, -1)}
BASE, TWO, FOUR, WIDE = (-4, -3, -2, -1, 1, 2), (-1, 1), (-3, -1, 1, 3), tuple(range(-63, 64, 2))
PAST, LONG_PAST = (-2, -1), tuple(range(-6, 0))
ALIGNED = {"refinement": "aligned"}
MATCHED = {**ALIGNED, "flow": "matching", "refiner_stride": 2}
BARE = {"use_context": False, "use_s1": False, "occlusion": False}
LIGHT = {"widths": (3, 5, 7), "factor": 1.0}
VARIANTS = {
    "lift": ("lift", {}, BASE),
    "aligned": ("lift", ALIGNED, BASE),
    "matched": ("lift", MATCHED, BASE),
    "lift_rife": ("lift", {**ALIGNED, "flow": "rife", "refiner_stride": 2}, BASE),
    "lift_rife_fusion": ("lift", {"flow": "rife", "refinement": "fusion"}, BASE),
    "lift64": ("lift", {"attention": "windowed", "window": 8, "layers": 2, "target_position": 64}, WIDE),
    "rife": ("rife", {"factor": 0.1}, TWO),
    "rife_v4": ("rife_v4", {"factor": 0.125}, TWO),
    "ifrnet": ("ifrnet", {"factor": 0.125}, TWO),
    "ifrnet_large": ("ifrnet", {"widths": (6, 8, 10, 12), "factor": 1.0, "first_kernel": 7}, TWO),
    "ifrnet_t": ("ifrnet", {**LIGHT, "block": "thirds"}, TWO),
    "ifrnet_elan": ("ifrnet", {**LIGHT, "block": "elan"}, TWO),
    "flavr": ("flavr", {"factor": 0.0625}, FOUR),
    "lift_past": ("lift", {}, LONG_PAST),
    "ifrnet_past": ("ifrnet", {"factor": 0.125}, PAST),
}
"""Family, options and window; windows of the past predict."""
FURTHER = {
    "lift_bare": ("lift", BARE, BASE),
    "lift_mean": ("lift", {"context": "mean", "occlusion": False}, BASE),
    "lift_patch1": ("lift", {"patch": 1, "layers": 2}, BASE),
    "lift_patch4": ("lift", {"patch": 4, "layers": 4, "use_s1": False}, BASE),
    "aligned_bare": ("lift", {**ALIGNED, **BARE}, BASE),
    "matched_bare": ("lift", {**MATCHED, "use_context": False, "occlusion": False}, BASE),
    "lift_bare_past": ("lift", BARE, LONG_PAST),
    "ifrnet_t_past": ("ifrnet", {**LIGHT, "block": "thirds"}, PAST),
    "ifrnet_elan_past": ("ifrnet", {**LIGHT, "block": "elan"}, PAST),
}
"""Every other value of an option, for what is quick to test."""
every_model = pytest.mark.parametrize("variant", VARIANTS)
every_variant = pytest.mark.parametrize("variant", VARIANTS | FURTHER)


@pytest.fixture
def model_of(small):
    """Give a function that describes a variant: (configuration, its window, its task)."""

    def describe(variant):
        name, options, offsets = (VARIANTS | FURTHER)[variant]
        task = "predict" if max(offsets) < 0 else "interpolate"
        if name == "lift":
            return replace(small, dropout=0.0, **options), offsets, task
        section = replace(getattr(small, name), **options)
        return replace(small, **{"name": name, name: section}), offsets, task

    return describe


def losses_of(model, loss):
    parts = dict.fromkeys(model.family.auxiliary, 0.1)
    return Losses(replace(loss, l1=1.0, lpips=0.0, **parts))


def batch_of(arguments, target):
    return {"frames": arguments[0], "offsets": arguments[1], "valid": arguments[2], "target": target}


def same(a, b):
    return (a is None and b is None) or torch.equal(a, b)


def test_every_registered_model_is_tried_and_described():
    assert {name for name, _, _ in VARIANTS.values()} == set(MODELS)


def test_every_model_that_says_it_predicts_is_tried_and_the_others_refuse(small):
    able = {name for name, family in MODELS.items() if "predict" in family.tasks}
    assert able == {name for name, _, offsets in VARIANTS.values() if max(offsets) < 0}
    for name in set(MODELS) - able:
        with pytest.raises(UserError, match="lift, ifrnet"):
            build(replace(small, name=name), task="predict")


@every_variant
def test_any_size_gives_the_promised_shapes_within_range(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task)).eval()
    assert isinstance(module, Interpolator)
    for size in ((33, 47), (1, 21), (64, 5)):
        output = module(*clip(offsets, samples=2, size=size))
        assert output.frame.shape == (2, 3, *size)
        assert output.frame.min() >= 0
        assert output.frame.max() <= 1
        quarter = (-(-size[0] // 4), -(-size[1] // 4))
        for name, channels in (("coarse", 3), ("flow", 4), ("occlusion", 2)):
            map_ = getattr(output, name)
            assert map_ is None or map_.shape == (2, channels, *quarter)
        assert (output.flow is not None) == model.family.estimates_flow
        assert output.auxiliary is None
        assert all(t.isfinite().all() for t in output if t is not None)
        if output.alpha is not None:
            assert output.alpha.shape == (2, len(offsets))
            assert torch.allclose(output.alpha.sum(dim=1), torch.ones(2))


@every_variant
def test_absent_and_foreign_frames_have_no_influence(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task)).eval()
    frames, times, valid = clip(offsets, samples=2)
    expected = module(frames, times, valid)
    nothing = torch.full((2, 3), torch.nan)
    output = module(
        torch.cat((torch.full((2, 3, 3, 32, 32), torch.nan), frames), dim=1),
        torch.cat((nothing, times), dim=1),
        torch.cat((nothing > 0, valid), dim=1),
    )
    assert same(output.frame, expected.frame)
    assert same(output.flow, expected.flow)
    if output.alpha is not None:
        assert torch.equal(output.alpha, torch.cat((torch.zeros(2, 3), expected.alpha), dim=1))


@every_variant
def test_absent_frames_get_no_gradient_and_spoil_none(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task))
    frames, times, valid = clip(offsets, samples=2)
    valid[0] = torch.isin(times[0], torch.tensor(REFERENCES[task]).float())
    frames = frames.masked_fill(~valid[..., None, None, None], torch.nan).requires_grad_()
    module(frames, times, valid).frame.sum().backward()
    assert not frames.grad[~valid].any()
    assert all(p.grad.isfinite().all() for p in module.parameters() if p.grad is not None)


@every_variant
def test_the_two_references_are_enough_and_needed(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task)).eval()
    frames, times, _ = clip(offsets)
    valid = torch.isin(times, torch.tensor(REFERENCES[task]).float())
    spoiled = frames.masked_fill(~valid[..., None, None, None], torch.nan)
    assert module(spoiled, times, valid).frame.isfinite().all()
    for missing in REFERENCES[task] if task == "interpolate" else (-2,):
        with pytest.raises(ValueError, match=re.escape(f"offset {missing:+d}")):
            module(frames, times, times != missing)


@every_variant
def test_order_and_neighbours_in_the_batch_do_not_matter(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task)).eval()
    frames, times, valid = clip(offsets, samples=2)
    valid[1] = times[1].abs() <= 2
    output = module(frames, times, valid)
    together = output.frame
    order = torch.randperm(len(offsets), generator=torch.Generator().manual_seed(3))
    shuffled = module(frames[:, order], times[:, order], valid[:, order])
    assert torch.allclose(shuffled.frame, together, atol=1e-5)
    if output.alpha is not None:
        assert torch.allclose(shuffled.alpha, output.alpha[:, order], atol=1e-6)
    for i in range(2):
        alone = module(frames[i : i + 1], times[i : i + 1], valid[i : i + 1]).frame
        assert torch.allclose(alone[0], together[i], atol=1e-4)  # rounding: 1.4e-5 on one of the processors


@every_variant
def test_gradients_reach_every_parameter(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task))
    arguments, target = clip(offsets, samples=2), clip(samples=2, seed=9)[0][:, 0]
    output = module(*arguments, target)
    extra = sum((output.auxiliary or {}).values(), start=torch.zeros(()))
    loss = output.frame.square().mean() + extra
    loss.backward()
    assert not [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()]
    assert all(p.grad.isfinite().all() for p in module.parameters())


@every_model
def test_the_true_frame_serves_the_loss_alone(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task))
    arguments, target = clip(offsets), clip(seed=9)[0][:, 0]
    told, untold = module(*arguments, target), module(*arguments)
    assert torch.equal(told.frame, untold.frame)
    assert set(told.auxiliary or {}) == set(model.family.auxiliary)
    assert untold.auxiliary is None
    judged = module.eval()(*arguments, target)  # as validation wants its loss
    assert torch.equal(judged.frame, module(*arguments).frame)
    assert set(judged.auxiliary or {}) == set(told.auxiliary or {})


@every_model
def test_a_few_steps_lower_the_loss_on_one_batch_the_same_way_twice(model_of, clip, small_loss, variant):
    model, offsets, task = model_of(variant)
    noise, *rest = clip(offsets, samples=2, size=(8, 8))
    # Smooth as pictures are: of noise, a model that warps at full resolution loses all at its first motion.
    frames = resize(noise.flatten(0, 1), 4).unflatten(0, noise.shape[:2])
    arguments = (frames, *rest)
    target = frames[:, torch.isin(rest[0][0], torch.tensor(REFERENCES[task]).float())].mean(dim=1) * 0.7
    batch, losses = batch_of(arguments, target), losses_of(model, small_loss)

    def train():
        torch.manual_seed(1)  # of dropout
        module = build(model, task=task, seed=5)
        optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3)
        curve = []
        for _ in range(3):
            loss = sum(losses(module(*arguments, target), batch).values())
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            curve.append(loss.item())
        return curve, module.state_dict()

    (curve, state), (again, state_again) = train(), train()
    assert curve[-1] < curve[0]
    assert curve == again
    assert all(torch.equal(state[key], state_again[key]) for key in state)


@every_model
def test_saved_weights_give_the_same_frame(model_of, clip, stir, tmp_path, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task, seed=1)).eval()
    weights.save(tmp_path / "w.safetensors", module, {"model": model.name})
    other = build(model, task=task, seed=2).eval()
    arguments = clip(offsets)
    assert not torch.equal(other(*arguments).frame, module(*arguments).frame)
    weights.load(tmp_path / "w.safetensors", other, {"model": model.name})
    assert torch.equal(other(*arguments).frame, module(*arguments).frame)


@every_model
def test_bfloat16_autocast_and_memory_layout_keep_the_frame(model_of, clip, stir, variant):
    model, offsets, task = model_of(variant)
    module = stir(build(model, task=task), 0.01)
    arguments = clip(offsets)
    exact = module(*arguments).frame
    assert torch.allclose(module.channels_last()(*arguments).frame, exact, atol=1e-4)
    with torch.autocast("cpu", torch.bfloat16):
        output = module(*arguments)
    assert all(t.dtype == torch.float32 for t in output if t is not None)
    assert torch.allclose(output.frame, exact, atol=0.1)


@pytest.mark.parametrize("variant", [v for v, (name, _, _) in VARIANTS.items() if name in ("rife", "ifrnet")])
def test_an_untrained_two_frame_model_is_the_average_of_its_references(model_of, clip, variant):
    module = build(model_of(variant)[0])
    frames, times, valid = clip(TWO, samples=2, size=(40, 50))
    output = module(frames, times, valid)
    mean = frames.mean(dim=1)
    assert torch.allclose(output.frame, mean, atol=1e-5)
    padded, _ = pad_to_multiple(mean, module.multiple)
    assert torch.allclose(output.coarse, resize(padded, 0.25)[..., :10, :13], atol=1e-5)
    assert not output.flow.any()
    assert (output.occlusion == 0.5).all()


@every_model
def test_inputs_are_not_written_to(model_of, clip, variant):
    model, offsets, task = model_of(variant)
    arguments = clip(offsets, size=(33, 35))
    copies = [a.clone() for a in arguments]
    build(model, task=task)(*arguments, arguments[0][:, 0])
    assert all(torch.equal(a, b) for a, b in zip(arguments, copies, strict=True))
