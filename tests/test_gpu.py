"""What a processor computes, a GPU computes as well: models, their training, and the loop."""

import pytest
import torch
from lightning_fabric import Fabric
from torch.utils.data import default_collate

from lift import weights
from lift.config import load
from lift.data.dataset import ClipDataset
from lift.data.resident import Frames, Resident
from lift.metrics import Lpips
from lift.models.registry import build
from lift.scenes import make
from lift.training.job import LAST
from lift.training.loop import fit, step_seconds
from lift.training.state import load_state
from tests import params
from tests.stages.test_train import write_clips
from tests.training import tiny

pytestmark = pytest.mark.gpu
ABLATIONS = sorted(params.read()["ablations"])
RELEASED = ("rife_v4", "lift_rife", "lift_rife_3")
FAR = 64  # frames around the missing one of the longest window


@pytest.fixture(autouse=True)
def _exact():
    """Skip without a GPU; else let it compute in all bits, as the processor does."""
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture(scope="module")
def film():
    scene = make(5, "occlusion", (64, 96), (0.5, 1.5))
    frames = {o: torch.from_numpy(scene.render(float(o))).permute(2, 0, 1) / 255 for o in range(-FAR, FAR)}
    return {offset: frame.contiguous() for offset, frame in frames.items()}


def seen(config, film):
    """Give a batch of one clip, and the missing frame."""
    offsets = torch.tensor([config.clip.offsets], dtype=torch.float32)
    frames = torch.stack([film[int(offset)] for offset in offsets[0]])[None]
    return {"frames": frames, "offsets": offsets, "valid": torch.ones_like(offsets).bool()}, film[0][None]


@pytest.mark.parametrize("name", [*ABLATIONS, *RELEASED])
def test_a_model_gives_the_processor_s_frame(name, film):
    config = load(params.SOURCE, "demo", name)
    if config.clip.task == "predict":
        pytest.skip("predicts from the same network as ifrnet or lift15")
    model = build(config.model, task=config.clip.task, seed=1, pretrained=False).channels_last().eval()
    batch, _ = seen(config, film)
    with torch.no_grad():
        here = model(**batch).frame
        there = model.cuda()(**{key: value.cuda() for key, value in batch.items()}).frame
    assert there.is_cuda
    assert float((there.cpu() - here).abs().mean()) < 1e-3


@pytest.mark.parametrize("name", ["lift15", "matched", "lift_rife_fusion", "rife", "ifrnet"])
def test_a_model_trains(name, film):
    config = load(params.SOURCE, "demo", name)
    model = (
        build(config.model, task=config.clip.task, seed=1, pretrained=False).channels_last().cuda().train()
    )
    batch, target = seen(config, film)
    with torch.autocast("cuda", torch.bfloat16):
        output = model(*(value.cuda() for value in batch.values()), target.cuda())
    loss = (output.frame - target.cuda()).abs().mean() + Lpips().cuda()(output.frame.float(), target.cuda())
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert gradients
    assert all(bool(gradient.isfinite().all()) for gradient in gradients)


def test_batches_of_frames_that_a_gpu_holds_equal_the_loader_s(tmp_path):
    write_clips(tmp_path, 12)
    augment = load(params.SOURCE, "demo").train.augment
    clips = ClipDataset(tmp_path, (-2, -1, 1, 2), crop=(24, 16), augment=augment, seed=5)
    keys = [(index % 12, epoch, index) for epoch in range(2) for index in range(16)]
    held = Resident(Frames([clips], torch.device("cuda")), clips)
    for first in range(0, len(keys), 8):
        there, here = (
            held.batch(keys[first : first + 8]),
            default_collate([clips[k] for k in keys[first : first + 8]]),
        )
        assert there.keys() == here.keys()
        assert there["clip"] == here["clip"]
        for key in sorted(set(here) - {"clip"}):
            assert there[key].is_cuda
            assert torch.equal(there[key].cpu(), here[key])


def test_the_loop_trains_is_measured_and_goes_on(tmp_path):
    def job():
        return tiny.make_job(tmp_path, fabric=Fabric(accelerator="cuda", devices=1), average=0.9)

    assert len(step_seconds(job(), 1, 3)) == 3
    fit(job())
    state, config = load_state(job().folder, {}), job().config
    assert state.step == 20
    assert set(state.average) == set(weights.read_tensors(job().folder / LAST))
    assert weights.read_config(job().folder / LAST)["method"] == config.method
    fit(job())  # nothing is left to be done
