"""Alpha: made frames are as transparent as those around them, and nothing hidden shines through."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch

from lift.video.choose import choose
from lift.video.job import Job
from lift.video.look import Look, premultiplied, straight
from lift.video.media import decoder
from lift.video.methods import Baseline
from lift.video.parts import Transparent
from lift.video.run import run

AVERAGE = choose("average")


def smooth(given, output, **options):
    said = []
    outcome = run(Job(input=given, output=output, **options), AVERAGE, said.append)
    assert outcome.trouble is None
    return said


def alphas(path):
    """Give the mean alpha of every frame."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        context = decoder(video)
        frames = [frame for packet in container.demux(video) for frame in context.decode(packet)]
    pixels = [Look.of(frame).unmixed(frame) for frame in frames]
    return [float(image[..., 3].mean() / np.iinfo(image.dtype).max) for image in pixels]


@pytest.fixture
def see_through(picture):
    """Give a function that draws RGBA frame k: a square that moves, over nothing."""

    def draw(k, step=4):
        alpha = np.zeros((64, 64), np.uint8)
        alpha[16:48, 8 + step * k : 40 + step * k] = 255
        return np.dstack([picture(k, (64, 64)), alpha])

    return draw


@pytest.fixture
def clear(tmp_path, see_through):
    """Give a function that writes four see-through frames."""

    def write(name, codec, form):
        with av.open(str(tmp_path / name), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = 64, 64, form
            stream.codec_context.options = {"auto-alt-ref": "0"} if codec == "libvpx" else {}
            for k in range(4):
                frame = av.VideoFrame.from_ndarray(see_through(k), format="rgba").reformat(format=form)
                frame.pts, frame.time_base = k, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return tmp_path / name

    return write


INPUTS = [
    ("in.mov", "png", "rgba"),
    ("in64.mov", "png", "rgba64be"),
    ("in.mkv", "ffv1", "yuva420p"),
    ("in10.mkv", "ffv1", "yuva444p10le"),
    ("bgra.mkv", "ffv1", "bgra"),
    ("in.webm", "libvpx-vp9", "yuva420p"),
    ("vp8.webm", "libvpx", "yuva420p"),
    ("prores.mov", "prores_ks", "yuva444p10le"),
    ("qtrle.mov", "qtrle", "argb"),
    ("gray.mov", "png", "ya8"),
]
OUTPUTS = [
    (".mov", "png"),
    (".mov", "prores_ks"),
    (".mov", "qtrle"),
    (".mkv", "ffv1"),
    (".webm", None),
    (".webm", "libvpx"),
    (".gif", None),
    (".avi", "ffv1"),
]


@pytest.mark.parametrize(("suffix", "codec"), OUTPUTS)
@pytest.mark.parametrize(("name", "given_as", "form"), INPUTS)
def test_every_frame_is_as_transparent_as_the_others(tmp_path, clear, name, given_as, form, suffix, codec):
    smooth(clear(name, given_as, form), tmp_path / f"out{suffix}", codec=codec)
    found = alphas(tmp_path / f"out{suffix}")
    assert len(found) == 7
    assert found == pytest.approx([0.25] * 7, abs=0.04 if suffix == ".gif" else 0.01)


@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".avi", ".mkv"])
def test_an_output_without_alpha_is_refused_before_the_work(refused, clear, suffix):
    line = refused(clear("in.mov", "png", "rgba"), "--model", "average", output=f"out{suffix}")
    assert "the input is transparent, and libx264 in" in line
    assert ".mov with --codec prores_ks or png" in line


def test_alpha_that_is_opaque_throughout_is_no_matter(tmp_path, video):
    given = video(tmp_path / "in.mkv", form="bgra")
    smooth(given, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"


def test_what_becomes_transparent_later_ends_the_video_there(tool, tmp_path, planes, picture):
    (tmp_path / "in").mkdir()
    for k in range(8):
        alpha = np.full((48, 64, 1), 255 if k < 5 else 100, np.uint8)
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), np.dstack([picture(k), alpha]))
    status, said = tool(tmp_path / "in", tmp_path / "out.mp4", "--model", "average")
    assert status == 1
    line = said.splitlines()[-1]
    # The picture that is made between the last opaque one, at 0.16 s, and the first transparent one.
    assert "the picture at 0.18 s is transparent, and libx264 in mp4 is not" in line
    assert line.endswith("out.mp4 holds what could be read, up to 0.16 s")
    assert len(planes(tmp_path / "out.mp4")[1]) == 9


@pytest.mark.parametrize("deep", [False, True])
def test_a_folder_keeps_its_originals_and_their_depth(tmp_path, see_through, deep):
    (tmp_path / "in").mkdir()
    given = []
    for k in range(3):
        image = see_through(k)
        image[..., 3] = np.maximum(image[..., 3], 9)  # nearly nothing, and yet its colours are kept
        given.append(image.astype(np.uint16) * 257 if deep else image)
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), cv2.cvtColor(given[k], cv2.COLOR_RGBA2BGRA))
    smooth(tmp_path / "in", tmp_path / "out")
    found = [cv2.imread(str(file), cv2.IMREAD_UNCHANGED) for file in sorted((tmp_path / "out").iterdir())]
    assert len(found) == 5
    for before, after in zip(given, found[::2], strict=True):
        assert np.array_equal(cv2.cvtColor(before, cv2.COLOR_RGBA2BGRA), after)
    assert {(image.dtype, image.shape[2]) for image in found} == {(given[0].dtype, 4)}


def test_what_is_hidden_does_not_shine_through():
    """Green under alpha 0, red beside it: the mean of both is half a red, and no green."""
    method = Transparent(Baseline("average"))
    hidden, red = torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    red[:, 0] = red[:, 3] = 1
    features = [method.encode(image) for image in (hidden, red)]
    made = method.between((-1, 1), features).image
    assert made[0, :, 0, 0].tolist() == [0.5, 0, 0, 0.5]
    pixels = (made[0].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    assert straight(pixels)[0, 0].tolist() == [255, 0, 0, 128]


def test_opaque_frames_cost_one_pass():
    class Counted(Baseline):
        calls = 0

        def between(self, offsets, features):
            Counted.calls += 1
            return super().between(offsets, features)

    method = Transparent(Counted("average"))
    features = [method.encode(torch.ones(1, 4, 8, 8)) for _ in range(2)]
    assert method.between((-1, 1), features).image.shape == (1, 4, 8, 8)
    assert Counted.calls == 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplying_is_undone_up_to_rounding(dtype):
    top = np.iinfo(dtype).max
    image = np.random.default_rng(0).integers(0, top, (16, 16, 4), dtype, endpoint=True)
    image[0, 0, 3], image[0, 1, 3] = 0, top
    again = straight(premultiplied(image))
    assert np.array_equal(again[..., 3], image[..., 3])
    error = np.abs(again[..., :3].astype(float) - image[..., :3])
    seen = image[..., 3] > 0
    assert (error[seen] <= top / (2 * image[seen][:, 3:].astype(float)) + 1).all()
    assert np.array_equal(again[0, 1], image[0, 1])
