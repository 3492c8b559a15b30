"""Backward warping: identities, shifts, gradients."""

import pytest
import torch

from lift.ops.warp import backward_warp


def random(*shape, seed=0, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("size", [(5, 7), (1, 6), (6, 1), (1, 1)])
def test_no_motion_is_identity(size):
    image = random(2, 3, *size)
    assert torch.allclose(backward_warp(image, torch.zeros(2, 2, *size)), image, atol=1e-6)


@pytest.mark.parametrize(("x", "y"), [(1, 0), (0, 2), (-3, 1), (2, -2)])
def test_an_integer_flow_is_a_roll_inside(x, y):
    image = random(1, 3, 12, 14)
    flow = torch.tensor([x, y], dtype=torch.float32)[None, :, None, None].expand(1, 2, 12, 14)
    rolled = image.roll((-y, -x), dims=(2, 3))  # result(p) = image(p + flow)
    inside = (..., slice(3, -3), slice(3, -3))
    assert torch.allclose(backward_warp(image, flow)[inside], rolled[inside], atol=1e-5)


def test_half_a_pixel_is_the_mean_of_two():
    image = random(1, 1, 4, 6)
    flow = torch.zeros(1, 2, 4, 6)
    flow[:, 0] = 0.5
    mean = (image[..., :-1] + image[..., 1:]) / 2
    assert torch.allclose(backward_warp(image, flow)[..., :-1], mean, atol=1e-6)


def test_outside_the_edge_is_repeated():
    image = random(1, 3, 4, 5)
    far = torch.full((1, 2, 4, 5), 100.0)
    assert torch.allclose(backward_warp(image, far), image[..., -1:, -1:].expand_as(image))


def test_gradients_are_right_in_float64():
    image = random(1, 2, 4, 5, dtype=torch.float64).requires_grad_()
    # Away from integer targets, where bilinear sampling has kinks, and from the border, where it is flat.
    flow = (random(1, 2, 4, 5, seed=1, dtype=torch.float64) * 0.4 + 0.3).requires_grad_()
    assert torch.autograd.gradcheck(backward_warp, (image, flow))


def test_half_precision_is_sampled_in_single():
    image = random(1, 3, 4, 600)
    exact = backward_warp(image.bfloat16().float(), torch.zeros(1, 2, 4, 600))
    found = backward_warp(image.bfloat16(), torch.zeros(1, 2, 4, 600, dtype=torch.bfloat16))
    assert found.dtype == torch.float32
    assert torch.equal(found, exact)


def test_a_flow_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r"flow \(1, 2, 4, 4\) does not fit the image \(1, 3, 8, 8\)"):
        backward_warp(torch.zeros(1, 3, 8, 8), torch.zeros(1, 2, 4, 4))
