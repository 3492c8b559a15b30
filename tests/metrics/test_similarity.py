import numpy as np
import pytest
import skimage.data
import torch
from scipy.ndimage import gaussian_filter
from skimage.metrics import structural_similarity
from torch.nn import functional

from lift.metrics import both_ssims, ssim, ssim_matlab


def photograph(height: int, width: int) -> torch.Tensor:
    return torch.from_numpy(skimage.data.astronaut()[:height, 60 : 60 + width].copy()).permute(2, 0, 1) / 255


def distort(frame: torch.Tensor, kind: str) -> torch.Tensor:
    if kind == "blur":
        return torch.from_numpy(gaussian_filter(frame.numpy(), sigma=(0, 1.2, 1.2)))
    if kind == "noise":
        noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(2))
        return (frame + 0.05 * noise).clamp(0, 1)
    return torch.roll(frame, 1, dims=2)


def straightforward_volume_ssim(a: torch.Tensor, b: torch.Tensor) -> float:
    """The definition, word for word: one convolution of the padded volume with an 11 × 11 × 11 window."""
    line = torch.exp(-((torch.arange(11.0, dtype=torch.float64) - 5) ** 2) / (2 * 1.5**2))
    line /= line.sum()
    window = torch.einsum("i,j,k->ijk", line, line, line)[None, None]

    def mean(x: torch.Tensor) -> torch.Tensor:
        return functional.conv3d(functional.pad(x[None, None], (5,) * 6, mode="replicate"), window)

    a, b = ((255 * x.double()).round() / 255 for x in (a, b))
    variance_a, variance_b = mean(a * a) - mean(a) ** 2, mean(b * b) - mean(b) ** 2
    covariance = mean(a * b) - mean(a) * mean(b)
    luminance = (2 * mean(a) * mean(b) + 1e-4) / (mean(a) ** 2 + mean(b) ** 2 + 1e-4)
    return float((luminance * (2 * covariance + 9e-4) / (variance_a + variance_b + 9e-4)).mean())


@pytest.mark.parametrize("kind", ["blur", "noise", "shift"])
@pytest.mark.parametrize("size", [(48, 70), (11, 13)])
def test_ssim_equals_scikit_images(kind, size):
    b = photograph(*size)
    a = distort(b, kind)
    x, y = (np.round(255.0 * f.permute(1, 2, 0).double().numpy()) / 255 for f in (a, b))
    expected = structural_similarity(
        x, y, data_range=1.0, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert ssim(a, b, data_range=1.0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", ["blur", "noise", "shift"])
@pytest.mark.parametrize("size", [(24, 30), (11, 13)])
def test_ssim_matlab_equals_its_definition(kind, size):
    b = photograph(*size)
    a = distort(b, kind)
    assert ssim_matlab(a, b, data_range=1.0) == pytest.approx(straightforward_volume_ssim(a, b), abs=1e-9)


def test_both_at_once_are_the_two():
    b = photograph(24, 30)
    a = distort(b, "noise")
    expected = {metric.__name__: metric(a, b, data_range=1.0) for metric in (ssim, ssim_matlab)}
    assert both_ssims(a, b, data_range=1.0) == expected


@pytest.mark.parametrize("kind", ["blur", "noise", "shift"])
def test_the_fields_variant_reads_higher_as_the_protocols_say(kind):
    b = photograph(256, 448)
    a = distort(b, kind)
    assert 0.02 < ssim_matlab(a, b, data_range=1.0) - ssim(a, b, data_range=1.0) < 0.12


@pytest.mark.parametrize("metric", [ssim, ssim_matlab])
def test_properties(metric):
    b = photograph(32, 40)
    slightly, much = (distort(b, "noise") * w + b * (1 - w) for w in (0.3, 1.0))
    assert metric(b, b, data_range=1.0) == pytest.approx(1)
    assert metric(much, b, data_range=1.0) == pytest.approx(metric(b, much, data_range=1.0))
    assert metric(much, b, data_range=1.0) < metric(slightly, b, data_range=1.0) < 1
    assert metric(much * 255, b * 255, data_range=255.0) == pytest.approx(metric(much, b, data_range=1.0))


@pytest.mark.parametrize("metric", [ssim, ssim_matlab])
def test_frames_smaller_than_the_window_are_refused(metric):
    with pytest.raises(ValueError, match="11 pixels"):
        metric(photograph(10, 40), photograph(10, 40), data_range=1.0)
