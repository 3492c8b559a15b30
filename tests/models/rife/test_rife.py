"""RIFE: the teacher's lesson, and its own weights."""

from dataclasses import replace

import pytest
import torch

from lift.errors import UserError
from lift.models.pretrained import read_state
from lift.models.registry import build
from lift.models.rife.interpolator import WANTED

FILE = "weights/rife_v2.3_contextnet.pkl"
NARROW = {"factor": 0.1}


@pytest.fixture
def rife(small):
    return lambda **options: build(replace(small, name="rife", rife=replace(small.rife, **options)), seed=3)


@pytest.fixture
def pair(clip):
    return clip((-1, 1), samples=2), clip(seed=9, samples=2)[0][:, 0]


def save(tmp_path, state, prefix="module."):
    path = tmp_path / "flownet.pkl"
    torch.save({f"{prefix}{key}": value for key, value in state.items()}, path)
    return path


def test_a_teacher_who_knows_nothing_more_teaches_nothing(rife, pair):
    auxiliary = rife(**NARROW)(*pair[0], pair[1]).auxiliary
    assert auxiliary["distillation"] == 0  # at the start all flows, and so all frames, are the same
    assert auxiliary["teacher"] > 0


def test_distillation_moves_the_students_and_not_the_teacher(rife, pair, stir):
    model = stir(rife(**NARROW, margin=0.0), 0.1)
    model(*pair[0], pair[1]).auxiliary["distillation"].backward()
    assert all(p.grad is None for p in model.block_tea.parameters())
    assert any(p.grad.any() for p in model.block0.parameters())


def test_rifes_own_file_is_the_whole_model(rife, clip, stir, tmp_path):
    theirs, ours = stir(rife(**NARROW)).eval(), rife(**NARROW).eval()
    state = {key: value for key, value in theirs.state_dict().items() if not key.startswith("block_tea.")}
    report = ours.load_pretrained(save(tmp_path, state))
    assert set(report.fresh) == {f"block_tea.{name}" for name, _ in ours.block_tea.named_parameters()}
    assert not report.unused
    arguments = clip((-1, 1))
    assert torch.equal(ours(*arguments).frame, theirs(*arguments).frame)


def test_the_keys_are_those_that_rife_saves(rife, shared):
    """Every entry of the real ContextNet but its additional block's has a counterpart of the same shape."""
    model = rife(factor=1.0, context_width=32)
    report = model.load_pretrained(shared / FILE)
    own = dict(model.named_parameters())
    assert set(report.taken) == {name for name in own if name.startswith("contextnet.")}
    assert all(key.startswith("conv1.") for key in report.unused)
    state = read_state(shared / FILE, WANTED)
    assert torch.equal(own["contextnet.conv1.conv1.0.weight"], state["conv0.conv1.0.weight"].float())
    assert torch.equal(own["contextnet.conv4.conv2.1.weight"], state["conv4.conv2.1.weight"].float())
    assert not model.loaded


CASES = {
    "nothing matches": (lambda s: {"net.weight": torch.zeros(1)}, "nothing in it matches RIFE"),
    "one missing": (
        lambda s: {k: v for k, v in s.items() if k != "unet.conv.bias"},
        "1 of .* unet.conv.bias",
    ),
    "other widths": (
        lambda s: {**s, "unet.conv.weight": torch.zeros(3, 9, 3, 3)},
        r"3x9x3x3 but RIFE's unet\.conv",
    ),
    "not finite": (lambda s: {**s, "unet.conv.bias": torch.full((3,), torch.nan)}, "not finite"),
}


@pytest.mark.parametrize(("change", "message"), CASES.values(), ids=CASES.keys())
def test_a_wrong_file_is_refused_and_changes_nothing(rife, tmp_path, change, message):
    model = rife(**NARROW)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    with pytest.raises(UserError, match=message):
        model.load_pretrained(save(tmp_path, change(before)))
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_a_missing_file_names_the_key(rife, tmp_path):
    with pytest.raises(UserError, match=r"model\.rife\.pretrained"):
        rife(**NARROW).load_pretrained(tmp_path / "none.pkl")
