"""Resizing of maps and flows."""

import pytest
import torch

from lift.ops.resize import resize, resize_flow
from lift.ops.warp import backward_warp


def test_a_constant_stays_constant():
    assert torch.allclose(resize(torch.full((1, 2, 3, 5), 0.3), 4), torch.tensor(0.3))


def test_a_size_is_met_exactly():
    assert resize(torch.rand(1, 2, 6, 8), size=(5, 13)).shape == (1, 2, 5, 13)


def test_a_ramp_keeps_its_place():
    ramp = torch.arange(16.0).expand(1, 1, 16, 16)
    assert torch.allclose(resize(ramp, 0.25)[0, 0, 0], torch.tensor([1.5, 5.5, 9.5, 13.5]))


@pytest.mark.parametrize("scale", [0.5, 2, 4])
def test_a_flow_scales_in_value_too(scale):
    flow = torch.tensor([3.0, -1.0, 0.5, 2.0])[None, :, None, None].expand(1, 4, 8, 8)
    resized = resize_flow(flow, scale)
    assert resized.shape == (1, 4, int(8 * scale), int(8 * scale))
    assert torch.allclose(resized, flow[..., :1, :1] * scale)


def test_warping_and_enlarging_commute():
    y, x = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="ij")
    image = (0.01 * x + 0.02 * y)[None, None]  # linear: bilinear interpolation is exact inside
    flow = torch.ones(1, 2, 16, 16)
    enlarged = backward_warp(resize(image, 2), resize_flow(flow, 2))
    inside = (..., slice(4, -6), slice(4, -6))
    assert torch.allclose(enlarged[inside], resize(backward_warp(image, flow), 2)[inside], atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "words"), [({}, "either size or"), ({"scale": 2, "size": (4, 4)}, "only one of size or")]
)
def test_scale_and_size_exclude_each_other(arguments, words):
    with pytest.raises(ValueError, match=words):
        resize(torch.zeros(1, 1, 2, 2), **arguments)
