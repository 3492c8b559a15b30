"""What is seen of a run while it runs."""

from types import SimpleNamespace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tiny import Tiny

from lift.training.logs import Logs
from lift.training.loop import fit


class Seeing(Tiny):
    """Also gives flow and weights of frames, as the real models do."""

    def forward(self, frames, offsets, valid, target=None):
        output = super().forward(frames, offsets, valid)
        size = frames.shape[-2:]
        flow, weights = torch.zeros(len(frames), 4, *size), valid.float() / valid.sum(1, keepdim=True)
        return SimpleNamespace(frame=output.frame, flow=flow, weights=weights)


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
