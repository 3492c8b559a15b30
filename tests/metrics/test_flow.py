import pytest
import torch

from lift.metrics import epe, full_size, occluded, warping_error


def noise(*size: int) -> torch.Tensor:
    return torch.rand(*size, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("size", [(96, 128), (18, 25), (17, 21)])
def test_a_quarter_flow_becomes_full_in_size_and_value(size):
    small = torch.full((4, -(-size[0] // 4), -(-size[1] // 4)), 1.5)
    assert torch.equal(full_size(small, size), torch.full((4, *size), 6.0))


def test_a_linear_flow_keeps_its_place_though_the_frame_is_no_multiple_of_four():
    rows = 4 * torch.arange(5.0) + 1.5  # centres of the quarter-size pixels in a frame's pixels
    small = (rows / 4).view(1, 5, 1).expand(4, 5, 6)
    full = full_size(small, (18, 22))
    torch.testing.assert_close(full[0, 2:-2, 0], torch.arange(2.0, 16.0))


def test_a_full_flow_stays_as_it_is():
    flow = noise(4, 9, 12)
    assert full_size(flow, (9, 12)) is flow


def test_a_flow_of_another_frame_is_refused():
    with pytest.raises(ValueError, match="whole fraction"):
        full_size(noise(4, 9, 12), (36, 40))


def test_warping_error_is_zero_for_the_true_motion_inside():
    world = noise(3, 10, 30)
    target, before, after = world[:, :, 5:25], world[:, :, 3:23], world[:, :, 8:28]
    flow = torch.zeros(4, 10, 20)
    flow[0], flow[2] = 2, -3
    references = torch.stack((before, after))
    inside = [x[..., 4:-4] for x in (target, before, after)]
    still = torch.stack([(reference - inside[0]).abs().mean() for reference in inside[1:]]).mean() * 255
    moved = warping_error(flow, references, target, data_range=1.0)
    assert moved < 0.35 * float(still)  # columns that left the frame remain


def test_warping_error_is_the_mean_over_both_references_in_8_bit_units():
    target = noise(3, 10, 20)
    references = torch.stack((target + 0.1, target - 0.3))
    error = warping_error(torch.zeros(4, 10, 20), references, target, data_range=1.0)
    assert error == pytest.approx(0.2 * 255, rel=1e-5)


def test_epe_is_the_mean_distance_where_visible():
    truth = torch.zeros(4, 2, 3)
    flow = truth.clone()
    flow[0], flow[1] = 3, 4  # 5 pixels off towards the reference before, right towards the one after
    visible = torch.ones(2, 2, 3, dtype=torch.bool)
    assert epe(flow, truth, visible) == pytest.approx(2.5)
    visible[0, :, 1:] = False
    assert epe(flow, truth, visible) == pytest.approx(5 * 2 / 8)
    assert epe(flow, truth, torch.zeros_like(visible)) is None


def test_occluded_is_the_share_hidden_in_either_reference():
    visible = torch.ones(2, 2, 4, dtype=torch.bool)
    visible[0, 0, 0] = visible[1, 0, 0] = visible[1, 1, 1] = False
    assert occluded(visible) == pytest.approx(2 / 8)
