import numpy as np
import pytest
import skimage.data
import torch
from torch.nn import functional

from lift.metrics import ms_ssim, ssim
from lift.metrics.similarity import WEIGHTS, scales


def photograph(height=192, width=240):
    return torch.from_numpy(skimage.data.astronaut()[:height, 60 : 60 + width].copy()).permute(2, 0, 1) / 255


def distorted(frame, amount, seed=2):
    noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(seed))
    return (frame + amount * noise).clamp(0, 1)


def straightforward(a, b):
    """The definition (Wang et al. 2003, equation 7), with convolutions in PyTorch."""
    line = torch.exp(-((torch.arange(11.0, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    window = torch.outer(line, line) / line.sum() ** 2

    def mean(x):
        return functional.conv2d(x, window[None, None])

    values = []
    for x, y in zip(a, b, strict=True):
        x, y = (((255 * z.double()).round() / 255)[None, None] for z in (x, y))
        product = 1.0
        for level, weight in enumerate(WEIGHTS):
            mx, my = mean(x), mean(y)
            cs = (2 * (mean(x * y) - mx * my) + 9e-4) / (mean(x * x) - mx**2 + mean(y * y) - my**2 + 9e-4)
            if level == len(WEIGHTS) - 1:
                cs = cs * (2 * mx * my + 1e-4) / (mx**2 + my**2 + 1e-4)
            product *= float(cs.mean()) ** weight
            x, y = functional.avg_pool2d(x, 2), functional.avg_pool2d(y, 2)
        values.append(product)
    return np.mean(values)


def test_the_published_weights_sum_to_one_over_five_scales():
    assert len(WEIGHTS) == 5
    assert sum(WEIGHTS) == pytest.approx(1.0, abs=2e-4)


@pytest.mark.parametrize("amount", [0.02, 0.1])
def test_it_is_the_definition(amount):
    b = photograph()
    a = distorted(b, amount)
    assert ms_ssim(a, b, data_range=1.0) == pytest.approx(straightforward(a, b), abs=1e-9)


def test_equal_frames_give_one_and_the_order_does_not_matter():
    b = photograph()
    a = distorted(b, 0.05)
    assert ms_ssim(b, b, data_range=1.0) == pytest.approx(1.0, abs=1e-12)
    assert ms_ssim(a, b, data_range=1.0) == pytest.approx(ms_ssim(b, a, data_range=1.0), abs=1e-12)


def test_more_noise_is_worse_and_fine_noise_costs_less_than_at_one_scale():
    b = photograph()
    values = [ms_ssim(distorted(b, amount), b, data_range=1.0) for amount in (0.01, 0.05, 0.2)]
    assert values == sorted(values, reverse=True)
    assert values[1] > ssim(distorted(b, 0.05), b, data_range=1.0)


@pytest.mark.parametrize(
    ("side", "count"), [(10, 0), (11, 1), (22, 2), (96, 4), (175, 4), (176, 5), (4096, 5)]
)
def test_as_many_scales_are_used_as_hold_the_window(side, count):
    assert scales(side) == count


def test_one_scale_is_ssim_and_a_frame_below_the_window_is_refused():
    b = photograph(16, 20)
    a = distorted(b, 0.05)
    assert ms_ssim(a, b, data_range=1.0) == pytest.approx(ssim(a, b, data_range=1.0), abs=1e-12)
    with pytest.raises(ValueError, match="11 pixels"):
        ms_ssim(a[:, :10], b[:, :10], data_range=1.0)


def test_an_inverted_picture_has_no_similarity_and_no_complex_number():
    b = photograph()
    assert ms_ssim(1 - b, b, data_range=1.0) == 0.0
