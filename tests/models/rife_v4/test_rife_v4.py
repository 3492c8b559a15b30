"""RIFE v4.25: equal to what its own code gives, any time and size, and its weights or none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lift.errors import UserError
from lift.models.registry import build
from lift.ops.warp import backward_warp

WEIGHTS = Path(__file__).resolve().parents[3] / "weights/rife_v4.25.safetensors"
SAME_FRAME, SAME_FLOW = 2e-3, 0.02  # of [0, 1], and pixels: protocols section 8


@pytest.fixture(scope="module")
def released(small):
    module = build(replace(small, name="rife_v4", rife_v4=replace(small.rife_v4, factor=1.0)))
    module.load_pretrained(WEIGHTS)
    return module.eval()


@pytest.fixture
def expected(shared):
    with np.load(shared / "expected/rife_v4.25.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def image(pixels):
    return pixels.permute(2, 0, 1)[None] / 255


def half(module, first, second):
    offsets = torch.tensor([[-1, 1]])
    with torch.no_grad():
        return module(torch.stack((first, second), dim=1), offsets, torch.ones(1, 2).bool())


def test_frame_flow_and_mask_are_those_of_its_own_code(released, expected):
    first, second = image(expected["a"]), image(expected["b"])
    with torch.no_grad():
        found = released.network(torch.cat((first, second)), torch.tensor([0.5]))
    assert (found.frame[0] - expected["frame"]).abs().max() < SAME_FRAME
    assert (found.flow[0] - expected["flow"]).abs().max() < SAME_FLOW
    assert (found.mask[0] - expected["mask"]).abs().max() < SAME_FRAME
    output = half(released, first, second)
    assert torch.equal(output.frame, found.frame.clamp(0, 1))
    assert (output.flow[0] - expected["flow"].float()[:, 1::4, 1::4] / 4).abs().max() < 0.5


def test_half_precision_keeps_flows_and_frames(released, expected):
    both = torch.cat((image(expected["a"]), image(expected["b"])))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = released.network(both, torch.tensor([0.5]))
    assert (found.flow.dtype, found.frame.dtype) == (torch.float32, torch.float32)
    assert (found.frame[0] - expected["frame"]).abs().mean() < SAME_FRAME
    assert (found.flow[0] - expected["flow"]).abs().mean() < SAME_FLOW


def test_a_size_that_needs_padding_is_padded_as_by_its_users(released, expected):
    found = half(released, image(expected["a2"]), image(expected["b2"])).frame[0]
    assert (found - expected["frame2"]).abs().max() < SAME_FRAME
    assert (found - expected["frame2_pad128"]).abs().max() > SAME_FRAME


def test_flow_points_from_the_wanted_frame_to_its_references(released, expected):
    """Each warped frame is nearer to the blend than the frame that it was warped from."""
    first, second = image(expected["a"]), image(expected["b"])
    with torch.no_grad():
        found = released.network(torch.cat((first, second)), torch.tensor([0.3]))
    for reference, flow in ((first, found.flow[:, :2]), (second, found.flow[:, 2:])):
        warped = backward_warp(reference, flow)
        assert (warped - found.frame).abs().mean() < 0.5 * (reference - found.frame).abs().mean()


def test_time_moves_the_frame_from_the_first_reference_to_the_second(released, expected):
    first, second = image(expected["a"]), image(expected["b"])
    times = torch.tensor([0.1, 0.3, 0.5, 0.7, 0.9])
    with torch.no_grad():
        frames = released.between(first.expand(5, -1, -1, -1), second.expand(5, -1, -1, -1), times).frame
    near = [(frame - first[0]).abs().mean().item() for frame in frames]
    far = [(frame - second[0]).abs().mean().item() for frame in frames]
    assert near == sorted(near)
    assert far == sorted(far, reverse=True)
    alone = half(released, first, second).frame[0]
    assert (frames[2] - alone).abs().max() < SAME_FRAME


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (63, 65)])
def test_sizes_below_what_its_scales_need_are_padded(released, size):
    pictures = torch.rand(2, 1, 3, *size, generator=torch.Generator().manual_seed(0))
    frame = half(released, *pictures).frame
    assert frame.shape == (1, 3, *size)
    assert frame.isfinite().all()


def test_the_network_refuses_frames_of_another_size(released):
    with pytest.raises(ValueError, match="multiples of 64"):
        released.network(torch.zeros(2, 3, 64, 32), torch.tensor([0.5]))


def test_gradients_reach_the_frames_through_frozen_weights(released, expected):
    """What stands on this network can be trained: it is differentiable with its own weights fixed."""
    both = torch.cat((image(expected["a"]), image(expected["b"]))).requires_grad_()
    found = released.network.requires_grad_(False)(both, torch.tensor([0.5]))
    found.flow.square().mean().backward()
    released.network.requires_grad_(True)
    assert both.grad.any()
    assert all(parameter.grad is None for parameter in released.parameters())


def test_all_parameters_come_from_the_file(released):
    state = load_file(WEIGHTS)
    assert set(released.load_report.taken) == set(state) == set(released.network.state_dict())
    assert not released.load_report.fresh
    assert sum(parameter.numel() for parameter in released.parameters()) == 5_664_776
    assert all(torch.equal(released.network.state_dict()[key], state[key].float()) for key in state)


def test_a_training_starts_from_the_released_weights_and_moves_them_all(small, clip):
    """None of them is frozen, and the head of the flow is none of those that start at zero."""
    section = replace(small.rife_v4, factor=1.0, pretrained=str(WEIGHTS))
    module = build(replace(small, name="rife_v4", rife_v4=section))
    state = load_file(WEIGHTS)
    assert all(torch.equal(value, state[key].float()) for key, value in module.network.state_dict().items())
    assert not module.loaded
    output = module(*clip((-1, 1), size=(64, 64)))
    output.frame.square().mean().backward()
    assert not [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()]


def test_the_file_that_practical_rife_saves_is_taken_too(small, released, tmp_path):
    theirs = {f"module.{key}": value for key, value in load_file(WEIGHTS).items()}
    theirs |= {"module.teacher.conv.weight": torch.zeros(1), "module.caltime.0.weight": torch.zeros(1)}
    torch.save(theirs, tmp_path / "flownet.pkl")
    module = build(replace(small, name="rife_v4"))
    assert len(module.load_pretrained(tmp_path / "flownet.pkl").unused) == 2
    assert torch.equal(module.network.block4.conv0[0][0].weight, released.network.block4.conv0[0][0].weight)


CASES = {
    "of another version": (
        lambda s: {**s, "block0.conv0.0.0.weight": torch.zeros(96, 7, 3, 3)},
        r"block0\.conv0\.0\.0\.weight is 96x7x3x3 but .* is 96x15x3x3: another version",
    ),
    "with another block": (lambda s: {**s, "block5.a": torch.zeros(1)}, r"block5\.a has no counterpart"),
    "without a block": (
        lambda s: {key: value for key, value in s.items() if not key.startswith("block4.")},
        "30 of 158 entries are missing, block4",
    ),
    "of something else": (
        lambda s: {"net": torch.zeros(1)},
        r"nothing in it matches RIFE v4\.25 \(first entries: net",
    ),
    "not finite": (
        lambda s: {**s, "encode.cnn0.bias": torch.full((16,), torch.inf)},
        r"encode\.cnn0\.bias holds values that are not finite",
    ),
}


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES.keys())
def test_a_wrong_file_is_refused_in_one_line_and_changes_nothing(small, tmp_path, change, message):
    module = build(replace(small, name="rife_v4"))
    before = {key: value.clone() for key, value in module.state_dict().items()}
    save_file(change(load_file(WEIGHTS)), tmp_path / "wrong.safetensors")
    with pytest.raises(UserError, match=message) as caught:
        module.load_pretrained(tmp_path / "wrong.safetensors")
    assert "expected RIFE v4.25's IFNet" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())


@pytest.mark.parametrize("name", ["cut.safetensors", "cut.pkl", "none.safetensors", "none.pkl"])
def test_a_truncated_or_missing_file_is_refused_in_one_line(small, tmp_path, name):
    if name.startswith("cut"):
        (tmp_path / name).write_bytes(WEIGHTS.read_bytes()[:100_000])
    with pytest.raises(UserError, match=r"expected RIFE v4\.25's|not found; set model\.rife_v4") as caught:
        build(replace(small, name="rife_v4")).load_pretrained(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)
