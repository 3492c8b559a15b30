import pytest
import skimage.data
import torch

from lift.errors import UserError
from lift.metrics import TITLES, Lpips


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    return Lpips("random")


def photograph(size: int = 64) -> torch.Tensor:
    return torch.from_numpy(skimage.data.astronaut()[:size, 150 : 150 + size].copy()).permute(2, 0, 1) / 255


def noisy(frame: torch.Tensor, amount: float) -> torch.Tensor:
    noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(4))
    return (frame + amount * noise).clamp(0, 1)


def test_equals_the_packages_own_network_with_the_same_weights(lpips):
    import lpips as package

    with pytest.warns(UserWarning, match="deprecated"):
        reference = package.LPIPS(net="alex", pnet_rand=True, pretrained=True, verbose=False)
    reference.net.load_state_dict(lpips.network.net.state_dict())
    a, b = noisy(photograph(), 0.1), photograph()
    quantised = [(255 * frame).round()[None] / 255 for frame in (a, b)]
    assert lpips.measure(a, b) == pytest.approx(reference(*quantised, normalize=True).item(), rel=1e-5)


def test_it_is_the_same_in_every_run(lpips):
    again = Lpips("random")
    for name, value in lpips.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name
    weights = lpips.network.net.slice1[0].weight.detach()  # a changed generator would change every table
    assert weights[0, 0, 0, :3].tolist() == pytest.approx([0.0719447583, 0.1042684913, 0.0529409796])


def test_building_is_silent_and_leaves_the_global_generator_alone(capfd):
    before = torch.random.get_rng_state()
    Lpips("random")  # warnings are errors in these tests
    assert torch.equal(torch.random.get_rng_state(), before)
    assert capfd.readouterr() == ("", "")


def test_distance_grows_with_the_distortion(lpips):
    frame = photograph()
    values = [lpips.measure(noisy(frame, amount), frame) for amount in (0.0, 0.02, 0.1, 0.3)]
    assert values[0] == 0
    assert values == sorted(values)
    assert len(set(values)) == 4


def test_every_layer_sees_the_difference(lpips):
    a, b = noisy(photograph(), 0.1)[None] * 2 - 1, photograph()[None] * 2 - 1
    _, layers = lpips.network(a, b, retPerLayer=True)
    shares = torch.stack(layers).flatten() / torch.stack(layers).sum()
    assert shares.min() > 0.01


def test_values_outside_the_range_are_refused(lpips):
    frame = photograph()
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        lpips.measure(frame * 2 - 1, frame)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        lpips(frame[None], frame[None] * 255)


def test_small_frames_are_refused(lpips):
    with pytest.raises(UserError, match="at least 32 × 32"):
        lpips.measure(photograph(31), photograph(31))
    assert lpips.measure(noisy(photograph(32), 0.1), photograph(32)) > 0


def test_as_a_loss_it_has_a_gradient_to_the_prediction_alone_also_where_that_overshoots(lpips):
    frame = photograph()[None]
    prediction = (frame * 1.2 - 0.1).requires_grad_()
    lpips(prediction, frame).backward()
    assert prediction.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in lpips.parameters())


def test_gradient():
    exact = Lpips("random").double()
    a, b = (photograph(32)[None].double() * 0.8 + 0.1 for _ in range(2))
    a = (a + 0.05 * torch.rand(a.shape, generator=torch.Generator().manual_seed(5))).requires_grad_()
    assert torch.autograd.gradcheck(exact, (a, b), fast_mode=True)


def test_it_stays_in_evaluation_mode_within_a_model_in_training(lpips):
    torch.nn.ModuleList([lpips]).train()
    assert not any(module.training for module in lpips.modules())


def test_imagenet_weights_come_from_pytorchs_cache_or_not_at_all(tmp_path, monkeypatch, lpips):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UserError, match="no ImageNet weights of alexnet"):
        Lpips("imagenet")
    state = {
        f"features.{name.split('.', 1)[1]}": 2 * value
        for name, value in lpips.network.net.state_dict().items()
    }
    folder = tmp_path / "hub/checkpoints"
    folder.mkdir(parents=True)
    torch.save(state, folder / "alexnet-owt-0.pth")
    loaded = Lpips("imagenet")
    assert torch.equal(loaded.network.net.slice3[1].weight, 2 * lpips.network.net.slice3[1].weight)
    assert (
        (loaded.title, lpips.title)
        == (TITLES["imagenet"], TITLES["random"])
        == ("LPIPS", "LPIPS (random features)")
    )
    torch.save({"features.0.weight": torch.zeros(1)}, folder / "alexnet-owt-0.pth")
    with pytest.raises(UserError, match="alexnet"):
        Lpips("imagenet")
