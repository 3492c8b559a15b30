import math

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from lift.metrics import Means, ie, ie_rms, psnr, to_bytes
from lift.metrics.error import MAX_PSNR


def frames(*size: int, noise: float = 0.1) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    a = torch.rand(3, *size, generator=generator)
    return (a + noise * torch.randn(3, *size, generator=generator)).clamp(0, 1), a


@pytest.mark.parametrize("noise", [0.003, 0.1])
def test_psnr_of_the_8_bit_frames_equals_scikit_images(noise):
    a, b = frames(20, 31, noise=noise)
    bytes_ = [(255 * x.numpy()).round().astype(np.uint8) for x in (b, a)]
    expected = peak_signal_noise_ratio(*bytes_, data_range=255)
    assert psnr(a, b, data_range=1.0) == pytest.approx(expected, abs=1e-9)


def test_known_values():
    b = torch.full((3, 4, 5), 100 / 255)
    a = b.clone()
    a[:, 0, :] += 8 / 255  # a quarter of the pixels is off by 8 levels
    assert ie(a, b, data_range=1.0) == pytest.approx(2)
    assert ie_rms(a, b, data_range=1.0) == pytest.approx(4)
    assert psnr(a, b, data_range=1.0) == pytest.approx(20 * math.log10(255 / 4))


def test_differences_below_half_a_level_do_not_count():
    b = torch.full((3, 4, 5), 100 / 255)
    assert psnr(b + 0.4 / 255, b, data_range=1.0) == MAX_PSNR
    assert ie(b + 0.6 / 255, b, data_range=1.0) == pytest.approx(1)


def test_rounding_is_to_the_nearest_and_clamped():
    frame = torch.tensor([-0.2, 0.0, 0.4 / 255, 0.6 / 255, 1.0, 1.3]).expand(3, 1, 6)
    assert to_bytes(frame, data_range=1.0)[0, 0].tolist() == [0, 0, 0, 1, 255, 255]


def test_the_unit_of_the_input_makes_no_difference():
    a, b = frames(9, 9)
    for metric in (psnr, ie, ie_rms):
        assert metric(a * 255, b * 255, data_range=255.0) == pytest.approx(metric(a, b, data_range=1.0))


def test_symmetry():
    a, b = frames(9, 9)
    for metric in (psnr, ie, ie_rms):
        assert metric(a, b, data_range=1.0) == metric(b, a, data_range=1.0)


def test_wrong_input_is_refused():
    a, b = frames(9, 9)
    with pytest.raises(ValueError, match="differ"):
        psnr(a, b[:, 1:], data_range=1.0)
    with pytest.raises(ValueError, match="not finite"):
        psnr(a * torch.nan, b, data_range=1.0)
    with pytest.raises(ValueError, match="shape"):
        psnr(a[None], b[None], data_range=1.0)
    with pytest.raises(TypeError, match="data_range"):
        psnr(a, b)


def test_clips_without_a_value_do_not_count():
    means = Means()
    means.update({"psnr": 30.0, "epe": None})
    means.update({"psnr": 33.0, "epe": 2.0})
    assert means.compute() == {"psnr": pytest.approx(31.5), "epe": 2.0}


def test_a_name_that_never_had_a_value_has_no_mean():
    means = Means()
    means.update({"epe": None})
    assert means.compute() == {}


def test_the_order_of_clips_makes_no_difference():
    values = [0.1 * i**3 for i in range(50)]
    results = set()
    for order in (values, values[::-1], sorted(values, key=lambda v: -v % 7)):
        means = Means()
        for value in order:
            means.update({"x": value})
        results.add(means.compute()["x"])
    assert len(results) == 1
