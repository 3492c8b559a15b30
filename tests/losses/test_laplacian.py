import pytest
import torch

from lift.losses.laplacian import laplacian, pyramid
from lift.ops.resize import resize


def image(*size: int) -> torch.Tensor:
    return torch.rand(1, 3, *size, dtype=torch.float64, generator=torch.Generator().manual_seed(2))


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


def test_gradient():
    assert torch.autograd.gradcheck(laplacian, (image(6, 7).requires_grad_(), image(6, 7) ** 2))
