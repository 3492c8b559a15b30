"""The occlusion-aware blend."""

import pytest
import torch

from lift.models.lift.rendering import blend


@pytest.mark.parametrize(
    ("seen", "expected"), [((1, 1), 0.5), ((1, 0), 0.2), ((0, 1), 0.8), ((0.3, 0.1), 0.35)]
)
def test_visible_references_weigh_in(seen, expected):
    before, after = torch.full((1, 3, 2, 2), 0.2), torch.full((1, 3, 2, 2), 0.8)
    occlusion = torch.tensor(seen).float()[None, :, None, None].expand(1, 2, 2, 2)
    assert torch.allclose(blend(before, after, occlusion), torch.tensor(expected), atol=1e-6)


def test_nothing_visible_divides_by_epsilon_and_not_by_zero():
    zeros = torch.zeros(1, 2, 2, 2, dtype=torch.float16)  # 1e-8 is 0 in float16
    found = blend(torch.ones(1, 3, 2, 2).half(), torch.ones(1, 3, 2, 2).half(), zeros)
    assert found.dtype == torch.float32
    assert found.isfinite().all()
