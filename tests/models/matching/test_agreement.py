"""What two warped references agree on is kept, what they do not is shrunk (matching/agreement.py)."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lift.config import load
from lift.models.matching.agreement import Agreement, _smooth
from lift.ops.local import local_mean

SIZE = (64, 96)


@pytest.fixture
def agreement() -> Agreement:
    torch.manual_seed(0)
    root = Path(__file__).resolve().parents[3]
    return Agreement(load(root / "params.yaml", "demo", "matched").model.matching)


def textured(seed: int) -> Tensor:
    """A picture with detail of several sizes, (1, 3, H, W)."""
    noise = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
    return 0.5 + sum((local_mean(noise, side) - 0.5 for side in (3, 9)), torch.zeros(()))


def seen(share: float, size: tuple[int, int] = SIZE) -> Tensor:
    return torch.tensor([share, 1 - share]).view(1, 2, 1, 1).expand(1, 2, *size)


def rms(error: Tensor) -> float:
    return math.sqrt(float((error.detach() ** 2).mean()))


STILL = torch.zeros(1, 4, *SIZE)


def test_untrained_it_keeps_what_both_show(agreement):
    picture = textured(1)
    frame = agreement(picture, picture, seen(0.5), STILL)
    assert rms(frame - picture) < 0.03 * rms(picture - picture.mean())


def test_untrained_it_takes_away_more_error_than_picture(agreement):
    """Each shows detail of its own beside what both show, as where the flow is wrong."""
    truth = local_mean(textured(1), 15)
    before, after = (truth + textured(seed) - local_mean(textured(seed), 9) for seed in (2, 3))
    frame = agreement(before, after, seen(0.5), STILL)
    assert rms(frame - truth) < 0.6 * rms((before + after) / 2 - truth)


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_a_reference_that_alone_shows_a_place_is_not_doubted(agreement, share):
    before, after = textured(1), textured(2)
    visible = before if share > 0.5 else after
    frame = agreement(before, after, seen(share), STILL)
    assert rms(frame - visible) < 0.04 * rms(before - after)


def test_which_reference_is_given_first_does_not_matter_untrained(agreement):
    before, after = textured(1), textured(2)
    one = agreement(before, after, seen(0.3), STILL)
    other = agreement(after, before, seen(0.7), STILL)
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("share", [0.2, 0.35, 0.5])
def test_doubt_is_the_part_of_the_difference_that_the_blend_has_as_error(agreement, share):
    """References wrong by as much as visibility says, inversely: what is kept of a band of pure error."""
    drawn = torch.Generator().manual_seed(5)
    wrong = torch.randn(2, 3, 256, 256, generator=drawn) * torch.tensor([1 - share, share]).view(2, 1, 1, 1)
    before, after = wrong[:1], wrong[1:]
    frame = agreement(before, after, seen(share, (256, 256)), torch.zeros(1, 4, 256, 256))
    blended = share * before + (1 - share) * after
    fine = [picture - _smooth(picture, 1) for picture in (frame, blended, (before - after) / 2)]
    error = rms(fine[1]) ** 2 / rms(fine[2]) ** 2  # of D's power: 1 where both count alike
    # Where all is error, its power is the band's, and 1 - doubt of it is kept, whatever the shares
    assert rms(fine[0]) / rms(fine[1]) == pytest.approx(1 - agreement.options.doubt, abs=0.05)
    assert error == pytest.approx(8 * (share * (1 - share)) ** 2 / (share**2 + (1 - share) ** 2), rel=0.02)


def test_it_learns_from_visibility_which_reference_to_believe(agreement):
    """What is right lies in either half with another reference, which visibility hints at alone."""
    before, after = textured(1), textured(2)
    left = torch.arange(SIZE[1]) < SIZE[1] // 2
    truth = torch.where(left, before, after)
    hint = torch.where(left, 0.55, 0.45).expand(1, 1, *SIZE)
    visible = torch.cat((hint, 1 - hint), dim=1)

    def error(given: Tensor) -> float:
        return rms(agreement(before, after, given, STILL) - truth)

    optimizer = torch.optim.Adam(agreement.parameters(), lr=1e-2)
    start = error(visible)
    for _ in range(150):
        optimizer.zero_grad()
        (agreement(before, after, visible, STILL) - truth).abs().mean().backward()
        optimizer.step()
    assert error(visible) < 0.6 * start < 0.8 * error(visible.flip(1))


def test_half_precision_comes_out_in_full(agreement):
    torch.nn.init.normal_(agreement.network[-1].weight, std=0.02)
    before, after, still = (maps.bfloat16() for maps in (textured(1), textured(2), STILL))
    with torch.autocast("cpu", torch.bfloat16):
        frame = agreement(before, after, seen(0.5).bfloat16(), still)
    assert frame.dtype == torch.float32
    exact = agreement(before.float(), after.float(), seen(0.5), STILL)
    torch.testing.assert_close(frame, exact, atol=1e-3, rtol=0.0)  # without it the bands alone err by 2e-3
