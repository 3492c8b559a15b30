"""Flow from similarities: what is compared with what, and what a match would mean."""

from dataclasses import replace

import pytest
import torch

from lift.models.lineup import line_up
from lift.models.matching.flow import Similarity
from lift.models.matching.search import arrange, search
from lift.models.registry import build
from lift.ops.resize import resize


@pytest.fixture
def features():
    """Three channels of noise at 9 x 11."""
    return torch.randn(1, 3, 9, 11, generator=torch.Generator().manual_seed(4))


def identity(reach):
    matching = Similarity(3, 3, reach)
    with torch.no_grad():
        matching.project.weight.copy_(torch.eye(3)[:, :, None, None])
        matching.project.bias.zero_()
    return matching


@pytest.mark.parametrize(("x", "y"), [(0, 0), (2, 0), (-1, 1), (0, -2)])
def test_even_motion_is_found_where_it_is(features, x, y):
    """An object that moves by d a frame stands at p - d before and at p + d after."""
    before, after = features.roll((-y, -x), dims=(2, 3)), features.roll((y, x), dims=(2, 3))
    similar = identity(2)(torch.cat((before, after)))
    assert similar.shape == (1, 25, 9, 11)
    best = similar[0, :, 2:-2, 2:-2].argmax(dim=0)
    assert (best == (y + 2) * 5 + x + 2).all()
    assert torch.allclose(similar[0, (y + 2) * 5 + x + 2, 2:-2, 2:-2], torch.ones(()))


def test_each_similarity_is_a_cosine_by_hand(features):
    other = features.flip(3)
    similar = identity(1)(torch.cat((features, other)))
    a, b = (
        features[0, :, 4 + 1, 5 - 1],
        other[0, :, 4 - 1, 5 + 1],
    )  # d = (1, -1): before at p - d, after at p + d
    assert torch.allclose(similar[0, 2, 4, 5], torch.cosine_similarity(a, b, dim=0), atol=1e-6)
    assert not similar[0, 0, 0].any()  # beyond the edge


def test_swapped_references_give_opposite_motions(features):
    pair = torch.cat((features, features.roll(1, 3)))
    matching = identity(2)
    assert torch.equal(matching(pair).flip(1), matching(pair.flip(0)))


def test_matching_without_alignment_is_refused(small):
    with pytest.raises(ValueError, match="refinement: aligned"):
        replace(small, flow="matching")


@pytest.fixture
def matched(small):
    return replace(small, refinement="aligned", flow="matching", refiner_stride=2)


def moving(offsets, speed, size=(64, 96)):
    """A smooth picture that moves by `speed` (x, y) a frame: (frames, times, valid, the missing frame)."""
    noise = torch.rand(1, 3, size[0] // 4, size[1] // 4, generator=torch.Generator().manual_seed(2))
    picture = resize(noise, 4)
    frames = [picture.roll((speed[1] * o, speed[0] * o), dims=(2, 3)) for o in offsets]
    times = torch.tensor([offsets]).float()
    return torch.stack(frames, dim=1), times, torch.ones_like(times).bool(), picture


@pytest.mark.parametrize("speed", [(0, 0), (4, 0), (-6, 2), (10, -4)])
@pytest.mark.parametrize("offsets", [(-1, 1), (-2, -1, 1, 2), (-3, -1, 1, 3)])
def test_untrained_the_search_alone_finds_even_motion(matched, speed, offsets):
    *arguments, truth = moving(offsets, speed)
    output = build(matched).eval()(*arguments)
    inside = (..., slice(16, -16), slice(24, -24))
    quarter = (..., slice(4, -4), slice(6, -6))
    expected = torch.tensor([-speed[0], -speed[1], speed[0], speed[1]])[:, None, None] / 4
    assert (output.flow[0] - expected)[quarter].abs().mean() < 0.3  # s4 pixels
    error = (output.frame - truth)[inside].abs().mean()
    assert error < 0.02
    if speed != (0, 0):
        assert (
            error
            < (arguments[0][:, [offsets.index(-1), offsets.index(1)]].mean(1) - truth)[inside].abs().mean()
            / 4
        )


def test_frames_beyond_the_references_tell_motion_from_repetition(matched):
    """Stripes of period 16 move by 6 a frame: between the references, 12 apart, they seem to go back by 4."""
    x, offsets = torch.arange(128).float(), (-2, -1, 1, 2)
    waves = torch.stack([0.5 + 0.5 * torch.sin(2 * torch.pi * (x - 6 * o) / 16) for o in offsets])
    whole = waves[None, :, None, None].expand(1, 4, 3, 64, 128)
    frames = whole[..., ::2, ::2]  # half the size, as the search sees them: 3 a frame, or -1
    times = torch.tensor([offsets]).float()
    inside = (0, 2, slice(8, -8), slice(12, -12))  # to the reference after, x
    near, _ = search(*laid(frames[:, 1:3], times[:, 1:3]), matched.matching)
    far, _ = search(*laid(frames, times), matched.matching)
    assert (near[inside] + 1).abs().median() < 0.5
    assert (far[inside] - 3).abs().median() < 0.5


def laid(frames, times):
    lineup = line_up(times, torch.ones_like(times).bool())
    return arrange(frames[lineup.rows, lineup.slots], times, lineup)


def test_absent_and_third_frames_do_not_change_the_search_where_the_second_is_there(matched):
    frames, times, _, _ = moving((-3, -2, -1, 1, 2), (4, 0))
    whole = torch.cat(search(*laid(frames, times), matched.matching), dim=1)
    without = torch.cat(search(*laid(frames[:, 1:], times[:, 1:]), matched.matching), dim=1)
    assert torch.equal(without, whole)
    other = torch.cat(search(*laid(frames[:, 2:], times[:, 2:]), matched.matching), dim=1)
    assert not torch.equal(other, whole)


@pytest.mark.parametrize("hidden", [-1, 1])
def test_a_reference_that_something_hides_counts_less(matched, hidden):
    """Something stands before a still picture in one reference alone, which no other frame confirms."""
    frames, times, valid, picture = moving((-2, -1, 1, 2), (0, 0))
    covered = (slice(None), (-2, -1, 1, 2).index(hidden), slice(None), slice(24, 40), slice(40, 56))
    frames[covered] = 1 - frames[covered]
    _, seen = search(*laid(frames[..., ::2, ::2], times), matched.matching)
    middle = seen[0, :, 14:18, 22:26].mean(dim=(1, 2))
    assert middle[0 if hidden == -1 else 1] < -1
    assert (middle.sum()) == pytest.approx(0, abs=1e-5)
    assert seen[0, :, :6].abs().max() < 0.1
    error = (build(matched).eval()(frames, times, valid).frame - picture).abs()[..., 28:36, 44:52].mean()
    assert error < (frames[:, 1:3].mean(dim=1) - picture).abs()[..., 28:36, 44:52].mean() / 2


def test_without_a_frame_beyond_one_of_them_both_references_count_equally(matched):
    frames, times, _, _ = moving((-2, -1, 1), (2, 0))
    assert not search(*laid(frames, times), matched.matching)[1].any()


def test_only_the_references_keep_features_at_half_the_resolution(small, clip):
    options = {"refinement": "aligned", "flow": "matching"}
    frames = clip((-2, -1, 1))[0][0]
    features = build(replace(small, **options)).encode(frames, 2).features
    assert features.s2.shape == (2, small.widths[1], 16, 16)
    assert build(small).encode(frames, 2).features.s2 is None


def test_the_specifications_widths_learn_with_a_third_flow_head(spec, clip):
    model = build(replace(spec, refinement="aligned", flow="matching", refiner_stride=2))
    output = model(*clip((-1, 1)))
    output.frame.mean().backward()
    assert model.flow.s2[0][0].in_channels == 2 * 64 + 6
    assert output.flow.shape == (1, 4, 8, 8)


def test_motion_of_the_same_share_of_a_larger_frame_is_found_from_a_coarser_scale(small):
    """A frame of 240 lines starts at s16, this one of 528 at s32, of which its sides are no multiples."""
    options = small.matching
    noise = torch.rand(1, 3, 17, 31, generator=torch.Generator().manual_seed(3))
    picture = resize(noise, 16)[..., :264, :488]
    speed = 23  # s2 pixels per frame
    frames = torch.stack([picture.roll(-speed, dims=3), picture.roll(speed, dims=3)], dim=1)
    times = torch.tensor([[-1.0, 1.0]])
    inside = (slice(None), slice(None), slice(32, -32), slice(64, -64))
    expected = torch.tensor([-speed, 0, speed, 0])[None, :, None, None]
    flow, _ = search(*laid(frames, times), options)
    assert flow.shape == (1, 4, 264, 488)
    assert (flow - expected)[inside].abs().mean() < 1
    fixed, _ = search(*laid(frames, times), replace(options, coarsest=1000))
    assert (fixed - expected)[inside].abs().mean() > 5
