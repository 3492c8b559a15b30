import cv2
import pytest
import skimage.data
import torch
from safetensors.torch import load_file, save_file

from lift.errors import UserError
from lift.metrics import Lpips
from lift.metrics.perceptual import WEIGHTS

PUBLISHED = {"ex_p0": 0.722, "ex_p1": 0.138}  # from ex_ref; of LPIPS's own repository, net alex


@pytest.fixture(scope="module")
def lpips() -> Lpips:
    return Lpips()


def photograph(size: int = 64) -> torch.Tensor:
    return torch.from_numpy(skimage.data.astronaut()[:size, 150 : 150 + size].copy()).permute(2, 0, 1) / 255


def noisy(frame: torch.Tensor, amount: float) -> torch.Tensor:
    noise = torch.randn(frame.shape, generator=torch.Generator().manual_seed(4))
    return (frame + amount * noise).clamp(0, 1)


@pytest.mark.parametrize(("name", "distance"), PUBLISHED.items())
def test_the_published_distances_come_out(lpips, shared, name, distance):
    def picture(name):
        pixels = cv2.imread(str(shared / f"expected/lpips/{name}.png"), cv2.IMREAD_COLOR_RGB)
        return torch.from_numpy(pixels).permute(2, 0, 1) / 255

    assert lpips.measure(picture(name), picture("ex_ref")) == pytest.approx(distance, abs=5e-4)


@pytest.mark.parametrize("size", [32, 61, 256])
def test_equals_the_authors_package_with_the_same_features(lpips, size):
    import lpips as package

    with pytest.warns(UserWarning, match="deprecated"):
        reference = package.LPIPS(net="alex", pnet_rand=True, pretrained=True, verbose=False)
    theirs = {name: lpips.features[int(name.split(".")[1])] for name in reference.net.state_dict()}
    reference.net.load_state_dict(
        {name: getattr(layer, name.rsplit(".", 1)[1]) for name, layer in theirs.items()}
    )
    a, b = noisy(photograph(size), 0.1), photograph(size)
    quantised = [(255 * frame).round()[None] / 255 for frame in (a, b)]
    assert lpips.measure(a, b) == pytest.approx(reference(*quantised, normalize=True).item(), rel=1e-5)


def test_several_frames_have_the_distances_that_each_has_alone(lpips):
    frames, target = [noisy(photograph(), amount) for amount in (0.0, 0.02, 0.1)], photograph()
    alone = [lpips.measure(frame, target) for frame in frames]
    assert lpips.measure_all(frames, target) == pytest.approx(alone, rel=1e-5)
    assert alone[0] == 0


def test_building_is_silent_and_leaves_the_global_generator_alone(capfd):
    before = torch.random.get_rng_state()
    Lpips()  # warnings are errors in these tests
    assert torch.equal(torch.random.get_rng_state(), before)
    assert capfd.readouterr() == ("", "")


def test_distance_grows_with_the_distortion(lpips):
    frame = photograph()
    values = [lpips.measure(noisy(frame, amount), frame) for amount in (0.0, 0.02, 0.1, 0.3)]
    assert values[0] == 0
    assert values == sorted(values)
    assert len(set(values)) == 4


def test_every_layer_sees_the_difference(lpips):
    layers = lpips.by_layer(noisy(photograph(), 0.1)[None], photograph()[None])
    shares = torch.stack(layers).flatten() / torch.stack(layers).sum()
    assert len(shares) == 5
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


def test_the_gradient_is_finite_where_a_picture_has_nothing_to_see(lpips):
    """A flat picture can leave features of length 0, whose direction has no derivative."""
    prediction = torch.zeros(1, 3, 64, 64, requires_grad=True)
    lpips(prediction, torch.ones(1, 3, 64, 64)).backward()
    assert prediction.grad.isfinite().all()


def test_gradient():
    exact = Lpips().double()
    a, b = (photograph(32)[None].double() * 0.8 + 0.1 for _ in range(2))
    a = (a + 0.05 * torch.rand(a.shape, generator=torch.Generator().manual_seed(5))).requires_grad_()
    assert torch.autograd.gradcheck(exact, (a, b), fast_mode=True)


BROKEN = {
    "another network": lambda state: {"net": torch.zeros(1)},
    "another shape": lambda state: {**state, "heads.0": torch.zeros(63)},
    "not finite": lambda state: {**state, "heads.0": torch.full((64,), torch.nan)},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN.keys())
def test_other_weights_are_refused_in_one_line(tmp_path, change):
    path = tmp_path / "lpips.safetensors"
    save_file(change(load_file(WEIGHTS)), path)
    with pytest.raises(UserError, match=r"lpips\.safetensors: .*git") as caught:
        Lpips(path)
    assert "\n" not in str(caught.value)


def test_missing_and_truncated_weights_are_refused_in_one_line(tmp_path):
    (tmp_path / "cut.safetensors").write_bytes(WEIGHTS.read_bytes()[:1000])
    for name in ("cut.safetensors", "none.safetensors"):
        with pytest.raises(UserError, match=f"{name}: .*missing or damaged") as caught:
            Lpips(tmp_path / name)
        assert "\n" not in str(caught.value)
