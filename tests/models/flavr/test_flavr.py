"""The FLAVR-like baseline: which frames it sees, and what absent ones are to it."""

from dataclasses import replace

import pytest
import torch

from lift.models.registry import build

FOUR = (-3, -1, 1, 3)


@pytest.fixture
def flavr(small, stir):
    def make(**options):
        return stir(
            build(replace(small, name="flavr", flavr=replace(small.flavr, factor=0.0625, **options)))
        ).eval()

    return make


def test_all_four_frames_and_no_others_reach_the_result(flavr, clip):
    frames, times, valid = clip((-3, -2, -1, 1, 2, 3))
    frames.requires_grad_()
    flavr()(frames, times, valid).frame.sum().backward()
    reached = [bool(frames.grad[0, slot].any()) for slot in range(6)]
    assert reached == [True, False, True, True, False, True]


def test_an_absent_frame_is_not_a_frame_of_the_mean_colour(flavr, clip):
    """Zeros after the mean's subtraction would be just that; the fourth channel tells them apart."""
    model = flavr()
    frames, times, valid = clip(FOUR)
    absent = valid & (times > -3)
    grey = frames.clone()
    grey[:, 0] = frames[:, 1:].mean(dim=(1, 3, 4), keepdim=True)[:, 0]
    assert not torch.allclose(model(grey, times, valid).frame, model(frames, times, absent).frame, atol=1e-4)


def test_brightness_passes_through(flavr, clip):
    frames, times, valid = clip(FOUR)
    model = flavr().train()
    assert torch.allclose(
        model(frames + 0.3, times, valid).frame, model(frames, times, valid).frame + 0.3, atol=1e-5
    )


def test_more_inputs_are_a_parameter(flavr, clip):
    assert flavr(inputs=6).offsets == (-5, -3, -1, 1, 3, 5)
    assert flavr(inputs=6)(*clip((-5, -3, -1, 1, 3, 5))).frame.shape == (1, 3, 32, 32)
