import torch

from lift.losses.census import census


def frames(height: int = 12, width: int = 13) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = torch.rand(2, 1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    return a, b


def test_equal_frames_cost_nothing_and_unrelated_ones_much():
    a, b = frames()
    assert census(a, a) == 0
    assert 0.3 < census(a, b) < 1


def test_brightness_makes_no_difference():
    a, b = frames()
    torch.testing.assert_close(census(a + 0.2, a), torch.zeros((), dtype=a.dtype), atol=1e-12, rtol=0)
    torch.testing.assert_close(census(a + 0.2, b), census(a, b))


def test_contrast_makes_little_difference():
    a, b = frames()
    assert census(0.7 * a, a) < 0.02 * census(b, a)


def test_lighter_and_darker_neighbours_are_told_apart():
    a, _ = frames()
    assert census(1 - a, a) > 0.8


def test_only_pixels_with_a_whole_window_count():
    a, b = frames()
    inner = a.clone()
    inner[..., 3:-3, 3:-3] += 0.1
    assert census(a[..., :7, :7], b[..., :7, :7]).isfinite()
    assert census(inner, a) > 0


def test_gradient():
    a, b = frames(8, 8)
    assert torch.autograd.gradcheck(census, (a.requires_grad_(), b), fast_mode=True)
