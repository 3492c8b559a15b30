"""Small videos made on the spot, and a small LIFT."""

import functools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch

from lift import weights
from lift.config import load
from lift.models.interface import Interpolator
from lift.models.registry import build
from lift.video.__main__ import main
from lift.video.choose import of_model
from lift.video.frame import Frame
from lift.video.methods import Computing, Middle, Network

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
WINDOW = (-7, -5, -3, -1, 1, 3, 5)


@pytest.fixture(scope="session")
def picture():
    """Give a function that draws frame k of a smooth moving scene; another seed is another scene."""

    @functools.cache  # all frames of a scene look at one
    def scenery(size, seed):
        rng = np.random.default_rng(seed)
        wide = cv2.GaussianBlur(rng.random((size[0], size[1] * 4, 3)).astype(np.float32), (0, 0), 3)
        return np.clip((wide - wide.mean()) * 6 + rng.random(3), 0, 1).astype(np.float32)

    def draw(k, size=(48, 64), seed=0, speed=2.0, dtype=np.uint8):
        moved = cv2.warpAffine(
            scenery(size, seed), np.float32([[1, 0, -speed * k], [0, 1, 0]]), (size[1], size[0])
        )
        return (np.clip(moved, 0, 1) * np.iinfo(dtype).max).astype(dtype)

    return draw


@pytest.fixture(scope="session")
def frames(picture):
    """Give a function that makes engine frames of a list of (k, seed)."""

    def make(plan, times=None):
        times = times or range(len(plan))
        return [
            Frame(image=picture(k, seed=seed), time=Fraction(time))
            for (k, seed), time in zip(plan, times, strict=True)
        ]

    return make


@pytest.fixture(scope="session")
def small():
    """Give a small LIFT whose every branch is stirred."""
    model = build(replace(load(PARAMS, "demo").model, dropout=0.0), seed=3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.01 * torch.randn(parameter.shape, generator=generator)
    return model.eval()


class Anew(Network):
    """A model that is given the whole window anew for every frame."""

    def encode(self, image):
        return image

    def shrink(self, features):
        return features

    def between(self, offsets, features):
        with self._computing():
            output = Interpolator.make(self._model, dict(zip(offsets, features, strict=True)))
        return Middle(output.frame, None if output.alpha is None else output.alpha[0].tolist())


@pytest.fixture(scope="session")
def lift(small):
    """Give a function that makes a method of it, cached or not."""

    def make(*, cache=True):
        if not cache:
            return Anew(small, "small", "small", WINDOW, Computing(torch.device("cpu")))
        return of_model(small, WINDOW, "small", device="cpu")

    return make


@pytest.fixture(scope="session")
def weights_file(small, tmp_path_factory):
    """Give the small model as a weights file of the pipeline."""
    path = tmp_path_factory.mktemp("weights") / "best.safetensors"
    config = load(PARAMS, "demo", "lift15")
    weights.save(path, small, replace(config, model=replace(config.model, dropout=0.0)).digestible())
    return path


@pytest.fixture(scope="session")
def video(picture):
    """Give a function that writes a video, lossless unless asked otherwise, and gives its path."""

    def write(
        path,
        count=5,
        size=(48, 64),
        codec="ffv1",
        form="yuv420p",
        pts=None,
        base=Fraction(1, 25),
        seed=0,
        prepare=None,
    ):
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = *size, form
            stream.codec_context.time_base = base
            if prepare is not None:
                prepare(container, stream)
            for k in range(count):
                frame = av.VideoFrame.from_ndarray(picture(k, size, seed), format="rgb24")
                frame = frame.reformat(format=form)
                frame.pts, frame.time_base = (k if pts is None else pts[k]), base
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


@pytest.fixture(scope="session")
def planes():
    """Give a function that reads all frames of a video: (times in seconds, planes as bytes, first frame)."""

    def read(path):
        times, pictures, first = [], [], None
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                first = first or frame
                times.append(frame.pts * frame.time_base)
                pictures.append(frame)
        return times, [_bytes(p) for p in pictures], first

    return read


def _bytes(frame):
    deep = 2 if frame.format.components[0].bits > 8 else 1
    return b"".join(
        np.frombuffer(plane, np.uint8).reshape(plane.height, -1)[:, : plane.width * deep].tobytes()
        for plane in frame.planes
    )


@pytest.fixture
def tool(capsys):
    """Give a function that runs the command line and gives (exit status, what it said)."""

    def call(*arguments):
        status = main([str(argument) for argument in arguments])
        return status, capsys.readouterr().err

    return call


@pytest.fixture
def refused(tool, tmp_path):
    """Give a function that expects one line of error and no output, and gives the line."""

    def call(*arguments, output="out.mp4"):
        before = set(tmp_path.iterdir())
        status, said = tool(*arguments[:1], tmp_path / output, *arguments[1:])
        errors = [line for line in said.splitlines() if line.startswith("error: ")]
        assert status == 1
        assert len(errors) == 1
        assert "Traceback" not in said
        assert set(tmp_path.iterdir()) == before
        return errors[0]

    return call


@pytest.fixture(scope="session")
def with_sound(video, tmp_path_factory):
    """Give a function that writes a video with a second of sound and a title."""

    def write(suffix, audio="aac"):
        path = tmp_path_factory.mktemp("sound") / f"in{suffix}"

        def prepare(container, stream):
            container.metadata["title"] = "A title"
            sound = container.add_stream(audio, rate=48000)
            sound.metadata["language"] = "pol"
            for k in range(20):
                wave_ = np.sin(np.arange(1024) / 10 + k).astype(np.float32)[None].repeat(2, 0)
                frame = av.AudioFrame.from_ndarray(wave_, format="fltp", layout="stereo")
                frame.sample_rate, frame.pts = 48000, 1024 * k
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))

        return video(path, count=10, codec="libx264", prepare=prepare)

    return write


@pytest.fixture(scope="session")
def film(picture):
    """Give a function that writes a video with a tone beside it, and gives its path."""

    def write(
        path,
        count=25,
        rate=25,
        codec="libx264",
        form="yuv420p",
        tones=(("aac", 48000, "stereo"),),
        prepare=None,
        begin=0,
        after=0,
        late=0,
        options=None,
        size=(48, 64),
    ):
        """Write it.

        `begin`: seconds at which both begin, the pictures `after` more; `late`: how much later than its
        pictures the sound lies in the file, seconds.
        """
        with av.open(str(path), "w", options=options or {}) as container:
            video = container.add_stream(codec, rate=rate)
            video.height, video.width, video.pix_fmt = *size, form
            sounds = []
            for name, samples, layout in tones:
                sounds.append(container.add_stream(name, rate=samples))
                sounds[-1].layout = layout
                sounds[-1].bit_rate = 64000 if samples > 16000 else 16000
            if prepare is not None:
                prepare(container, video)
            packets = []
            for k in range(count):
                frame = av.VideoFrame.from_ndarray(picture(k, size), format="rgb24").reformat(format=form)
                frame.pts, frame.time_base = k + round((begin + after) * rate), 1 / Fraction(rate)
                packets += video.encode(frame)
            packets += video.encode(None)
            for sound in sounds:
                tone, done = _tone(sound, count / Fraction(rate)), 0
                while done < tone.shape[1]:
                    frame = av.AudioFrame.from_ndarray(
                        tone[:, done : done + 1024].copy(), format="fltp", layout=sound.layout.name
                    )
                    frame.sample_rate, frame.pts = sound.rate, done + round(begin * sound.rate)
                    done += 1024
                    packets += sound.encode(frame)
                packets += sound.encode(None)
            lag = {stream.index: 0 if stream is video else late for stream in container.streams}
            packets.sort(key=lambda p: _stamp(p) + lag[p.stream_index])
            container.mux(packets)
        return path

    return write


def _stamp(packet):
    return (packet.pts if packet.dts is None else packet.dts) * packet.time_base


def _tone(sound, seconds):
    samples = np.arange(int(seconds * sound.rate)) / sound.rate
    return np.repeat(np.float32(0.3 * np.sin(2 * np.pi * 440 * samples))[None], sound.layout.nb_channels, 0)


@pytest.fixture(scope="session")
def contents():
    """Give a function that reads a file: for each stream a (type, codec, packets) and seconds of sound."""

    def read(path):
        with av.open(str(path)) as container:
            counts = {}
            for packet in container.demux():
                counts[packet.stream.index] = counts.get(packet.stream.index, 0) + bool(packet.size)
            streams = [
                (
                    s.type,
                    s.codec_context.codec.canonical_name if s.codec_context else None,
                    counts.get(s.index, 0),
                )
                for s in container.streams
            ]
            number = len(container.streams.audio)
        seconds = []
        for index in range(number):
            with av.open(str(path)) as container:
                seconds.append(sum(f.samples / f.sample_rate for f in container.decode(audio=index)))
        return streams, seconds

    return read
