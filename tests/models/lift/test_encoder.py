"""The encoder's scales."""

import torch

from lift.models.lift.encoder import CHUNK, Encoder


def test_scales_have_the_specifications_shapes(spec):
    pyramid = Encoder(spec.widths)(torch.rand(2, 3, 64, 32))
    assert pyramid.s1.shape == (2, 32, 64, 32)
    assert pyramid.s4.shape == (2, 128, 16, 8)
    assert pyramid.s8.shape == (2, 192, 8, 4)
    assert pyramid.s16.shape == (2, 256, 4, 2)


def test_frames_encoded_in_chunks_are_the_same(small):
    encoder = Encoder(small.widths)
    frames = torch.rand(3, 3, 512, 1024)
    assert frames[0, 0].numel() == CHUNK // 2  # two frames, then one
    with torch.no_grad():
        chunked = encoder.deepest(frames)
        assert torch.allclose(chunked, encoder(frames).s16, atol=1e-5)


def test_the_signal_neither_dies_nor_explodes(spec):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        pyramid = Encoder(spec.widths)(torch.rand(1, 3, 64, 64))
    # The encoding of positions that is added has a root mean square of 0.7.
    assert all(0.2 < scale.square().mean().sqrt().item() < 5 for scale in pyramid if scale is not None)
