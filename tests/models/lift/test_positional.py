"""The encoding of positions, against the formula written out, and where the model puts which."""

import math

import pytest
import torch

from lift.models.lift.blocks import add_position, sinusoidal
from lift.models.lineup import line_up
from lift.models.registry import build


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


@pytest.fixture
def heard(small, clip):
    """Run a model on frames out of time order; give what the transformer and the flow heads were given."""
    model, given = build(small).eval(), {}
    for name in ("context", "flow.s8", "flow.s4"):
        module = model.get_submodule(name)
        module.register_forward_pre_hook(lambda _, inputs, name=name: given.update({name: inputs[0]}))
    frames, offsets, valid = clip((2, -1, -3, 1))
    with torch.no_grad():
        model(frames, offsets, valid)
        pyramids = {
            int(o): model.encoder(frame[None]) for o, frame in zip(offsets[0], frames[0], strict=True)
        }
    return small, given, pyramids


def test_a_frame_before_the_missing_one_has_a_lower_position_and_one_after_it_a_higher(heard):
    model, given, pyramids = heard
    for rank, (offset, position) in enumerate({-3: 5, -1: 7, 1: 9, 2: 10}.items()):
        code = sinusoidal(torch.tensor([float(position)]), model.widths[4])[..., None, None]
        assert torch.allclose(given["context"][:, rank], pyramids[offset].s16 + code, atol=1e-5)
    for head, scale in (("flow.s8", "s8"), ("flow.s4", "s4")):
        both = []
        for offset, position in ((-1, 7), (1, 9)):
            features = getattr(pyramids[offset], scale)
            both.append(
                features + sinusoidal(torch.tensor([float(position)]), features.shape[1])[..., None, None]
            )
        expected = torch.cat(both, dim=1)
        assert torch.allclose(given[head][:, : expected.shape[1]], expected, atol=1e-5)


def test_the_heads_are_told_that_the_missing_frame_is_halfway(heard):
    _, given, _ = heard
    assert (given["flow.s8"][:, -1] == 0.5).all()
    assert (given["flow.s4"][:, -1] == 0.5).all()


@pytest.mark.parametrize(("last", "time"), [(-1, 2.0), (-3, 4.0)])
def test_of_prediction_the_time_lies_beyond_the_second_reference(last, time):
    offsets = torch.tensor([[last - 2.0, last, last - 1.0]])
    assert line_up(offsets, torch.ones(1, 3, dtype=torch.bool), "predict").time.tolist() == [time]
