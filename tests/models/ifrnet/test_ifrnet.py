"""IFRNet: its blocks, its geometry loss, and its flow."""

from dataclasses import replace

import pytest
import torch

from lift.models.ifrnet.interpolator import BLOCKS, ElanBlock, SideBlock, ThirdsBlock
from lift.models.registry import build
from lift.ops.warp import backward_warp


@pytest.mark.parametrize("name", BLOCKS)
def test_blocks_keep_the_shape_even_where_three_does_not_divide(name):
    for width in (6, 7, 8):
        layers = torch.nn.Sequential(*BLOCKS[name](width, 2))
        assert layers(torch.rand(2, width, 5, 4)).shape == (2, width, 5, 4)


def test_a_side_block_keeps_all_but_the_side_channels_between_the_wide_convolutions():
    block = SideBlock(6, 2)
    seen = []
    block.narrow[0].register_forward_hook(lambda m, inputs, output: seen.append(inputs[0].shape[1]))
    block(torch.rand(1, 6, 4, 4))
    assert seen == [2]


def test_light_blocks_see_the_thirds_that_the_specification_names():
    thirds, elan = ThirdsBlock(6), ElanBlock(6)
    assert [layer[0].in_channels for layer in thirds.partial] == [2, 4]
    assert (len(elan.two), len(elan.four)) == (2, 4)
    assert elan.join.in_channels == 7 * 2


@pytest.fixture
def ifrnet(small):
    return build(replace(small, name="ifrnet", ifrnet=replace(small.ifrnet, factor=0.125)), seed=3)


def test_geometry_is_nothing_where_the_intermediate_features_are_the_truths(ifrnet, clip):
    truth = clip(seed=9)[0][:, 0]
    features = ifrnet.pyramid(truth)
    assert ifrnet._geometry(features[:-1], truth) == 0
    assert ifrnet._geometry([-f for f in features[:-1]], truth) > 0


def test_the_flow_that_is_given_is_the_one_that_warps(ifrnet, clip, stir):
    model = stir(ifrnet, 0.05).eval()
    x = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)  # so smooth that a quarter of it says it all
    frames = torch.stack((x, x.flip(3)), dim=1)
    output = model(frames, torch.tensor([[-1.0, 1.0]]), torch.ones(1, 2).bool())
    small = torch.nn.functional.interpolate(frames[0], scale_factor=0.25, mode="bilinear")
    warped = backward_warp(small, output.flow.view(2, 2, 16, 16))
    blended = (output.occlusion[0, :, None] * warped).sum(dim=0)
    inside = (slice(None), slice(3, -3), slice(3, -3))
    assert torch.allclose(output.coarse[0][inside], blended[inside], atol=0.02)
    assert output.flow.abs().max() > 0.05
