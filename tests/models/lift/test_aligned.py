"""The variant `refinement: aligned`, and that it leaves the specification's model as it was."""

from dataclasses import replace

import pytest
import torch

from lift.metrics.error import to_bytes
from lift.models.lift.blocks import add_position
from lift.models.lift.encoder import Pyramid
from lift.models.registry import build
from lift.ops.pad import pad_to_multiple
from lift.ops.resize import resize

VARIANTS = [{}, {"use_s1": False}, {"use_context": False}, {"occlusion": False}]
MATCHED = {"flow": "matching", "refiner_stride": 2}


@pytest.fixture
def aligned(small):
    return replace(small, refinement="aligned")


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("size", [(64, 64), (37, 90), (1, 3), (32, 1300)])
def test_an_untrained_model_is_the_full_resolution_average(aligned, clip, options, size):
    frames, offsets, valid = clip((-2, -1, 1, 2), samples=2, size=size)
    output = build(replace(aligned, **options)).eval()(frames, offsets, valid)
    average = (frames[:, 1] + frames[:, 2]) / 2
    rounding = 2e-7 * max(size[1], 64)  # of the warp's coordinates in float32, a share of the width
    assert torch.allclose(output.frame, average, atol=rounding)
    assert not output.flow.any()
    assert (output.occlusion == 0.5).all()
    quarter = (-(-size[0] // 4), -(-size[1] // 4))
    reduced = resize(pad_to_multiple(average, 32)[0], 0.25)[..., : quarter[0], : quarter[1]]
    assert torch.allclose(output.coarse, reduced, atol=rounding)


def test_of_frames_in_bytes_an_untrained_model_gives_exactly_the_average(aligned, clip):
    frames, offsets, valid = clip((-1, 1), size=(48, 80))
    frames = (frames * 255).round() / 255
    average = frames.mean(dim=1)[0]
    between = ((average * 255) % 1 - 0.5).abs() < 0.1  # halfway between two bytes rounding decides: left out
    found = build(aligned).eval()(frames, offsets, valid).frame[0]
    bytes_found, bytes_average = (to_bytes(frame, data_range=1.0) for frame in (found, average))
    assert (bytes_found == bytes_average)[~between.numpy()].all()


def test_true_flow_aligns_what_moved(aligned):
    """A picture that moves by 4 pixels a frame, its flow given: the aligned average is sharp, inside."""
    picture = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(2))
    frames = torch.stack([picture.roll(4 * step, dims=3) for step in (-1, 1)], dim=1)
    model = build(aligned).eval()
    with torch.no_grad():
        model.flow.s4[-1].bias[:4] = torch.tensor([-1.0, 0.0, 1.0, 0.0])  # s4 pixels: a quarter of 4
    output = model(frames, torch.tensor([[-1.0, 1.0]]), torch.ones(1, 2).bool())
    assert torch.allclose(output.frame[..., 8:-8], picture[..., 8:-8], atol=1e-4)
    assert not torch.allclose(frames.mean(dim=1)[..., 8:-8], picture[..., 8:-8], atol=0.1)


def test_a_reference_that_is_hidden_does_not_count(aligned, clip):
    frames, offsets, valid = clip((-1, 1))
    model = build(aligned).eval()
    with torch.no_grad():
        model.flow.s4[-1].bias[4:] = torch.tensor([20.0, -20.0])
    assert torch.allclose(model(frames, offsets, valid).frame, frames[:, 0], atol=1e-5)


@pytest.mark.parametrize("options", [{}, MATCHED])
def test_gradients_reach_every_parameter_after_the_first_steps(aligned, clip, options):
    """What starts at zero blocks what stands before it for a step, not for good."""
    model = build(replace(aligned, dropout=0.0, **options))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    arguments, target = clip(samples=2), clip(samples=2, seed=9)[0][:, 0]
    for _ in range(4):
        optimizer.zero_grad()
        (model(*arguments).frame - target).abs().mean().backward()
        optimizer.step()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


@pytest.mark.parametrize("options", VARIANTS)
def test_the_specifications_model_is_its_five_stages_and_no_more(small, clip, stir, options):
    model = stir(build(replace(small, **options)))
    assert {name.split(".")[0] for name in model.state_dict()} <= {
        *("encoder", "context", "flow", "synthesis", "refiner")
    }
    model.eval()
    frames, offsets, valid = clip((-1, 1), size=(64, 32))
    references = frames.transpose(0, 1).flatten(0, 1)
    position = small.target_position + offsets[0]
    pyramid = model.encoder(references)
    near = Pyramid(*(add_position(x, position) for x in pyramid[:3]), None)
    fine = near.s1 if model.use_s1 else near.s4
    context = near.s8.new_zeros(1, small.widths[4], 4, 2)
    if model.context is not None:
        context, _ = model.context(add_position(pyramid.s16, position)[None], valid)
    context4 = resize(context, 4)
    half = torch.full((1,), 0.5)
    flow, occlusion = model.flow(near, resize(context, 2), context4, half)
    coarse, _ = model.synthesis(references, flow, occlusion, context4)
    output = model(frames, offsets, valid)
    assert torch.equal(output.frame, model.refiner(coarse, fine).clamp(0, 1))
    assert torch.equal(output.coarse, coarse)
