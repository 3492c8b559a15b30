"""LIFT on RIFE, nothing learnt: no worse than what it stands on, whatever the window holds; any time."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from lift.config import load, load_all
from lift.errors import UserError
from lift.metrics import psnr
from lift.models.cost import parameters
from lift.models.lift_rife.belief import steady
from lift.models.lift_rife.window import onward_of, refined
from lift.models.matching.variational import Path, pairs_of
from lift.models.registry import build

SIZE = (96, 128)
DENSE, UNIFORM = (-3, -2, -1, 1, 2, 3), (-5, -3, -1, 1, 3, 5)
HAIR, THIRD = 0.1, 0.3  # dB: a hair, and the bound of harm
SEEN = 50.0  # dB: less than one grey level of error, where no one sees more


@pytest.fixture(scope="module")
def described(small):
    return replace(small, flow="rife", refinement="none")


@pytest.fixture(scope="module")
def model(described):
    return build(described).eval()


@pytest.fixture(scope="module")
def rife(small):
    module = build(replace(small, name="rife_v4"))
    module.load_pretrained("weights/rife_v4.25.safetensors")
    return module.eval()


def scene(time, seed=0, speed=(2.0, 1.0), bend=0.1):
    """Draw a textured ground that moves by speed·time + bend·time², and an object on it that moves back."""
    y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    made = []
    for layer, sign in enumerate((1, -1)):
        generator = torch.Generator().manual_seed(2 * seed + layer)
        colour = torch.rand(3, 1, 1, generator=generator)
        coarse, fine = (torch.rand(1, 3, SIZE[0] // n, SIZE[1] // n, generator=generator) for n in (16, 4))
        parts = [
            F.interpolate(part, size=SIZE, mode="bicubic", align_corners=False) for part in (coarse, fine)
        ]
        texture = 0.4 * colour + 0.4 * parts[0] + 0.2 * parts[1]
        moved = sign * (torch.tensor(speed) * time + bend * time**2)
        grid = torch.stack((x - moved[0], y - moved[1]), dim=-1)
        grid = 2 * grid / torch.tensor([SIZE[1] - 1, SIZE[0] - 1]) - 1
        picture = F.grid_sample(texture, grid[None], "bicubic", "reflection", align_corners=True)
        left, top = 40 + moved[0], 30 + moved[1]
        inside = [
            (at - edge).clamp(0, 1) * (edge + 40 - at).clamp(0, 1) for at, edge in ((x, left), (y, top))
        ]
        made.append((picture.clamp(0, 1)[0], inside[0] * inside[1]))
    (back, _), (front, alpha) = made
    return back * (1 - alpha) + front * alpha


def sample(frames):
    """Lay out a dictionary from offset to frame."""
    offsets = sorted(frames)
    times = torch.tensor([offsets]).float()
    return torch.stack([frames[o] for o in offsets])[None], times, torch.ones_like(times).bool()


def quality(frame, truth):
    return min(SEEN, psnr(frame.clamp(0, 1), truth.clamp(0, 1), data_range=1.0))


def compare(model, rife, frames, truth):
    """Give the gain over RIFE, and over the references alone, dB."""
    two = {offset: frames[offset] for offset in (-1, 1)}
    with torch.no_grad():
        found, alone, base = (
            quality(module(*sample(given)).frame[0], truth)
            for module, given in ((model, frames), (model, two), (rife, two))
        )
    return found - base, found - alone


@pytest.mark.parametrize("offsets", [DENSE, UNIFORM])
def test_even_and_accelerated_motion_gains(model, rife, offsets):
    over_rife, over_two = compare(model, rife, {o: scene(o) for o in offsets}, scene(0))
    assert over_rife > 4 * HAIR
    assert over_two > HAIR / 2


REPEATS = {
    "every second": lambda n: n - n % 2,
    "every third": lambda n: n - (n % 3 == 2),
    "two of five, as film on video": lambda n: 5 * (n // 5) + (0, 0, 0, 3, 3)[n % 5],
}


@pytest.mark.parametrize("offsets", [DENSE, UNIFORM])
@pytest.mark.parametrize("shown", REPEATS.values(), ids=REPEATS)
def test_repeated_frames_do_no_harm(model, rife, offsets, shown):
    gains = []
    for phase in range(5):  # as over the targets of a video
        frames = {o: scene(shown(o + phase + 30) - 30 - phase) for o in (*offsets, 0)}
        truth = frames.pop(0)
        gains.append(compare(model, rife, frames, truth))
    over_rife, over_two = (torch.tensor(values) for values in zip(*gains, strict=True))
    assert over_rife.mean() > -THIRD
    assert over_two.min() > -THIRD


@pytest.mark.parametrize("spoilt", [-3, -2, 2, 3])
@pytest.mark.parametrize("kind", ["wrong", "flash", "cut"])
def test_a_wrong_frame_a_flash_and_a_cut_do_no_harm(model, rife, spoilt, kind):
    for offsets in (DENSE, UNIFORM):
        frames = {o: scene(o) for o in offsets}
        for offset in offsets:
            if offset == spoilt or (kind == "cut" and offset * spoilt > 0 and abs(offset) >= abs(spoilt)):
                frames[offset] = (frames[offset] + 0.5).clamp(0, 1) if kind == "flash" else scene(offset, 50)
        over_rife, over_two = compare(model, rife, frames, scene(0))
        assert over_rife > -HAIR
        assert over_two > -HAIR


def test_without_far_frames_it_is_the_references_alone_also_in_a_batch(model):
    frames, times, valid = (
        part.repeat(2, *[1] * (part.ndim - 1)) for part in sample({o: scene(o) for o in DENSE})
    )
    valid[1] = times[1].abs() == 1
    with torch.no_grad():
        together = model(frames, times, valid).frame
        alone = model(*sample({o: scene(o) for o in (-1, 1)})).frame
        whole = model(*(part[:1] for part in (frames, times, valid))).frame
    assert torch.allclose(together[1], alone[0], atol=1e-5)
    assert torch.allclose(together[0], whole[0], atol=1e-5)
    assert (together[0] - together[1]).abs().max() > 0.01


def test_equal_frames_stay_what_they_are(model, rife):
    still = {o: scene(0) for o in DENSE}
    with torch.no_grad():
        assert (
            model(*sample(still)).frame - rife(*sample({o: still[o] for o in (-1, 1)})).frame
        ).abs().max() < 0.02
    flat = {o: torch.full((3, *SIZE), 0.25) for o in UNIFORM}
    with torch.no_grad():
        assert (model(*sample(flat)).frame - 0.25).abs().max() < 0.01


@pytest.mark.parametrize("time", [0.25, 0.4, 0.75])
def test_any_time_between_the_references(model, rife, time):
    frames = {2 * (k - time): scene(2 * (k - time)) for k in (-1, 0, 1, 2)}
    near = [-2 * time, 2 - 2 * time]
    with torch.no_grad():
        found = quality(model(*sample(frames)).frame[0], scene(0))
        first, second = (frames[offset][None] for offset in near)
        base = quality(rife.between(first, second, torch.tensor([time])).frame[0], scene(0))
    assert found > base


def test_references_at_several_times_or_too_far_apart_are_refused(model):
    frames, times, valid = sample({o: scene(o) for o in (-1, 1)})
    both = frames.repeat(2, 1, 1, 1, 1), torch.tensor([[-1.0, 1.0], [-0.5, 1.5]]), valid.repeat(2, 1)
    with pytest.raises(ValueError, match="offset"):
        model(*both)
    with pytest.raises(ValueError, match="offset"):
        model(frames, 2 * times, valid)


def test_a_path_laid_through_two_flows_gives_them_back():
    flow = torch.randn(2, 4, 1, 1).expand(2, 4, 8, 12).contiguous()
    for references in ((-1.0, 1.0), (-0.5, 1.5)):
        assert torch.allclose(Path.through(flow, references).flows(references), flow, atol=1e-5)


def test_each_reference_is_compared_with_the_nearest_frame_beyond_it():
    present = torch.tensor([[True] * 6, [True, False, True, True, True, False]])
    pairs = pairs_of([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], present, 0.5, 1)
    shown = {pair: weight.flatten().tolist() for pair, weight in pairs.items()}
    assert shown == {
        (-1.0, 1.0): [0.5, 0.5],
        (-1.0, -2.0): [0.25, 0.0],
        (-1.0, -3.0): [0.0, 0.25],
        (1.0, 2.0): [0.25, 0.25],
    }


def test_only_the_next_frame_beyond_and_far_enough_is_asked_as_well():
    offsets = [-7.0, -5.0, -3.0, -1.0, 1.0, 3.0, 5.0]
    present = torch.tensor([[True] * 7, [True, True, False, True, True, True, False]])
    shown = {
        pair: there.flatten().tolist() for pair, there in onward_of(offsets, present, 1, distance=4.0).items()
    }
    assert shown == {(-1.0, -5.0): [1.0, 0.0], (-1.0, -7.0): [0.0, 1.0], (1.0, 5.0): [1.0, 0.0]}
    dense = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0]
    assert not onward_of(dense, torch.ones(1, 6).bool(), 1, distance=4.0)


@pytest.mark.parametrize("further", [-5, 5])
def test_a_frame_further_out_takes_belief_from_a_path_that_does_not_lead_to_it(model, further):
    """Where even motion does: the acceleration that the nearer frames show was none."""
    frames = {o: scene(o) for o in UNIFORM}
    turned = frames | {further: scene(further, bend=0.0)}
    with torch.no_grad():
        alone, with_far, refuted, nearer = (
            model(*sample({o: given[o] for o in offsets})).frame
            for given, offsets in (
                (frames, (-1, 1)),
                (frames, UNIFORM),
                (turned, UNIFORM),
                (frames, UNIFORM[1:-1]),
            )
        )
    assert (with_far - nearer).abs().mean() < 0.2 * (with_far - alone).abs().mean()
    assert (refuted - alone).abs().mean() < 0.5 * (with_far - alone).abs().mean()


def test_references_that_are_equal_give_rife_s_frame_whatever_lies_beyond(model, rife):
    frames = {o: scene(max(o, 1) if o > 0 else min(o + 2, 1)) for o in UNIFORM}  # -1 shows what 1 shows
    with torch.no_grad():
        found = model(*sample(frames)).frame
        base = rife(*sample({o: frames[o] for o in (-1, 1)})).frame
    assert (found - base).abs().max() < 1e-4


def test_coarse_rounds_find_fast_motion_that_rounds_at_half_the_resolution_miss(described):
    """Ground at 5 pixels a frame under a start that says nothing moves, and frames that are large enough."""
    coarse = described.lift_rife.coarse
    size, speed = (256, 320), torch.tensor([5.0, 0.0])
    generator = torch.Generator().manual_seed(0)
    texture = F.interpolate(torch.rand(1, 3, 16, 20, generator=generator), size=size, mode="bicubic")[0]
    offsets = [-2.0, -1.0, 1.0, 2.0]
    small = torch.stack([texture.roll(round(float(o * speed[0])), dims=2) for o in offsets])[None]
    pairs = pairs_of(offsets, torch.ones(1, 4).bool(), 0.5, 1)
    still = Path(torch.zeros(1, 2, *size), torch.zeros(1, 2, *size))
    middle = (slice(None), slice(None), slice(64, -64), slice(64, -64))
    errors = [
        (
            refined(small, offsets, still, pairs, described.matching, 2, levels).speed[middle]
            - speed[:, None, None]
        )
        .abs()
        .mean()
        for levels in ((), coarse)
    ]
    assert errors[1] < 0.5 * errors[0]


def test_a_repeat_and_another_scene_are_told_from_even_time(described):
    offsets, options = [-2.0, -1.0, 1.0, 2.0], described.lift_rife
    present = torch.ones(1, 4).bool()

    def calm(times, seeds=(0, 0, 0, 0)):
        frames = torch.stack([scene(t, seed) for t, seed in zip(times, seeds, strict=True)])
        small = F.avg_pool2d(frames, 2)[None]
        return bool(steady(small, offsets, pairs_of(offsets, present, 0.5, 1), options))

    assert calm((-2, -1, 1, 2))
    assert not calm((-1, -1, 1, 2))
    assert not calm((-2, -1, 1, 1))
    assert not calm((-2, -1, 1, 2), (0, 0, 0, 50))


def test_rife_is_frozen_counted_and_not_saved_again(model, described):
    assert not list(model.parameters())
    assert not model.state_dict()
    assert parameters(model) > 5_600_000
    learning = build(replace(described, refinement="aligned"))
    assert not [name for name in learning.state_dict() if name.startswith("window.")]


def test_the_frame_before_learning_is_that_of_nothing_learnt(model, described):
    learning = build(replace(described, refinement="aligned")).eval()
    given = sample({o: scene(o) for o in DENSE})
    with torch.no_grad():
        assert (learning(*given).frame - model(*given).frame).abs().max() < 1e-4


@pytest.fixture(scope="module")
def fusion(described):
    return build(replace(described, refinement="fusion")).eval()


def test_only_the_fusion_is_learnt_and_saved(fusion):
    assert {name.split(".")[0] for name, _ in fusion.named_parameters()} == {"fusion"}
    assert {name.split(".")[0] for name in fusion.state_dict()} == {"fusion"}
    assert sum(parameter.numel() for parameter in fusion.parameters()) < 300_000


@pytest.mark.parametrize("offsets", [DENSE, UNIFORM, (-1, 1)])
def test_an_untrained_fusion_is_the_blend_but_for_a_hair(model, fusion, offsets):
    given = sample({o: scene(o) for o in offsets})
    with torch.no_grad():
        blend, fused = (quality(made(*given).frame[0], scene(0)) for made in (model, fusion))
    assert fused > blend - 3 * HAIR


def test_every_part_of_the_fusion_learns(fusion):
    head = torch.nn.init.normal_(
        fusion.fusion.head.weight.clone(), std=0.01, generator=torch.Generator().manual_seed(0)
    )
    learning = build(replace(load("params.yaml", "demo").model, flow="rife", refinement="fusion"))
    learning.fusion.head.weight.data.copy_(head)
    learning(*sample({o: scene(o) for o in DENSE})).frame.square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in learning.parameters())


def test_what_the_fusion_gives_a_sample_does_not_depend_on_the_others(fusion):
    whole, lacking = sample({o: scene(o) for o in DENSE}), sample({o: scene(o, 1) for o in DENSE})
    lacking[2][0, [0, 1, 5]] = False
    joined = [torch.cat(parts) for parts in zip(whole, lacking, strict=True)]
    with torch.no_grad():
        together = fusion(*joined).frame
        apart = [fusion(*one).frame[0] for one in (whole, lacking)]
    for one, other in zip(together, apart, strict=True):
        assert (one - other).abs().max() < 1e-3


def test_where_there_is_no_far_frame_the_fusion_sees_the_blend_in_its_place(fusion):
    seen = []
    hook = fusion.fusion.register_forward_hook(lambda part, given, result: seen.append(given))
    with torch.no_grad():
        fusion(*sample({o: scene(o) for o in (-2, -1, 1)}))
        fusion(*sample({o: scene(o) for o in (-1, 1)}))
    hook.remove()
    (one_sided, known), (bare, unknown) = seen
    assert len(one_sided) == len(bare) == 8
    assert known.shape == unknown.shape == (1, 15, SIZE[0] // 2, SIZE[1] // 2)
    assert not torch.equal(one_sided[4], one_sided[7])
    assert torch.equal(one_sided[5], one_sided[7])
    assert torch.equal(bare[4], bare[7])
    assert known[:, -2].min() == 1
    assert known[:, -1].max() == unknown[:, -2:].max() == 0


def test_without_context_the_fusion_sees_the_references_alone(described):
    blind = build(replace(described, refinement="fusion", use_context=False)).eval()
    with torch.no_grad():
        wide, bare = (blind(*sample({o: scene(o) for o in given})).frame for given in (DENSE, (-1, 1)))
    assert torch.equal(wide, bare)


def test_weights_of_another_kind_are_refused(described):
    other = replace(described.lift_rife, pretrained="weights/nothing.safetensors")
    with pytest.raises(UserError, match=r"nothing\.safetensors: not found"):
        build(replace(described, lift_rife=other))


@pytest.mark.parametrize("wrong", [{"flow": "plain"}, {"refinement": "coarse"}])
def test_a_flow_and_a_refinement_that_do_not_fit_are_refused(described, wrong):
    with pytest.raises(ValueError, match="refinement"):
        replace(described, **wrong)


def test_the_configuration_digests_what_it_reads_alone():
    base, _ = load_all("params.yaml", "demo")
    rife = replace(base, model=replace(base.model, flow="rife", refinement="none")).digestible()["model"]
    assert {"matching", "lift_rife", "rife_v4"} <= set(rife)
    assert not {"rife", "ifrnet", "flavr"} & set(rife)


@pytest.mark.parametrize(
    ("name", "offsets"),
    [("lift_rife", DENSE[1:-1]), ("lift_rife_uniform", UNIFORM[1:-1]), ("lift_rife_3", (-1, 1))],
)
def test_the_released_forms_differ_in_their_window_alone(name, offsets):
    config = load("params.yaml", "study", name)
    assert set(offsets) <= set(config.clip.offsets)
    assert config.model == load("params.yaml", "study", "lift_rife").model
