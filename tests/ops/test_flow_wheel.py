"""Colours of flow, against torchvision's independent implementation of the same wheel."""

import numpy as np
import pytest
import torch
from torchvision.utils import flow_to_image

from lift.ops.flow_wheel import flow_to_rgb


def test_colours_are_torchvisions():
    y, x = np.meshgrid(np.linspace(-5, 5, 41), np.linspace(-7, 7, 43), indexing="ij")
    flow = np.stack((x, y)).astype(np.float32)
    reference = flow_to_image(torch.from_numpy(flow)).permute(1, 2, 0).numpy()
    # Its ramps are rounded down to whole steps.
    assert np.abs(flow_to_rgb(flow).astype(int) - reference).max() <= 3


def test_no_motion_is_white():
    assert (flow_to_rgb(np.zeros((2, 3, 4), np.float32)) == 255).all()


def test_a_longer_motion_is_purer_and_beyond_the_longest_darker():
    flow = np.zeros((2, 1, 3), np.float32)
    flow[0] = [[1, 2, 9]]
    weak, full, beyond = flow_to_rgb(flow, longest=2)[0].astype(int)
    assert weak.min() > full.min()
    assert beyond.max() == round(0.75 * 255)
    assert full.max() == 255


def test_unknown_flow_is_black():
    flow = np.ones((2, 1, 3), np.float32)
    flow[0, 0, 1], flow[1, 0, 2] = np.nan, np.inf
    painted = flow_to_rgb(flow)[0]
    assert painted[0].max() == 255
    assert not painted[1:].any()


@pytest.mark.parametrize(
    ("flow", "longest", "message"),
    [(np.zeros((3, 4, 2)), None, "shape"), (np.zeros((2, 4, 4)), 0.0, "positive")],
)
def test_nonsense_is_refused(flow, longest, message):
    with pytest.raises(ValueError, match=message):
        flow_to_rgb(flow, longest)
