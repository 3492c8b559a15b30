import cv2
import pytest
import torch

from lift.errors import UserError
from lift.evaluation.baselines import BASELINES, average, dis, repeat


def sample(size: tuple[int, int] = (64, 96), speed: int = 3) -> dict[str, object]:
    """A smooth picture that moves to the right, `speed` pixels per frame."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 12, 20, generator=generator)
    world = torch.nn.functional.interpolate(coarse, (size[0], size[1] + 40), mode="bicubic")[0].clamp(0, 1)
    at = {t: world[:, :, 20 - speed * t : 20 - speed * t + size[1]] for t in (-2, -1, 0, 1)}
    return {
        "frames": torch.stack([at[-2], at[-1], at[1]]),
        "offsets": torch.tensor([-2.0, -1.0, 1.0]),
        "valid": torch.ones(3, dtype=torch.bool),
        "target": at[0],
        "clip": "moving",
    }


def test_repeat_shows_the_earlier_reference_and_has_no_flow():
    clip = sample()
    prediction = repeat(clip)
    assert torch.equal(prediction.frame, clip["frames"][1])
    assert prediction.flow is None


def test_average_is_the_mean_with_a_flow_of_zero():
    clip = sample((18, 25))
    prediction = average(clip)
    assert torch.equal(prediction.frame, (clip["frames"][1] + clip["frames"][2]) / 2)
    assert torch.equal(prediction.flow, torch.zeros(4, 5, 7))


def test_dis_finds_uniform_motion_with_the_projects_signs():
    clip = sample(speed=3)
    prediction = dis(clip)
    inside = prediction.flow[:, 16:-16, 16:-16]
    # The scene moves right: the pixel was 3 pixels further left before, and will be 3 further right.
    expected = torch.tensor([-3.0, 0.0, 3.0, 0.0])
    torch.testing.assert_close(inside.mean(dim=(1, 2)), expected, atol=0.1, rtol=0)
    error = (prediction.frame - clip["target"])[:, 8:-8, 8:-8].abs().mean()
    crossfade = (average(clip).frame - clip["target"])[:, 8:-8, 8:-8].abs().mean()
    assert error < 0.3 * crossfade


def test_dis_does_not_depend_on_opencvs_threads():
    threads = cv2.getNumThreads()
    try:
        results = []
        for count in (1, 2):
            cv2.setNumThreads(count)
            results.append(dis(sample()))
    finally:
        cv2.setNumThreads(threads)
    assert torch.equal(results[0].flow, results[1].flow)
    assert torch.equal(results[0].frame, results[1].frame)


@pytest.mark.parametrize("size", [(16, 16), (16, 200), (31, 128), (200, 17)])
def test_dis_takes_small_and_long_frames(size):
    assert dis(sample(size, speed=1)).frame.isfinite().all()


def test_dis_refuses_frames_that_would_end_the_process():
    with pytest.raises(UserError, match="moving: the baseline dis"):
        dis(sample((8, 64), speed=1))


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_clip_without_a_reference_is_refused(name):
    clip = sample()
    clip["valid"][1] = False
    with pytest.raises(ValueError, match="moving: no frame at offset -1"):
        BASELINES[name](clip)
