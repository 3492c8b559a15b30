"""Parameters and multiply-accumulates at published widths (protocols section 5.1)."""

from dataclasses import replace

import pytest

from lift.models.cost import gmacs, parameters
from lift.models.registry import build

TWO, FOUR = (-1, 1), (-3, -1, 1, 3)
PUBLISHED = {  # model, its section, window; millions of parameters, GMACs at 256 x 448
    "rife": ("rife", {}, TWO, 10.07, 14.54),
    "ifrnet": ("ifrnet", {}, TWO, 4.960, 22.18),
    "ifrnet_l": ("ifrnet", {"widths": (64, 96, 144, 192), "first_kernel": 7}, TWO, 19.699, 87.85),
    "ifrnet_s": ("ifrnet", {"widths": (24, 36, 54, 72)}, TWO, 2.804, 12.60),
    "ifrnet_t": ("ifrnet", {"widths": (12, 18, 27), "block": "thirds"}, TWO, 0.288, 2.54),
    "ifrnet_elan": ("ifrnet", {"widths": (12, 18, 27), "block": "elan"}, TWO, 0.244, 2.14),
    # Ours has a fourth input channel, which tells absent frames: 9408 parameters, 1.1 GMACs.
    "flavr": ("flavr", {}, FOUR, 42.062, 465.6),
}


def published(spec, name, options):
    return replace(spec, **{"name": name, name: replace(getattr(spec, name), **options)})


@pytest.mark.parametrize(
    ("name", "options", "offsets", "millions", "expected"), PUBLISHED.values(), ids=PUBLISHED
)
def test_size_and_operations_are_the_published_ones(spec, name, options, offsets, millions, expected):
    model = build(published(spec, name, options)).eval()
    assert parameters(model) / 1e6 == pytest.approx(millions, rel=0.002)
    assert gmacs(model, offsets, (256, 448)) == [pytest.approx(expected, rel=0.003)]


def test_rifes_teacher_is_built_and_not_counted(spec):
    model = build(published(spec, "rife", {}))
    everything = sum(p.numel() for p in model.parameters())
    assert everything / 1e6 == pytest.approx(10.71, rel=0.002)
    assert everything - parameters(model) == sum(p.numel() for p in model.block_tea.parameters())
