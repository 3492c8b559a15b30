import pytest
import torch

from lift.losses.flow import references, smoothness, warping


def noise(*size: int) -> torch.Tensor:
    return torch.rand(*size, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


def test_uniform_motion_is_smooth_and_a_step_costs_its_height():
    grey = torch.full((1, 3, 16, 24), 0.5, dtype=torch.float64)
    flow = torch.ones(1, 4, 4, 6, dtype=torch.float64)
    assert smoothness(flow, grey) == 0
    flow[:, 0, :, 3:] += 2  # one step of 2 in one of 4 channels, at one of 5 places along x
    assert smoothness(flow, grey).item() == pytest.approx(2 / (4 * 5))


def test_a_step_at_an_edge_of_the_target_is_free():
    frame = torch.zeros(1, 3, 16, 24, dtype=torch.float64)
    frame[..., 12:] = 1
    at_edge, elsewhere = torch.zeros(2, 1, 4, 4, 6, dtype=torch.float64)
    at_edge[..., 3:] = 1
    elsewhere[..., 2:] = 1
    assert smoothness(at_edge, frame) < 1e-6 * smoothness(elsewhere, frame)


def test_warping_is_zero_for_the_true_motion_and_not_without_motion():
    world = (
        noise(1, 3, 5, 20).repeat_interleave(4, 2).repeat_interleave(4, 3)
    )  # quarter size: exactly `noise`
    target, before, after = world[..., 16:64], world[..., 12:60], world[..., 24:72]
    flow = torch.zeros(1, 4, 5, 12, dtype=torch.float64)
    pair = torch.stack((before, after), dim=1)
    still = warping(flow, pair, target)
    flow[:, 0], flow[:, 2] = 1, -2  # `before` shows it 4 pixels to the right: 1 at s4
    moved = warping(flow, pair, target)
    assert moved < 0.25 * still  # what is left are the columns that entered or left the frame


def test_sizes_that_four_does_not_divide():
    target = noise(2, 3, 18, 25)
    flow = noise(2, 4, 5, 7)
    assert warping(flow, torch.stack((target, target), 1), target).isfinite()
    assert smoothness(flow, target).isfinite()
    with pytest.raises(ValueError, match="not at 1/4"):
        smoothness(flow[..., 1:], target)


def test_references_are_found_by_offset_in_each_clip():
    frames = torch.arange(8.0).view(2, 4, 1, 1, 1).expand(2, 4, 3, 2, 2)
    offsets = torch.tensor([[-2, -1, 1, 2], [2, 1, -1, -2]])  # the second is reversed in time
    picked = references(frames, offsets)
    assert picked[..., 0, 0, 0].tolist() == [[1, 2], [6, 5]]
    with pytest.raises(ValueError, match="both references"):
        references(frames, offsets + 5)


def test_gradients():
    target, pair = noise(1, 3, 8, 12), noise(1, 2, 3, 8, 12) ** 2
    flow = (0.6 * noise(1, 4, 2, 3) + 0.1).requires_grad_()  # no whole pixels: kinks of sampling
    assert torch.autograd.gradcheck(lambda f: smoothness(f, target), flow)
    assert torch.autograd.gradcheck(lambda f: warping(f, pair, target), flow)
