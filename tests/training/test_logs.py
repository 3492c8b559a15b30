"""What is seen of a run while it runs."""

import errno
from types import SimpleNamespace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import Tiny

from lift.errors import UserError
from lift.training.logs import Logs
from lift.training.loop import fit
from lift.training.validation import ERROR_GAIN, example


class Seeing(Tiny):
    """Also gives flow and weights of frames, as the real models do."""

    def forward(self, frames, offsets, valid, target=None):
        output = super().forward(frames, offsets, valid)
        size = frames.shape[-2:]
        flow, weights = torch.zeros(len(frames), 4, *size), valid.float() / valid.sum(1, keepdim=True)
        small = torch.nn.functional.avg_pool2d(output.frame, 4)
        return SimpleNamespace(frame=output.frame, flow=flow, alpha=weights, coarse=small, blend=small - 0.1)


@pytest.fixture
def board(job):
    run = job(log_every=5)
    run.model = Seeing()
    fit(run)
    events = EventAccumulator(str(run.board), size_guidance={"scalars": 0, "images": 0})
    events.Reload()
    return events


def test_tensorboard_has_everything_of_the_specification(board):
    tags = board.Tags()
    assert set(tags["scalars"]) == {
        *(
            "loss",
            "loss_l1",
            "gradient",
            "clipped",
            "spike",
            "rate",
            "rate_encoder",
            "rate_s1",
            "psnr",
            "ssim",
            "validation_loss",
            "validation_loss_l1",
        ),
        *("alpha/-1", "alpha/+1"),
        *("machine/step_seconds", "machine/data_wait_share", "machine/peak_memory_gib"),
    }
    assert set(tags["images"]) == {
        *(
            "example/1_before",
            "example/2_target",
            "example/3_prediction",
            "example/4_after",
            "example/5_error",
            "example/6_blend",
            "example/7_context_adds",
            "example/8_refinement_adds",
        ),
        *("flow/before", "flow/after"),
    }
    assert [event.step for event in board.Scalars("loss")] == [5, 10, 15, 20]
    assert [event.value for event in board.Scalars("alpha/-1")] == [0.5] * 4
    assert all(0 <= event.value <= 1 for event in board.Scalars("machine/data_wait_share"))


def test_what_was_logged_after_a_checkpoint_is_hidden_when_its_run_is_continued(tmp_path):
    for resumed, steps in ((0, range(1, 8)), (4, range(5, 9))):
        logs = Logs(tmp_path / "out", tmp_path / "board", [], resumed)
        for step in steps:
            logs.row(step, 0, {"loss": float(resumed)})
        logs.flush()
        logs.close()
    events = EventAccumulator(str(tmp_path / "board"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("loss")] == [
        *((step, 0.0) for step in range(1, 5)),
        *((step, 4.0) for step in range(5, 9)),
    ]


@pytest.mark.parametrize("call", ["row", "flush", "close"])
def test_a_full_disk_is_told_with_the_folder_that_is_written(call, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    logs = Logs(tmp_path / "out", tmp_path / "board", [], 0)
    act = {"row": lambda: logs.row(1, 0, {"loss": 0.5}), "flush": logs.flush, "close": logs.close}[call]
    with monkeypatch.context() as patch:
        patch.setattr(logs._board, "add_scalar" if call == "row" else call, full)
        with pytest.raises(UserError, match=f"^{tmp_path}/board: no space left"):
            act()
    logs.close()


def test_what_context_and_refinement_add_to_the_blend_is_shown_around_mid_grey():
    target = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    batch = {
        "frames": torch.stack((target, target), dim=1),
        "offsets": torch.tensor([[-1.0, 1.0]]),
        "target": target,
    }
    blend = torch.full((1, 3, 4, 4), 0.5)
    output = SimpleNamespace(frame=torch.full_like(target, 0.5), coarse=blend + 0.05, blend=blend, flow=None)
    shown = example(batch, output)
    assert shown["example/6_blend"] == pytest.approx(0.5)
    assert shown["example/7_context_adds"] == pytest.approx(0.5 + 0.05 * ERROR_GAIN)
    assert shown["example/8_refinement_adds"] == pytest.approx(0.5 - 0.05 * ERROR_GAIN)
    alone = example(batch, SimpleNamespace(**{**vars(output), "blend": None}))
    assert alone["example/6_blend"] == pytest.approx(0.55)
    assert "example/7_context_adds" not in alone
    none = example(batch, SimpleNamespace(**{**vars(output), "coarse": None}))
    assert not any("adds" in name or "blend" in name for name in none)
