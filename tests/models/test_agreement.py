"""What two warped references agree on is kept, what they do not is shrunk (lift/models/agreement.py)."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lift.config import load
from lift.models.agreement import Agreement
from lift.ops.local import local_mean

SIZE = (64, 96)


@pytest.fixture
def agreement() -> Agreement:
    torch.manual_seed(0)
    root = Path(__file__).resolve().parents[2]
    return Agreement(load(root / "params.yaml", "demo", "matched").model.matching)


def textured(seed: int) -> Tensor:
    """A picture with detail of several sizes, (1, 3, H, W)."""
    noise = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(seed))
    return 0.5 + sum((local_mean(noise, side) - 0.5 for side in (3, 9)), torch.zeros(()))


def seen(share: float) -> Tensor:
    return torch.tensor([share, 1 - share]).view(1, 2, 1, 1).expand(1, 2, *SIZE)


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


def test_it_learns_which_reference_to_believe(agreement):
    """The network sees which reference moved fast and can take the side of either, band by band."""
    before, after = textured(1), textured(2)
    optimizer = torch.optim.Adam(agreement.parameters(), lr=1e-2)
    start = rms(agreement(before, after, seen(0.5), STILL) - before)
    for _ in range(60):
        optimizer.zero_grad()
        (agreement(before, after, seen(0.5), STILL) - before).abs().mean().backward()
        optimizer.step()
    assert rms(agreement(before, after, seen(0.5), STILL) - before) < 0.5 * start


def test_half_precision_comes_out_in_full(agreement):
    before, after = textured(1), textured(2)
    with torch.autocast("cpu", torch.bfloat16):
        frame = agreement(before.bfloat16(), after.bfloat16(), seen(0.5), STILL)
    assert frame.dtype == torch.float32
    exact = agreement(before, after, seen(0.5), STILL)
    torch.testing.assert_close(frame, exact, atol=0.02, rtol=0.0)
