"""Tiles: they cover the frame, their weights sum to one, and no seam shows."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from lift.config import load
from lift.models.registry import build
from lift.video.choose import choose, of_model
from lift.video.parts import Tiled, boxes, fit
from lift.video.settings import Settings

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
AVERAGE = choose("average")


@pytest.mark.parametrize("size", [(100, 100), (96, 301), (33, 200), (97, 96)])
def test_tiles_cover_the_frame_and_overlap(size):
    seen = np.zeros(size, int)
    for top, left, height, width in boxes(size, 96, 16):
        assert (height, width) == tuple(min(side, 96) for side in size)
        seen[top : top + height, left : left + width] += 1
    assert seen.min() >= 1
    starts = sorted({left for _, left, _, _ in boxes(size, 96, 16)})
    assert all(b - a <= 96 - 16 for a, b in pairwise(starts))


@pytest.fixture(scope="module")
def untrained():
    """The model before its first step: the average, enlarged from a quarter of the size."""
    model = build(load(PARAMS, "demo").model)
    return of_model(model, (-1, 1), "untrained", device="cpu")


def middle(method, images):
    return method.between((-1, 1), [method.encode(image) for image in images]).image


def noise(size, seed=0):
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))


def test_a_local_method_gives_the_same_in_tiles():
    images = [noise((120, 150), seed) for seed in (0, 1)]
    tiled = Tiled(AVERAGE, (120, 150), 64, 16)
    assert torch.allclose(middle(tiled, images), middle(AVERAGE, images), atol=1e-6)


def test_a_plane_image_shows_no_seam(untrained):
    images = [torch.full((1, 3, 192, 288), value) for value in (0.4, 0.5)]
    found = middle(Tiled(untrained, (192, 288), 128, 64), images)
    assert (found - 0.45).abs().max() < 1e-6


def test_a_smooth_image_is_the_same_in_tiles(untrained):
    rows, columns = torch.meshgrid(torch.linspace(0, 1, 192), torch.linspace(0, 1, 288), indexing="ij")
    image = torch.stack((rows, columns, (rows + columns) / 2))[None]
    images = [image * 0.9, image * 0.9 + 0.02]
    tiled = Tiled(untrained, (192, 288), 128, 64)
    assert (middle(tiled, images) - middle(untrained, images)).abs().max() < 1 / 255


def test_tiles_that_disagree_meet_without_a_step():
    """On a plane image, tiles of black and white: from pixel to pixel no more than a step of the blend."""

    class Arbitrary(type(AVERAGE)):
        count = 0

        def between(self, offsets, features):
            self.count += 1
            return super().between(offsets, [torch.full_like(f, self.count % 2) for f in features])

    tiled = Tiled(Arbitrary("average"), (160, 400), 128, 32)
    found = middle(tiled, [torch.zeros(1, 3, 160, 400)] * 2)[0]
    assert found.min() == 0
    assert found.max() == pytest.approx(1)
    assert found.diff(dim=1).abs().max() <= 2 / 32
    assert found.diff(dim=2).abs().max() <= 2 / 32


def test_what_padding_spoils_at_a_tiles_edge_does_not_show():
    """A method wrong in the outermost pixels of what it sees: only the frame's own border shows it."""

    class Spoilt(type(AVERAGE)):
        def between(self, offsets, features):
            made = super().between(offsets, features)
            spoilt = torch.ones_like(made.image)
            spoilt[..., 8:-8, 8:-8] = made.image[..., 8:-8, 8:-8]
            return made._replace(image=spoilt)

    tiled = Tiled(Spoilt("average"), (160, 400), 128, 32)
    found = middle(tiled, [torch.zeros(1, 3, 160, 400)] * 2)
    assert found[..., 8:-8, 8:-8].abs().max() < 1e-6
    assert found[..., 0, 20].min() == 1


def test_weights_of_tiles_are_averaged(lift):
    tiled = Tiled(lift(), (96, 160), 96, 32)
    result = tiled.between((-1, 1), [tiled.encode(noise((96, 160), seed)) for seed in (0, 1)])
    assert sum(result.alpha) == pytest.approx(1)


def test_context_is_kept_without_the_image(lift):
    tiled = Tiled(lift(), (96, 160), 96, 32)
    features = [tiled.encode(noise((96, 160), seed)) for seed in range(3)]
    whole = tiled.between((-3, -1, 1), features)
    shrunk = tiled.between((-3, -1, 1), [tiled.shrink(features[0]), *features[1:]])
    assert torch.equal(whole.image, shrunk.image)


def test_tiles_are_used_only_where_memory_asks_for_them(small):
    method = of_model(small, (-1, 1), "x", device="cpu")
    method.whole, method.tiled = 1000, 500
    large = Settings(memory=1.0)
    assert fit(method, (480, 854), "auto", large) is method
    tiled = fit(method, (2160, 3840), "auto", large)
    assert isinstance(tiled, Tiled)
    side = tiled._boxes[0][2]
    assert side % 32 == 0
    assert 500 * side**2 <= 2**30 < 500 * (side + 32) ** 2
    assert fit(method, (2160, 3840), "off", large) is method
    assert fit(method, (480, 854), "256", large)._boxes[0][2:] == (256, 256)
    assert fit(method, (200, 200), "256", large) is method
