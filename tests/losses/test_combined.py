import dataclasses
from types import SimpleNamespace

import pytest
import torch

from lift.config import Loss
from lift.config.abilities import OF_THE_MODEL
from lift.errors import UserError
from lift.losses import Losses
from lift.losses.frames import FRAME_LOSSES

OFF = dict.fromkeys((field.name for field in dataclasses.fields(Loss)), 0.0)


def weights(**values: float) -> Loss:
    return Loss(**{**OFF, **values})


@pytest.fixture
def case():
    generator = torch.Generator().manual_seed(7)
    frames = torch.rand(2, 4, 3, 32, 32, generator=generator)
    output = SimpleNamespace(
        frame=torch.rand(2, 3, 32, 32, generator=generator, requires_grad=True),
        flow=torch.rand(2, 4, 8, 8, generator=generator, requires_grad=True),
    )
    batch = {
        "frames": frames,
        "offsets": torch.tensor([[-2.0, -1.0, 1.0, 2.0]]).repeat(2, 1),
        "valid": torch.ones(2, 4, dtype=torch.bool),
        "target": torch.rand(2, 3, 32, 32, generator=generator),
    }
    return output, batch


class Distance(torch.nn.Module):
    """A network in LPIPS' place."""

    def forward(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return ((prediction - target) ** 2).mean()


def test_parts_are_named_weighted_and_in_the_order_of_the_configuration(case):
    losses = Losses(weights(frequency=0.5, l1=2.0, lpips=0.1), Distance())
    parts = losses(*case)
    single = Losses(weights(l1=1.0))(*case)
    assert list(parts) == ["l1", "lpips", "frequency"]
    torch.testing.assert_close(parts["l1"], 2 * single["l1"])


@pytest.mark.parametrize("name", [*FRAME_LOSSES, "smoothness", "warping"])
def test_every_part_is_a_finite_scalar_whose_gradient_reaches_the_output(case, name):
    output, batch = case
    part = Losses(weights(**{name: 1.0}))(output, batch)[name]
    part.backward()
    reached = output.flow if name in ("smoothness", "warping") else output.frame
    assert part.shape == ()
    assert reached.grad.isfinite().all()
    assert reached.grad.abs().sum() > 0


def test_a_part_without_weight_is_not_built(monkeypatch, tmp_path, case):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))  # VGG's weights are not there, and are not asked for
    losses = Losses(weights(l1=1.0), Distance())
    assert len(losses.networks) == 0
    case[0].flow = None
    assert set(losses(*case)) == {"l1"}
    with pytest.raises(UserError, match=r"loss\.perceptual"):
        Losses(weights(perceptual=1.0))


def test_lpips_with_a_weight_needs_its_network():
    with pytest.raises(ValueError, match=r"loss\.lpips"):
        Losses(weights(lpips=0.1))


def test_every_weight_of_the_configuration_has_a_part():
    assert set(OFF) == {*FRAME_LOSSES, *OF_THE_MODEL, "lpips", "perceptual", "smoothness", "warping"}


@pytest.mark.parametrize("name", OF_THE_MODEL)
def test_parts_that_the_model_computes_are_weighted_and_must_be_there(case, name):
    output, batch = case
    losses = Losses(weights(**{name: 0.5}))
    output.auxiliary = {name: torch.tensor(3.0)}
    assert losses(output, batch) == {name: torch.tensor(1.5)}
    output.auxiliary = None
    with pytest.raises(ValueError, match=rf"loss\.{name} has a weight"):
        losses(output, batch)
