"""How the output is encoded: what any reader of it sees is what was in the input."""

import functools
from fractions import Fraction
from itertools import pairwise

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from lift.errors import UserError
from lift.video.choose import choose
from lift.video.job import Job
from lift.video.look import Light, Look
from lift.video.pace import Schedule
from lift.video.run import run
from lift.video.sink import VideoSink

AVERAGE = choose("average")
LEVELS = np.linspace(0, 255, 16).round().astype(np.uint8)
LOSSY = 4  # levels by which a lossy codec is off at most, on the mean of a flat patch


def smooth(given, output, **options):
    said = []
    outcome = run(Job(input=given, output=output, **options), AVERAGE, said.append)
    assert outcome.trouble is None
    return said


@pytest.fixture(scope="module")
def patches():
    """Give a function that writes flat patches of gray, red, green and blue, and gives their RGB as read."""

    def write(path, codec, form, prepare=lambda stream: None, size=(64, 256)):
        image = np.zeros((*size, 3), np.uint8)
        for k, level in enumerate(LEVELS):
            image[:, 16 * k : 16 * k + 16] = level
        image[32:, :64], image[32:, 64:128], image[32:, 128:192] = (200, 40, 40), (40, 200, 40), (40, 40, 200)
        image[64:, 256:] = 128
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = *size, form
            prepare(stream)
            context = stream.codec_context
            look = Look(
                format=form,
                matrix=context.colorspace,
                range=context.color_range,
                primaries=context.color_primaries,
                transfer=context.color_trc,
                high=size[1] >= 1280,
            ).stored_as(form)
            for k in range(3):
                frame = look.from_rgb(image)
                look.tag(frame)
                frame.pts, frame.time_base = k, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="module")
def plain(tmp_path_factory, patches):
    """Give a function that gives patches of a codec, written once, and what is shown of the first picture."""
    folder = tmp_path_factory.mktemp("patches")

    @functools.cache
    def made(codec, form, suffix, matrix=None, span=None):
        def prepare(stream):
            if matrix is not None:
                stream.codec_context.colorspace, stream.codec_context.color_range = matrix, span

        given = patches(folder / f"{codec}{form}{matrix}{span}{suffix}", codec, form, prepare)
        return given, shown(given)[0]

    return made


def shown(path):
    """Give the mean colours of the patches of frames 0 and 1, as FFmpeg shows them by the file's own tags."""
    with av.open(str(path)) as container:
        frames = [f for _, f in zip(range(2), container.decode(video=0), strict=False)]
    return [_means(Look.of(frame).to_rgb(frame)) for frame in frames]


def _means(image):
    image = (image >> 8 if image.dtype == np.uint16 else image).astype(float)
    spots = [image[8:24, 16 * k + 4 : 16 * k + 12] for k in range(16)]
    spots += [image[40:56, 64 * k + 16 : 64 * k + 48] for k in range(3)]
    return np.array([spot[..., :3].mean((0, 1)) for spot in spots])


@pytest.mark.parametrize(
    ("codec", "form", "suffix"),
    [
        ("ffv1", "gray", ".mkv"),
        ("ffv1", "gray16le", ".mkv"),
        ("mjpeg", "yuvj420p", ".avi"),
        ("mjpeg", "yuvj422p", ".mov"),
        ("libx264rgb", "rgb24", ".mp4"),
        ("png", "rgb24", ".mov"),
        ("png", "rgb48be", ".mov"),
        ("ffv1", "gbrp10le", ".mkv"),
        ("libvpx-vp9", "gbrp", ".webm"),
        ("libx264", "yuvj420p", ".mp4"),
        ("libx265", "yuv420p10le", ".mp4"),
        ("qtrle", "rgb24", ".mov"),
    ],
)
@pytest.mark.parametrize(
    ("output", "coding"),
    [
        (".mp4", None),
        (".mp4", "h265"),
        (".mov", "prores_ks"),
        (".mov", "png"),
        (".webm", None),
        (".mkv", "av1"),
        (".mkv", "ffv1"),
        (".avi", "mpeg4"),
        (".avi", "mjpeg"),
        (".mkv", "mpeg2video"),
        (".gif", None),
    ],
)
def test_colours_and_levels_stay(tmp_path, plain, codec, form, suffix, output, coding):
    given, before = plain(codec, form, suffix)
    smooth(given, tmp_path / f"out{output}", codec=coding)
    for frame in shown(tmp_path / f"out{output}"):
        assert np.abs(frame - before).max() <= (16 if output == ".gif" else LOSSY)


@pytest.mark.parametrize(("matrix", "span"), [(1, 1), (1, 2), (5, 1), (6, 2), (9, 1), (2, 0)])
@pytest.mark.parametrize(
    ("output", "coding"), [(".mp4", None), (".avi", "mpeg4"), (".mov", "png"), (".mkv", "vp9")]
)
def test_matrix_and_range_of_the_input_are_gone_by(tmp_path, plain, matrix, span, output, coding):
    given, before = plain("libx264", "yuv444p", ".mkv", matrix, span)
    smooth(given, tmp_path / f"out{output}", codec=coding)
    for frame in shown(tmp_path / f"out{output}"):
        assert np.abs(frame - before).max() <= LOSSY


def test_rgb_of_high_definition_becomes_bt709(tmp_path, patches):
    given = patches(tmp_path / "in.mov", "png", "rgb24", size=(64, 1280))
    smooth(given, tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range, frame.format.name) == (1, 1, "yuv420p")


@pytest.mark.parametrize(("size", "matrix"), [((48, 64), 6), ((32, 1280), 1)])
def test_pictures_of_a_folder_say_how_they_are_stored(tmp_path, picture, size, matrix):
    (tmp_path / "in").mkdir()
    for k in range(3):
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), picture(k, size))
    smooth(tmp_path / "in", tmp_path / "out.mp4")
    with av.open(str(tmp_path / "out.mp4")) as container:
        frame = next(container.decode(video=0))
    assert (frame.colorspace, frame.color_range, frame.color_primaries) == (matrix, 1, 1)


def test_what_becomes_coarser_is_said(tmp_path, patches):
    given = patches(tmp_path / "in.mkv", "ffv1", "yuv444p16le")
    (bits, colours) = smooth(given, tmp_path / "out.avi", codec="mpeg4")
    assert "16 bits a colour become 8" in bits
    assert "colours are stored at a lower resolution (yuv420p for yuv444p16le)" in colours
    assert smooth(given, tmp_path / "out.mkv", codec="ffv1") == []


@pytest.mark.parametrize("suffix", [".gif", ".mkv", ".webm"])
def test_more_pictures_than_a_containers_clock_has_ticks_are_refused(refused, tmp_path, film, suffix):
    given = film(tmp_path / "in.mp4", rate=200, tones=())
    line = refused(given, "--model", "average", "--factor", "8", output=f"out{suffix}")
    assert "1600 frames per second are more than" in line
    assert "give a lower --factor or --fps" in line


def test_a_fast_gif_is_told_of(tmp_path, video):
    said = smooth(video(tmp_path / "in.mkv"), tmp_path / "out.gif", schedule=Schedule(factor=4))
    assert any("browsers show a GIF of more than 50 frames per second at 10" in line for line in said)


def test_pictures_closer_than_a_tick_are_moved_and_not_refused(tmp_path, video, planes):
    """A screen recording: two pictures a millisecond apart, in a container that counts milliseconds."""
    given = video(tmp_path / "in.mkv", pts=[0, 40, 41, 80, 120], base=Fraction(1, 1000))
    smooth(given, tmp_path / "out.mkv", schedule=Schedule(factor=4))
    times, pictures, _ = planes(tmp_path / "out.mkv")
    assert len(pictures) == 17
    assert all(a < b for a, b in pairwise(times))
    assert times[-1] == Fraction(120, 1000)


def test_an_originals_colours_in_a_gif_are_its_own(tmp_path, picture):
    """As good as FFmpeg's palette of each picture, not a fixed one of 216 colours (21 dB)."""
    images = [Image.fromarray(picture(k)).convert("P", palette=Image.ADAPTIVE, colors=200) for k in range(4)]
    images[0].save(tmp_path / "in.gif", save_all=True, append_images=images[1:], duration=40)
    smooth(tmp_path / "in.gif", tmp_path / "out.gif")
    frames = []
    for name in ("in.gif", "out.gif"):
        with av.open(str(tmp_path / name)) as container:
            frames.append([f.to_ndarray(format="rgb24").astype(float) for f in container.decode(video=0)])
    for before, after in zip(frames[0], frames[1][::2], strict=True):
        assert 10 * np.log10(255**2 / ((before - after) ** 2).mean()) > 36


HDR10 = (
    "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400:"
    "log-level=error"
)


@pytest.mark.parametrize(
    ("suffix", "codec", "kept"),
    [
        (".mp4", "h265", True),
        (".mkv", "h264", True),
        (".mkv", "av1", True),
        (".webm", "vp9", False),
        (".mkv", "ffv1", False),
    ],
)
def test_the_light_of_hdr10_is_carried_or_said(tmp_path, patches, suffix, codec, kept):
    def prepare(stream):
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = 9, 16, 9, 1
        context.options = {"x265-params": HDR10}

    given = patches(tmp_path / "in.mp4", "libx265", "yuv420p10le", prepare)
    said = smooth(given, tmp_path / f"out{suffix}", codec=codec)
    lights = []
    for path in (given, tmp_path / f"out{suffix}"):
        with av.open(str(path)) as container:
            frame = next(container.decode(video=0))
            assert (frame.color_primaries, frame.color_trc, frame.colorspace) == (9, 16, 9)
            lights.append(Light.of(frame))
    assert lights[0].content == (1000, 400)
    if kept:
        assert lights[1].content == lights[0].content
        assert [float(v) for v in lights[1].display] == pytest.approx(
            [float(v) for v in lights[0].display], abs=2e-4
        )
        assert said == []
    else:
        assert lights[1] == Light()
        assert any("mastering display's light (HDR10)" in line and "left out" in line for line in said)


def test_an_encoder_that_gives_up_leaves_what_it_made(tool, tmp_path, video, planes, monkeypatch):
    """FFmpeg may refuse a picture in the middle: what was made until then is finished and playable."""
    whole = VideoSink._picture

    def refuse(self, frame):
        if frame.time > Fraction(3, 10):
            raise UserError("libx264 gave up")
        return whole(self, frame)

    monkeypatch.setattr(VideoSink, "_picture", refuse)
    status, said = tool(video(tmp_path / "in.mkv", count=20), tmp_path / "out.mp4", "--model", "average")
    assert status == 1
    assert "libx264 gave up" in said.splitlines()[-1]
    assert "holds what could be read" in said.splitlines()[-1]
    assert len(planes(tmp_path / "out.mp4")[1]) == 16
