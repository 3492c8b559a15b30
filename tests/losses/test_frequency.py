import math

import pytest
import torch

from lift.losses.frequency import frequency


def image(*size: int) -> torch.Tensor:
    return torch.rand(1, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def test_the_spectrum_of_one_wrong_pixel_is_flat():
    a = image(8, 10)
    b = a.clone()
    b[..., 3, 4] += 0.5
    assert frequency(b, a).item() == pytest.approx(0.5 / math.sqrt(80))


def test_where_the_error_sits_makes_no_difference():
    a, error = image(8, 10), image(8, 10) ** 3
    moved = torch.roll(error, (2, 3), dims=(2, 3))
    torch.testing.assert_close(frequency(a + moved, a), frequency(a + error, a))


def test_a_regular_pattern_costs_less_than_noise_of_equal_l1():
    a = torch.zeros(1, 3, 16, 16, dtype=torch.float64)
    stripes = torch.ones_like(a)
    stripes[..., ::2] = -1
    signs = torch.sign(image(16, 16) - 0.5)
    assert frequency(stripes, a) < 0.2 * frequency(signs, a)


def test_gradient():
    assert torch.autograd.gradcheck(frequency, (image(5, 6).requires_grad_(), image(5, 6) ** 2))
