"""The encoding of positions, against the formula written out."""

import math

import pytest
import torch

from lift.models.positional import add_position, sinusoidal


@pytest.mark.parametrize("channels", [8, 32, 256])
def test_encoding_is_the_formula(channels):
    found = sinusoidal(torch.tensor([0.0, 7.0, 14.0, -2.0]), channels)
    for row, k in enumerate((0, 7, 14, -2)):
        for i in range(0, channels, 2):
            assert found[row, i] == pytest.approx(math.sin(k / 10000 ** (i / channels)), abs=1e-5)
            assert found[row, i + 1] == pytest.approx(math.cos(k / 10000 ** (i / channels)), abs=1e-5)


def test_an_odd_number_of_channels_ends_with_a_sine():
    assert sinusoidal(torch.tensor([3.0]), 9).shape == (1, 9)


def test_every_pixel_gets_the_same_code_in_the_features_type():
    features = torch.zeros(2, 8, 3, 4, dtype=torch.bfloat16)
    coded = add_position(features, torch.tensor([7.0, 9.0]))
    assert coded.dtype == torch.bfloat16
    assert (coded == coded[..., :1, :1]).all()
    assert not torch.equal(coded[0], coded[1])
