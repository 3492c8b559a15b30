import pytest
import torch

from lift.losses.pixel import EPSILON, charbonnier, l1


def frames(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    a, b = torch.rand(2, 2, 3, 5, 6, dtype=torch.float64, generator=generator)
    return a.requires_grad_(), b


def test_l1_of_a_constant_difference_is_that_difference():
    _, b = frames()
    assert l1(b + 0.25, b).item() == pytest.approx(0.25)


def test_charbonnier_is_epsilon_at_equality_with_a_gradient_of_zero():
    a = frames()[0]
    loss = charbonnier(a, a.detach())
    loss.backward()
    assert loss.item() == pytest.approx(EPSILON)
    assert torch.count_nonzero(a.grad) == 0


def test_charbonnier_of_large_errors_is_l1():
    _, b = frames()
    assert charbonnier(b + 10, b).item() == pytest.approx(l1(b + 10, b).item(), rel=1e-6)


@pytest.mark.parametrize("loss", [l1, charbonnier])
def test_gradient(loss):
    assert torch.autograd.gradcheck(loss, frames())
