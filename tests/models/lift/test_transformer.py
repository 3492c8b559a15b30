"""Temporal attention, windows and aggregation on their own."""

from dataclasses import replace

import pytest
import torch

from lift.models.lift.transformer import MeanContext, TemporalAttention, TemporalTransformer


@pytest.fixture
def features():
    return torch.randn(2, 6, 48, 4, 4, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def present():
    mask = torch.ones(2, 6, dtype=torch.bool)
    mask[1, 3:] = False
    return mask


def test_weights_are_a_distribution_over_present_frames(small, features, present):
    context, alpha = TemporalTransformer(small)(features, present)
    assert context.shape == (2, 48, 4, 4)
    assert torch.allclose(alpha.sum(dim=1), torch.ones(2))
    assert (alpha[present] > 0).all()
    assert not alpha[~present].any()


def test_the_mean_is_the_plain_mean(features, present):
    context, alpha = MeanContext()(features, present)
    assert torch.allclose(context[0], features[0].mean(dim=0), atol=1e-6)
    assert torch.allclose(context[1], features[1, :3].mean(dim=0), atol=1e-6)
    assert torch.allclose(alpha, torch.tensor([[1 / 6] * 6, [1 / 3] * 3 + [0.0] * 3]))


def test_attention_is_the_softmax_formula(small):
    attention = TemporalAttention(small)
    tokens = torch.randn(1, 5, 3, 48, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([[True, True, True, True, False]])
    found = attention(tokens, present)
    q, k, v = attention.query_key_value(attention.norm(tokens)).chunk(3, dim=-1)
    for patch in range(3):
        heads = []
        for h in range(small.heads):
            part = slice(6 * h, 6 * h + 6)
            score = q[0, :4, patch, part] @ k[0, :4, patch, part].T / 6**0.5
            heads.append(score.softmax(dim=-1) @ v[0, :4, patch, part])
        expected = attention.project(torch.cat(heads, dim=-1))
        assert torch.allclose(found[0, :4, patch], expected, atol=1e-5)


def test_a_window_sees_its_own_frames_only(small):
    attention = TemporalAttention(replace(small, attention="windowed", window=4))
    tokens = torch.randn(1, 6, 2, 48, generator=torch.Generator().manual_seed(0))
    present = torch.ones(1, 6, dtype=torch.bool)
    before = attention(tokens, present)
    tokens[:, 4] += torch.randn(48, generator=torch.Generator().manual_seed(1))
    after = attention(tokens, present)
    assert torch.equal(before[:, :4], after[:, :4])
    assert not torch.allclose(before[:, 5], after[:, 5])


def test_a_window_without_any_frame_is_finite(small):
    attention = TemporalAttention(replace(small, attention="windowed", window=2))
    tokens = torch.randn(1, 5, 2, 48, requires_grad=True)
    found = attention(tokens, torch.tensor([[True, True, False, False, False]]))
    found.sum().backward()
    assert found.isfinite().all()
    assert tokens.grad.isfinite().all()
