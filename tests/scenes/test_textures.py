"""Textures: tones, spectra and pictures without a download."""

import subprocess
import sys

import numpy as np

from lift.scenes import ranges
from lift.scenes.textures import PICTURES, noise, picture, texture
from lift.seeds import generator


def test_every_picture_is_inside_scikit_image() -> None:
    assert all(picture(name).shape[2] == 3 and picture(name).std() > 10 for name in PICTURES)


def test_scenes_import_neither_a_downloader_nor_torch() -> None:
    code = """
import sys
from lift.scenes import layouts, make
make(0, "occlusion", (32, 48), (0.5, 2.0)).render(0)
print([name for name in ("pooch", "skimage", "torch") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_textures_have_the_declared_tones() -> None:
    for seed in range(20):
        tile = texture(generator(seed, "tile"), 200, 240) / 255.0
        assert tile.ndim == 3
        assert max(tile.shape[:2]) <= 240
        low, high = ranges.MEAN
        assert ranges.TINT[0] * low - 0.03 < tile.mean() < ranges.TINT[1] * high + 0.03
        assert 0.07 < tile.std() < 1.3 * ranges.CONTRAST[1] + 0.05


def test_noise_has_a_natural_spectrum() -> None:
    field = noise(generator(0, "noise"), 256, 256)
    power = np.abs(np.fft.fft2(field))
    slope = np.log(power[0, 4] + power[4, 0]) - np.log(power[0, 64] + power[64, 0])
    low, high = ranges.SPECTRUM
    assert low - 1e-3 <= slope / np.log(16) <= high + 1e-3
    assert abs(field.mean()) < 1e-3
    assert abs(field.std() - 1.0) < 1e-3
