"""LIFT as a whole: shapes, the untrained start, masks, order, gradients, options."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from lift.models.lift.encoder import Encoded, Pyramid
from lift.models.registry import build
from lift.ops.pad import crop_to, pad_to_multiple
from lift.ops.resize import resize

OPTIONS = {
    "base": {},
    "windowed": {"attention": "windowed", "window": 4},
    "no_context": {"use_context": False},
    "mean_context": {"context": "mean"},
    "layers2": {"layers": 2},
    "layers4": {"layers": 4},
    "no_s1": {"use_s1": False},
    "no_occlusion": {"occlusion": False},
    "patch1": {"patch": 1},
    "patch4": {"patch": 4},
}
ALIGNED = {
    "aligned": {"refinement": "aligned"},
    "aligned_no_s1": {"refinement": "aligned", "use_s1": False},
    "aligned_no_context": {"refinement": "aligned", "use_context": False},
    "aligned_no_occlusion": {"refinement": "aligned", "occlusion": False},
}


def over(options):
    return pytest.mark.parametrize("option", options.values(), ids=options.keys())


MATCHED = {"refinement": "aligned", "flow": "matching", "refiner_stride": 2}
ALIGNED |= {"matched": MATCHED, "matched_no_occlusion": {**MATCHED, "occlusion": False}}
every_option = over(OPTIONS | ALIGNED)


def check_output(output, samples, frames, size, weights):
    quarter = (-(-size[0] // 4), -(-size[1] // 4))
    assert output.frame.shape == (samples, 3, *size)
    assert output.coarse.shape == (samples, 3, *quarter)
    assert output.flow.shape == (samples, 4, *quarter)
    assert output.occlusion.shape == (samples, 2, *quarter)
    assert all(t.isfinite().all() for t in output if t is not None)
    assert (output.alpha is not None) == weights
    if weights:
        assert output.alpha.shape == (samples, frames)
        assert torch.allclose(output.alpha.sum(dim=1), torch.ones(samples))


def test_channels_and_parameters_are_the_specifications(spec, clip):
    model = build(spec)
    seen = {}

    def record(name):
        def hook(_, inputs, output):
            seen[name] = tuple(inputs[0].shape), tuple(output.shape)

        return hook

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            module.register_forward_hook(record(name))
    check_output(model(*clip(size=(64, 64))), 1, 14, (64, 64), True)
    assert seen["flow.s8.0.0"] == ((1, 641, 8, 8), (1, 256, 8, 8))
    assert seen["flow.s8.4"] == ((1, 256, 8, 8), (1, 6, 8, 8))
    assert seen["flow.s4.0.0"] == ((1, 519, 16, 16), (1, 128, 16, 16))
    assert seen["flow.s4.3"] == ((1, 128, 16, 16), (1, 6, 16, 16))
    assert seen["synthesis.context_network.0"] == ((1, 259, 16, 16), (1, 64, 16, 16))
    assert seen["synthesis.context_network.2"] == ((1, 64, 16, 16), (1, 3, 16, 16))
    assert seen["refiner.network.0"] == ((1, 67, 64, 64), (1, 64, 64, 64))
    assert seen["refiner.network.5"] == ((1, 64, 64, 64), (1, 32, 64, 64))
    assert seen["refiner.network.8"] == ((1, 32, 64, 64), (1, 3, 64, 64))
    assert seen["context.embed"] == ((14, 256, 4, 4), (14, 256, 2, 2))
    assert seen["context.layers.2.forward_network.1"][1] == (1, 14, 2, 2, 1024)
    assert seen["context.score.0"] == ((1, 14, 256), (1, 14, 64))
    assert seen["context.unpatch"] == ((1, 256, 2, 2), (1, 256, 4, 4))
    assert sum(p.numel() for p in model.parameters()) == 10_988_338  # "about 11 M"


def test_references_are_encoded_once(small, clip):
    model = build(small)
    encoded = []
    model.encoder.s1.register_forward_hook(lambda module, inputs, output: encoded.append(len(inputs[0])))
    model(*clip())
    assert encoded == [2, 12]


@every_option
def test_frames_encoded_one_by_one_give_the_same_output(small, clip, stir, option):
    model = stir(build(replace(small, **option))).eval()
    frames, offsets, valid = clip((-3, -1, 1, 3))
    valid[0, 3] = False
    lineup = model.line_up(offsets, valid)
    images, size = pad_to_multiple(frames[lineup.rows, lineup.slots], model.multiple)
    with torch.no_grad():
        expected = model(frames, offsets, valid)
        singles = [model.encode(image[None], 1) for image in images]
        near = [
            torch.cat(scale) if scale[0] is not None else None
            for scale in zip(*(s.features for s in singles[:2]), strict=True)
        ]
        deep = torch.cat([s.s16 for s in singles]) if model.context is not None else None
        small = torch.cat([s.small for s in singles]) if model.compares else None
        found = model.predict(Encoded(images[:2], Pyramid(*near), deep, small), offsets, lineup, size)
    for a, b in zip(expected, found, strict=True):
        assert (a is None and b is None) or torch.allclose(a, b, atol=1e-5)


@over(OPTIONS)
def test_an_untrained_model_is_its_upsampled_coarse_average(small, clip, option):
    frames, offsets, valid = clip(samples=2, size=(40, 72))
    model = build(replace(small, **option))
    output = model(frames, offsets, valid)
    padded = [pad_to_multiple(frames[:, slot], model.multiple)[0] for slot in (7, 8)]
    coarse = (resize(padded[0], 0.25) + resize(padded[1], 0.25)) / 2
    assert torch.allclose(output.frame, crop_to(resize(coarse, 4), (40, 72)), atol=1e-6)
    assert torch.allclose(output.coarse, crop_to(coarse, (10, 18)), atol=1e-6)
    assert not output.flow.any()
    assert (output.occlusion == 0.5).all()


def test_context_reaches_the_result_and_knows_time(small, clip, stir):
    model = stir(build(small)).eval()
    frames, offsets, valid = clip()
    expected = model(frames, offsets, valid).frame
    other = frames.clone()
    other[:, 0] = 1 - other[:, 0]
    assert not torch.allclose(model(other, offsets, valid).frame, expected, atol=1e-6)
    later = offsets.clone()
    later[:, 0] = -20
    assert not torch.allclose(model(frames, later, valid).frame, expected, atol=1e-6)


def test_without_context_only_the_references_count(small, clip, stir):
    model = stir(build(replace(small, use_context=False))).eval()
    frames, offsets, valid = clip()
    output = model(frames, offsets, valid)
    assert output.alpha is None
    assert not any(name.startswith(("context.", "encoder.s16")) for name, _ in model.named_parameters())
    assert torch.equal(output.frame, model(frames[:, 7:9], offsets[:, 7:9], valid[:, 7:9]).frame)


def test_windows_as_long_as_the_clip_are_full_attention(small, clip, stir):
    arguments = clip()
    full = stir(build(small)).eval()(*arguments)
    wide = stir(build(replace(small, attention="windowed", window=14))).eval()(*arguments)
    narrow = stir(build(replace(small, attention="windowed", window=8))).eval()(*arguments)
    assert torch.equal(wide.frame, full.frame)
    assert not torch.equal(narrow.frame, full.frame)


def test_without_occlusion_maps_both_warps_count_the_same(small, clip, stir):
    model = stir(build(replace(small, occlusion=False)))
    assert (model(*clip()).occlusion == 0.5).all()
    assert model.flow.s4[-1].out_channels == 4
