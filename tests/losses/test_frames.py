"""Losses of two frames: per pixel, of the census, of the spectrum, of the pyramid."""

import math

import pytest
import torch

from lift.losses.frames import EPSILON, census, charbonnier, frequency, l1, laplacian, pyramid
from lift.ops.resize import resize


def pair(height: int = 12, width: int = 13) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = torch.rand(2, 1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return a.requires_grad_(), b


def image(*size: int) -> torch.Tensor:
    return torch.rand(1, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("loss", [l1, charbonnier, census, frequency, laplacian])
@pytest.mark.parametrize("size", [(8, 9), (7, 7)])
def test_gradient(loss, size):
    assert torch.autograd.gradcheck(loss, pair(*size), fast_mode=loss is census)


def test_l1_of_a_constant_difference_is_that_difference():
    _, b = pair()
    assert l1(b + 0.25, b).item() == pytest.approx(0.25)


def test_charbonnier_is_epsilon_at_equality_with_a_gradient_of_zero():
    a = pair()[0]
    loss = charbonnier(a, a.detach())
    loss.backward()
    assert loss.item() == pytest.approx(EPSILON)
    assert torch.count_nonzero(a.grad) == 0


def test_charbonnier_of_large_errors_is_l1():
    _, b = pair()
    assert charbonnier(b + 10, b).item() == pytest.approx(l1(b + 10, b).item(), rel=1e-6)


def test_the_census_of_equal_frames_costs_nothing_and_of_unrelated_ones_much():
    a, b = pair()
    assert census(a, a) == 0
    assert 0.3 < census(a, b) < 1


def test_brightness_makes_no_difference_to_the_census():
    a, b = pair()
    torch.testing.assert_close(census(a + 0.2, a), torch.zeros((), dtype=a.dtype), atol=1e-12, rtol=0)
    torch.testing.assert_close(census(a + 0.2, b), census(a, b))


def test_contrast_makes_little_difference_to_the_census():
    a, b = pair()
    assert census(0.7 * a, a) < 0.02 * census(b, a)


def test_the_census_tells_lighter_and_darker_neighbours_apart():
    a, _ = pair()
    assert census(1 - a, a) > 0.8


def test_only_pixels_with_a_whole_window_count_in_the_census():
    a, b = pair()
    inner = a.detach().clone()
    inner[..., 3:-3, 3:-3] += 0.1
    assert census(a[..., :7, :7], b[..., :7, :7]).isfinite()
    assert census(inner, a) > 0


def test_the_spectrum_of_one_wrong_pixel_is_flat():
    a = image(8, 10)
    b = a.clone()
    b[..., 3, 4] += 0.5
    assert frequency(b, a).item() == pytest.approx(0.5 / math.sqrt(80))


def test_where_the_error_sits_makes_no_difference_to_the_spectrum():
    a, error = image(8, 10), image(8, 10) ** 3
    moved = torch.roll(error, (2, 3), dims=(2, 3))
    torch.testing.assert_close(frequency(a + moved, a), frequency(a + error, a))


def test_a_regular_pattern_costs_less_of_the_spectrum_than_noise_of_equal_l1():
    a = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
    stripes = torch.ones_like(a)
    stripes[..., ::2] = -1
    signs = torch.sign(image(16, 16) - 0.5)
    assert frequency(stripes, a) < 0.2 * frequency(signs, a)


@pytest.mark.parametrize("size", [(64, 96), (37, 50), (5, 3), (1, 4)])
def test_the_bands_add_up_to_the_image(size):
    whole = image(*size)
    *bands, rest = pyramid(whole)
    for band in reversed(bands):
        rest = band + resize(rest, size=band.shape[2:])
    torch.testing.assert_close(rest, whole)


def test_five_bands_where_they_fit_and_fewer_in_small_crops():
    assert [tuple(band.shape[2:]) for band in pyramid(image(64, 80))] == [
        (64, 80), (32, 40), (16, 20), (8, 10), (4, 5),
    ]  # fmt: skip
    assert len(pyramid(image(3, 3))) == 3
    assert len(pyramid(image(1, 1))) == 1


def test_a_constant_difference_lies_in_the_last_band_alone():
    a = image(32, 32)
    assert laplacian(a + 0.25, a).item() == pytest.approx(0.25)


def test_fine_detail_lies_in_the_first_band():
    stripes = torch.ones(1, 1, 32, 32, dtype=torch.float64)
    stripes[..., ::2] = -1
    first, *others = (band.abs().mean().item() for band in pyramid(stripes))
    assert first > 3 * sum(others)  # the others hold what the repeated edges do to the stripes
