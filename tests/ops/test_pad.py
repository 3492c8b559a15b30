"""Padding and cropping."""

import pytest
import torch

from lift.ops.pad import crop_to, pad_to_multiple


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (64, 32), (50, 97)])
def test_padding_and_cropping_round_trips(size):
    x = torch.rand(2, 3, *size)
    padded, found = pad_to_multiple(x, 32)
    assert found == size
    assert all(side % 32 == 0 and side - old < 32 for side, old in zip(padded.shape[2:], size, strict=True))
    assert torch.equal(crop_to(padded, found), x)


def test_the_edge_is_repeated():
    padded, _ = pad_to_multiple(torch.rand(1, 1, 5, 6), 8)
    assert torch.equal(padded[..., 5:, :], padded[..., 4:5, :].expand(1, 1, 3, 8))
    assert torch.equal(padded[..., 6:], padded[..., 5:6].expand(1, 1, 8, 2))


def test_nothing_is_copied_where_nothing_is_missing():
    x = torch.rand(1, 1, 32, 64)
    assert pad_to_multiple(x, 32)[0] is x
