"""What LIFT makes of its inputs: ranges, number formats, memory layouts, and clips that it refuses."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from lift.models.registry import build


def test_frames_are_clamped_in_evaluation_only(small, clip):
    model = build(small)
    nn.init.constant_(model.refiner.network[-1].bias, 2.0)
    assert model.train()(*clip()).frame.max() > 1
    assert model.eval()(*clip()).frame.max() == 1


def test_inputs_are_not_written_to(small, clip):
    arguments = clip(size=(33, 35))
    copies = [a.clone() for a in arguments]
    build(small)(*arguments)
    assert all(torch.equal(a, b) for a, b in zip(arguments, copies, strict=True))


@pytest.mark.parametrize("training", [True, False])
def test_bfloat16_autocast_stays_finite_and_near(small, clip, stir, training):
    model = stir(build(replace(small, dropout=0.0))).train(training)
    arguments = clip(samples=2)
    exact = model(*arguments)
    with torch.autocast("cpu", torch.bfloat16):
        output = model(*arguments)
    assert all(t.dtype == torch.float32 for t in output if t is not None)
    assert torch.allclose(output.frame, exact.frame, atol=0.05)
    output.frame.mean().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_channels_last_gives_the_same_frame(small, clip, stir):
    model = stir(build(small)).eval()
    expected = model(*clip())
    found = model.channels_last()(*clip())
    assert torch.allclose(found.frame, expected.frame, atol=1e-5)


@pytest.mark.parametrize(
    ("offsets", "masked", "message"),
    [
        ((-2, 1, 3), None, r"0 valid frames at offset -1"),
        ((-1, 1), 1, r"0 valid frames at offset \+1"),
        ((-1, -1, 1), None, r"2 valid frames at offset -1"),
    ],
)
def test_a_clip_without_both_references_is_refused(small, clip, offsets, masked, message):
    frames, offsets, valid = clip(offsets)
    if masked is not None:
        valid[0, masked] = False
    with pytest.raises(ValueError, match=message):
        build(small)(frames, offsets, valid)


def test_shapes_that_do_not_fit_are_refused(small, clip):
    model = build(small)
    frames, offsets, valid = clip()
    with pytest.raises(ValueError, match="frames: expected shape"):
        model(frames[0], offsets, valid)
    with pytest.raises(ValueError, match="offsets: expected shape"):
        model(frames, offsets[:, 1:], valid)
    with pytest.raises(ValueError, match="valid: expected bool"):
        model(frames, offsets, valid.float())
