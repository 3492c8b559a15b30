"""What every model that predicts must do beside what every model must (test_conformance.py)."""

from dataclasses import replace

import pytest
import torch

from lift.models.registry import build

PAST, WIDE = (-2, -1), tuple(range(-6, 0))
VARIANTS = {
    "lift": ("lift", {}, WIDE),
    "lift_no_context": ("lift", {"use_context": False}, WIDE),
    "lift_s4": ("lift", {"use_s1": False, "occlusion": False}, WIDE),
    "ifrnet": ("ifrnet", {"factor": 0.125}, PAST),
    "ifrnet_t": ("ifrnet", {"widths": (3, 5, 7), "factor": 1.0, "block": "thirds"}, PAST),
    "ifrnet_elan": ("ifrnet", {"widths": (3, 5, 7), "factor": 1.0, "block": "elan"}, PAST),
}
every_model = pytest.mark.parametrize("variant", VARIANTS)


@pytest.fixture
def model_of(small):
    """Give a function that describes a variant: (configuration, its window)."""

    def describe(variant):
        name, options, offsets = VARIANTS[variant]
        if name == "lift":
            return replace(small, dropout=0.0, **options), offsets
        return replace(small, name=name, **{name: replace(getattr(small, name), **options)}), offsets

    return describe


@every_model
@pytest.mark.parametrize("later", [(0, 1), (1, 2), (0, 5)])
def test_no_frame_from_the_missing_one_on_has_any_influence(model_of, clip, stir, variant, later):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets)
    expected = module(frames, times, valid)
    for value in (0.0, 1.0, torch.nan):
        more = torch.full((1, 2, *frames.shape[2:]), value)
        output = module(
            torch.cat((more, frames), dim=1),
            torch.cat((torch.tensor([later]).float(), times), dim=1),
            torch.cat((torch.ones(1, 2, dtype=torch.bool), valid), dim=1),
        )
        assert torch.equal(output.frame, expected.frame)
        assert torch.equal(output.flow, expected.flow)


@every_model
def test_order_and_the_neighbours_horizon_in_the_batch_do_not_matter(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets, samples=2)
    times[1] -= 2  # the second is to be predicted three frames ahead
    together = module(frames, times, valid).frame
    order = torch.randperm(len(offsets), generator=torch.Generator().manual_seed(3))
    shuffled = module(frames[:, order], times[:, order], valid[:, order]).frame
    assert torch.allclose(shuffled, together, atol=1e-5)
    for i in range(2):
        alone = module(frames[i : i + 1], times[i : i + 1], valid[i : i + 1]).frame
        assert torch.allclose(alone[0], together[i], atol=1e-5)


@every_model
def test_how_far_ahead_the_frame_lies_is_seen(model_of, clip, stir, variant):
    model, offsets = model_of(variant)
    module = stir(build(model, task="predict")).eval()
    frames, times, valid = clip(offsets)
    near, far = (module(frames, times - ahead, valid).frame for ahead in (0, 2))
    assert not torch.equal(near, far)


@every_model
def test_an_untrained_model_is_the_average_of_the_last_two_frames(model_of, clip, variant):
    model, offsets = model_of(variant)
    frames, times, valid = clip(offsets, size=(40, 50))
    output = build(model, task="predict")(frames, times, valid)
    assert not output.flow.any()
    if model.name == "ifrnet":
        assert torch.allclose(output.frame, frames[:, -2:].mean(dim=1), atol=1e-5)
