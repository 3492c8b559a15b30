import pytest
import torch

from lift.errors import UserError
from lift.losses.frames import l1
from lift.losses.perceptual import BLOCKS, Perceptual


def vgg(weight_scale: float = 1.0) -> dict[str, torch.Tensor]:
    """Give random weights under torchvision's names, without the classifier."""
    generator = torch.Generator().manual_seed(5)
    state, index, channels = {}, 0, 3
    for widths in BLOCKS:
        for width in widths:
            deviation = weight_scale * (2 / (9 * channels)) ** 0.5
            state[f"features.{index}.weight"] = deviation * torch.randn(
                width, channels, 3, 3, generator=generator
            )
            state[f"features.{index}.bias"] = torch.zeros(width)
            index, channels = index + 2, width
        index += 1
    return state


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    home = tmp_path_factory.mktemp("torch")
    (home / "hub/checkpoints").mkdir(parents=True)
    torch.save(vgg(), home / "hub/checkpoints/vgg19-0.pth")
    return home


@pytest.fixture
def loss(cache, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(cache))
    return Perceptual()


def frames(*size: int) -> tuple[torch.Tensor, torch.Tensor]:
    a, b = torch.rand(2, 1, 3, *size, generator=torch.Generator().manual_seed(6))
    return a, b


def test_equals_torchvisions_features(loss, cache):
    torchvision = pytest.importorskip("torchvision")
    with torch.device("meta"):
        whole = torchvision.models.vgg19(weights=None).features[:31]
    names = {key.removeprefix("features."): value for key, value in vgg().items()}
    whole.load_state_dict(names, assign=True)
    frame, _ = frames(32, 48)
    features = x = (frame - loss.mean) / loss.deviation
    for stage in loss.stages:
        features = stage(features)
    for layer in whole:
        x = layer(x)
    torch.testing.assert_close(features, x)


def test_blurring_a_texture_costs_more_than_replacing_it_by_another_though_l1_says_otherwise(loss):
    a, b = frames(32, 32)
    blurred = torch.nn.functional.avg_pool2d(a, 3, 1, 1)
    assert loss(a, a) == 0
    assert loss(blurred, a) > loss(b, a) > 0
    assert l1(blurred, a) < l1(b, a)


def test_gradient_reaches_the_frame_and_no_weight(cache, loss):
    a, b = (frame.double() for frame in frames(16, 16))
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    assert torch.autograd.gradcheck(loss.double(), (a.requires_grad_(), b), fast_mode=True)


def test_building_leaves_the_global_generator_alone(cache, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(cache))
    before = torch.random.get_rng_state()
    Perceptual()
    assert torch.equal(torch.random.get_rng_state(), before)


def test_small_crops_are_refused(loss):
    a, b = frames(8, 32)
    with pytest.raises(UserError, match="at least 16 × 16"):
        loss(a, b)


def test_missing_weights_say_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match=r"vgg19-\*\.pth.*loss\.perceptual.*run the stage `download`"):
        Perceptual()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_damaged_weights_are_named(tmp_path, monkeypatch, content):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub/checkpoints/vgg19-0.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"vgg19-0\.pth: damaged"):
        Perceptual()


def test_weights_of_another_network_are_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub/checkpoints/vgg19-0.pth"
    file.parent.mkdir(parents=True)
    torch.save({"features.0.weight": torch.zeros(64, 3, 11, 11)}, file)
    with pytest.raises(UserError, match="not VGG-19's weights"):
        Perceptual()
