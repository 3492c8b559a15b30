"""Variational refinement: even, accelerated and zooming motion, to a fraction of a pixel."""

import pytest
import torch

from lift.models.lineup import line_up
from lift.models.matching.search import arrange, search
from lift.models.matching.variational import Path, refine
from lift.ops.resize import resize
from lift.ops.warp import backward_warp

SIZE = (64, 96)
INSIDE = (slice(None), slice(None), slice(12, -12), slice(16, -16))


@pytest.fixture
def picture():
    noise = torch.rand(1, 3, SIZE[0] // 4, SIZE[1] // 4, generator=torch.Generator().manual_seed(5))
    return resize(noise, 4)


def shown(picture, offsets, path):
    """Render frames in which pixel p of `picture` stands at p + path(o); of a zoom nearly."""
    places = [torch.as_tensor(path(o)).float().expand(1, 2, *SIZE) for o in offsets]
    frames = torch.stack([backward_warp(picture, -place, "bicubic") for place in places], dim=1)
    return frames.clamp(0, 1), torch.tensor([offsets]).float()


def found(frames, times, options):
    lineup = line_up(times, torch.ones_like(times).bool())
    return search(*arrange(frames[lineup.rows, lineup.slots], times, lineup), options)[0]


def vector(x, y):
    return torch.tensor([x, y])[None, :, None, None]


@pytest.mark.parametrize("speed", [(0.0, 0.0), (0.4, -0.3), (-1.7, 0.8), (4.3, 2.6)])
@pytest.mark.parametrize("offsets", [(-1, 1), (-2, -1, 1, 2), (-3, -1, 1, 3)])
def test_even_motion_is_found_to_a_tenth_of_a_pixel(small, picture, speed, offsets):
    flow = found(*shown(picture, offsets, lambda o: o * vector(*speed)), small.matching)
    expected = torch.cat((-vector(*speed), vector(*speed)), dim=1)
    assert (flow - expected)[INSIDE].abs().mean() < 0.1


def test_a_zoom_is_found(small, picture):
    y, x = torch.meshgrid(torch.arange(SIZE[0]) - 32.0, torch.arange(SIZE[1]) - 48.0, indexing="ij")
    outwards = 0.03 * torch.stack((x, y))[None]
    flow = found(*shown(picture, (-1, 1), lambda o: o * outwards), small.matching)
    assert (flow - torch.cat((-outwards, outwards), dim=1))[INSIDE].abs().mean() < 0.15


@pytest.mark.parametrize("offsets", [(-2, -1, 1, 2), (-3, -1, 1, 3)])
def test_frames_beyond_the_references_show_acceleration(small, picture, offsets):
    """Falling: the references stand off the middle of the path, and alone would put the frame elsewhere."""
    speed, bend = vector(1.5, 0.5), vector(0.3, -0.6)
    frames, times = shown(picture, offsets, lambda o: o * speed + o**2 * bend)
    expected = torch.cat((bend - speed, bend + speed), dim=1)
    even = found(frames[:, 1:3], times[:, 1:3], small.matching)
    assert (even - expected)[INSIDE].abs().mean() > 0.4
    assert (found(frames, times, small.matching) - expected)[INSIDE].abs().mean() < 0.1


def test_references_alone_are_taken_to_move_evenly(small, picture):
    flow = found(*shown(picture, (-1, 1), lambda o: o * vector(1.0, 0.0)), small.matching)
    assert torch.equal(flow[:, :2], -flow[:, 2:])


def test_a_samples_motion_does_not_depend_on_what_the_others_have(small, picture):
    frames, times = shown(picture, (-2, -1, 1, 2), lambda o: o * vector(1.0, 2.0))
    valid = torch.tensor([[True] * 4, [False, True, True, False]])
    lineup = line_up(times.expand(2, 4), valid)
    both = frames.expand(2, -1, -1, -1, -1)[lineup.rows, lineup.slots]
    together = search(*arrange(both, times.expand(2, 4), lineup), small.matching)[0]
    assert torch.allclose(together[:1], found(frames, times, small.matching), atol=1e-5)
    assert torch.allclose(together[1:], found(frames[:, 1:3], times[:, 1:3], small.matching), atol=1e-5)


@pytest.mark.parametrize("frames", [torch.zeros(1, 2, 3, 8, 8), torch.ones(1, 2, 3, 1, 1)])
def test_a_picture_without_gradients_leaves_the_motion_as_it_is(small, frames):
    speed = torch.full((1, 2, *frames.shape[3:]), 1.5)
    pairs = {(-1, 1): torch.ones(1, 1, 1, 1)}
    path = refine(frames, (-1, 1), Path(speed, 0 * speed), pairs, small.matching, bends=False)
    assert torch.allclose(path.speed, speed)
    assert not path.bend.any()
