"""Loading RIFE's ContextNet, refusing what is none, and freezing what was loaded."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from lift.errors import UserError
from lift.models.lift.encoder import Encoder, load_rife_contextnet
from lift.models.registry import build

FILE = "weights/rife_v2.3_contextnet.pkl"
BLOCKS = {"conv0": (3, 32), "conv1": (32, 32), "conv2": (32, 64), "conv3": (64, 128), "conv4": (128, 256)}


@pytest.fixture
def state():
    """A ContextNet's entries as RIFE saves them, of random values."""
    generator = torch.Generator().manual_seed(0)
    entries = {}
    for block, (inputs, outputs) in BLOCKS.items():
        for layer, width in (("conv1", inputs), ("conv2", outputs)):
            key = f"module.{block}.{layer}"
            entries[f"{key}.0.weight"] = torch.randn(outputs, width, 3, 3, generator=generator).half()
            entries[f"{key}.0.bias"] = torch.randn(outputs, generator=generator)
            entries[f"{key}.1.weight"] = torch.full((outputs,), 0.25)
    return entries


def save(tmp_path, content):
    path = tmp_path / "contextnet.pkl"
    torch.save(content, path)
    return path


def test_every_layer_is_taken_or_named(spec, state, tmp_path):
    encoder = Encoder(spec.widths)
    fresh = encoder.s16[0].weight.clone()
    report = load_rife_contextnet(encoder, save(tmp_path, state))
    pairs = {"s1": "conv0", "s2": "conv2", "s4": "conv3", "s8": "conv4"}
    for ours, theirs in pairs.items():
        for index, name in ((0, "conv1"), (2, "conv2")):
            layer, key = getattr(encoder, ours)[index], f"module.{theirs}.{name}.0"
            outputs, inputs = layer.weight.shape[:2]
            assert torch.equal(layer.weight, state[f"{key}.weight"][:outputs, :inputs].float())
            assert torch.equal(layer.bias, state[f"{key}.bias"][:outputs])
    assert len(report.taken) == 16
    assert report.fresh == ("s16.0.weight", "s16.0.bias")
    assert torch.equal(encoder.s16[0].weight, fresh)
    assert report.cut["s8.0.weight"] == "leading 192x128x3x3 of 256x128x3x3"
    assert set(report.cut) == {"s8.0.weight", "s8.0.bias", "s8.2.weight", "s8.2.bias"}
    assert "conv1.conv1.0.weight" in report.unused
    for part in ("taken: s1.0.weight", "cut: s8.0.weight", "fresh: s16.0.weight"):
        assert part in str(report)


def test_rifes_own_file_loads_and_computes_the_same(spec, shared):
    state = torch.load(shared / FILE, weights_only=True)
    model = build(replace(spec, pretrained=str(shared / FILE)))
    x, key = torch.rand(1, 32, 8, 8), "module.conv2.conv1.0"
    expected = F.conv2d(x, state[f"{key}.weight"].float(), state[f"{key}.bias"], stride=2, padding=1)
    assert torch.equal(model.encoder.s2[0](x), expected)
    assert len(model.load_report.taken) == 16


def test_what_was_loaded_can_be_frozen(spec, state, tmp_path):
    model = build(spec)
    model.load_pretrained(save(tmp_path, state))
    names = {name for name, _ in model.named_parameters()}
    assert model.loaded < names
    assert {name.split(".")[1] for name in model.loaded} == {"s1", "s2", "s4", "s8"}
    stages = model.by_stage(model.loaded)
    assert [{name.split(".")[1] for name in stage} for stage in stages] == [{"s1"}, {"s2"}, {"s4"}, {"s8"}]
    assert frozenset().union(*stages) == model.loaded == model.loadable
    model.check_freezing()
    assert len(model.loaded) == 16


def test_freezing_is_refused_where_nothing_was_loaded(small):
    with pytest.raises(UserError, match="no pretrained weights were loaded"):
        build(small).check_freezing()


def test_a_full_width_s8_takes_everything(spec, state, tmp_path):
    report = load_rife_contextnet(Encoder((32, 64, 128, 256, 256)), save(tmp_path, state))
    assert report.cut == {}


def drop(state, key):
    return {name: value for name, value in state.items() if name != key}


CASES = {
    "nothing matches": (lambda s: {f"net.{k}": v for k, v in s.items()}, "nothing in it matches the encoder"),
    "empty": (lambda s: {}, "nothing in it matches the encoder"),
    "one layer missing": (lambda s: drop(s, "module.conv3.conv1.0.weight"), "incomplete: 1 of 16"),
    "no dictionary": (lambda s: [1, 2], "no dictionary of weights"),
    "not finite": (lambda s: {**s, "module.conv0.conv1.0.bias": torch.full((32,), torch.nan)}, "not finite"),
    "other shape": (
        lambda s: {**s, "module.conv2.conv1.0.weight": torch.zeros(64, 16, 3, 3)},
        r"conv2\.conv1\.0\.weight is 64x16x3x3 but the encoder's s2\.0\.weight is 64x32x3x3",
    ),
}


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES.keys())
def test_a_wrong_file_is_refused_and_changes_nothing(spec, state, tmp_path, change, message):
    model = build(spec)
    before = {key: value.clone() for key, value in model.encoder.state_dict().items()}
    with pytest.raises(UserError, match=message):
        model.load_pretrained(save(tmp_path, change(state)))
    assert not model.loaded
    assert all(torch.equal(before[key], value) for key, value in model.encoder.state_dict().items())


@pytest.mark.parametrize("content", ["truncated", "text", "empty", "folder", "code"])
def test_a_damaged_file_is_refused(spec, state, tmp_path, content):
    path = save(tmp_path, state)
    if content == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    elif content == "code":
        torch.save({"module.conv0.conv1.0.weight": print}, path)  # must not be unpickled
    elif content == "folder":
        path = tmp_path
    else:
        path.write_text("no weights" if content == "text" else "")
    with pytest.raises(UserError, match="truncated or no weights file"):
        load_rife_contextnet(Encoder(spec.widths), path)


def test_widths_that_are_not_rifes_are_refused(small, state, tmp_path):
    with pytest.raises(UserError, match=r"need model\.widths \[32, 64, 128, at most 256, any\]"):
        load_rife_contextnet(Encoder(small.widths), save(tmp_path, state))
    with pytest.raises(UserError, match="s8"):
        load_rife_contextnet(Encoder((32, 64, 128, 300, 300)), save(tmp_path, state))
