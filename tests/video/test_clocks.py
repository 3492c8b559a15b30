"""Clocks: where a file begins, how finely it counts, where it starts again, and what is sought in it."""

import functools
import math
from fractions import Fraction
from types import SimpleNamespace

import av
import pytest

from lift.video.__main__ import _rate
from lift.video.choose import choose
from lift.video.file import VideoSource
from lift.video.job import Job
from lift.video.joined import Clock
from lift.video.pace import Schedule
from lift.video.run import run
from lift.video.source import Span

AVERAGE, REPEAT = choose("average"), choose("repeat")
CONTAINERS = [
    ".ts",
    ".m2ts",
    ".mpg",
    ".vob",
    ".mkv",
    ".mp4",
    ".mov",
    ".avi",
    ".webm",
    ".flv",
    ".nut",
    ".wmv",
    ".h264",
]
CODECS = {".mpg": "mpeg2video", ".vob": "mpeg2video", ".webm": "libvpx-vp9", ".wmv": "wmv2", ".avi": "mpeg4"}


def smooth(given, output, chosen=AVERAGE, **options):
    said = []
    outcome = run(Job(input=given, output=output, **options), chosen, said.append)
    assert outcome.trouble is None
    return outcome


def times(path):
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


@pytest.mark.parametrize("start", [0, 1, 5, 7, 133505, 133507, 900001, 2**33 - 20000])
@pytest.mark.parametrize("output", [".mp4", ".mkv"])
def test_no_frame_is_lost_wherever_the_clock_starts(tmp_path, video, start, output):
    def prepare(container, stream):
        stream.codec_context.max_b_frames = 0

    ticks = [start + 3600 * k for k in range(10)]
    given = video(
        tmp_path / "in.ts", count=10, codec="libx264", pts=ticks, base=Fraction(1, 90000), prepare=prepare
    )
    outcome = smooth(given, tmp_path / f"out{output}")
    assert (outcome.originals, outcome.shown) == (10, 19)
    assert times(tmp_path / f"out{output}") == pytest.approx([k / 50 for k in range(19)], abs=0.001)


@pytest.mark.parametrize(("fps", "rate"), [(60, 30), (50, 25), (120, 24), (60, 24)])
def test_a_fixed_rate_shows_the_originals_where_it_can(tmp_path, film, planes, fps, rate):
    """Also where the sound begins a little earlier, as in most files."""
    plain, given = film(tmp_path / "in.mp4", rate=rate, count=8), tmp_path / "in.mkv"
    with av.open(str(plain)) as source, av.open(str(given), "w") as out:
        streams = [out.add_stream_from_template(s, opaque=True) for s in source.streams]
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    with av.open(str(given)) as container:
        assert container.streams.video[0].start_time > 0
    smooth(given, tmp_path / "out.mkv", codec="ffv1", schedule=Schedule(fps=Fraction(fps)))
    before, after = planes(given)[1], planes(tmp_path / "out.mkv")[1]
    step = Fraction(fps, rate)
    assert [after[int(k * step)] for k in range(8) if (k * step).denominator == 1] == [
        before[k] for k in range(8) if (k * step).denominator == 1
    ]


@pytest.mark.parametrize("after", [Fraction(1, 25), Fraction(2, 5), 3])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".ts"])
def test_pictures_that_begin_after_the_sound_still_do(tmp_path, film, contents, after, suffix):
    given = film(tmp_path / f"in{suffix}", after=after)
    smooth(given, tmp_path / "out.mkv")
    with av.open(str(tmp_path / "out.mkv")) as container:
        first = {s.type: float(s.start_time * s.time_base) for s in container.streams}
    assert first["video"] - first["audio"] == pytest.approx(float(after), abs=0.05)
    assert contents(tmp_path / "out.mkv")[1][0] == pytest.approx(1, abs=0.05)


def lumas(given, span):
    """Read the brightness of every picture of a part."""
    source = VideoSource(given, span)
    found = [bytes(frame.picture.planes[0]) for frame in source.frames()]
    source.close()
    return found


@pytest.fixture(scope="module", params=CONTAINERS)
def three_seconds(request, tmp_path_factory, video):
    """Give a video whose key frames lie 2 s apart, and all that is in it."""

    def prepare(container, stream):
        stream.codec_context.gop_size = 50
        stream.codec_context.options = {"sc_threshold": "0"}

    path, codec = (
        tmp_path_factory.mktemp("parts") / f"in{request.param}",
        CODECS.get(request.param, "libx264"),
    )
    given = video(path, count=75, codec=codec, prepare=prepare, size=(64, 96))
    return given, lumas(given, Span())


@pytest.mark.parametrize("start", [Fraction(9, 10), Fraction(1, 25), Fraction(2), Fraction(29, 10)])
def test_a_part_begins_where_it_is_to(three_seconds, start):
    """What has no index is read from its beginning."""
    given, every = three_seconds
    assert len(every) == 75
    assert lumas(given, Span(start=start)) == every[math.ceil(start * 25) :]


@pytest.mark.parametrize("suffix", [".ts", ".mkv", ".mp4", ".avi", ".mpg", ".flv", ".nut", ".wmv"])
def test_a_part_has_the_sound_of_its_pictures(tmp_path, film, contents, suffix):
    codecs = {".avi": "libmp3lame", ".mpg": "mp2", ".flv": "libmp3lame", ".wmv": "wmav2"}
    rate = 44100 if suffix in (".flv", ".wmv") else 48000
    given = film(
        tmp_path / f"in{suffix}",
        count=75,
        codec=CODECS.get(suffix, "libx264"),
        tones=[(codecs.get(suffix, "aac"), rate, "stereo")],
    )
    smooth(given, tmp_path / "out.mkv", span=Span(start=Fraction(11, 10), end=Fraction(21, 10)))
    packet = 0.1 if suffix == ".wmv" else 0.06  # seconds
    assert contents(tmp_path / "out.mkv")[1][0] == pytest.approx(1, abs=packet)
    assert len(times(tmp_path / "out.mkv")) == 49


@pytest.fixture(scope="module")
def recording(tmp_path_factory, film):
    """Give a function that gives the bytes of a recording of ten pictures, 0.4 s."""
    folder = tmp_path_factory.mktemp("recordings")

    @functools.cache
    def made(suffix, sound, begin):
        tones = [("mp2", 48000, "stereo")] if sound else []
        path, codec = folder / f"{sound}{begin}{suffix}", CODECS.get(suffix, "libx264")
        return film(path, count=10, codec=codec, tones=tones, begin=begin).read_bytes()

    return made


@pytest.mark.parametrize(
    ("first", "second"), [(10, 3), (3, 10), (0, 0), (10, 10), (100, 3), (5, 5000), (3, 7)]
)
@pytest.mark.parametrize("sound", [False, True])
@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_joined_recordings_are_one_video(tmp_path, recording, contents, first, second, sound, suffix):
    parts = [recording(suffix, sound, begin) for begin in (first, second)]
    (tmp_path / f"in{suffix}").write_bytes(b"".join(parts))
    outcome = smooth(tmp_path / f"in{suffix}", tmp_path / "out.mp4")
    assert 19 <= outcome.originals <= 20  # the decoder of MPEG-2 keeps one picture at the seam
    shown = times(tmp_path / "out.mp4")
    gap = second - first - 0.4 if first < second < first + 10 else 0
    assert len(shown) == 2 * outcome.originals - 1
    assert shown[-1] - shown[0] == pytest.approx(0.8 + gap, abs=0.15)
    if sound:
        assert contents(tmp_path / "out.mp4")[1][0] == pytest.approx(0.8 + gap, abs=0.1)


def packet(stream, time, kind="video", duration=3600):
    return SimpleNamespace(
        stream=SimpleNamespace(index=stream, type=kind),
        pts=time,
        dts=time,
        duration=duration,
        time_base=Fraction(1, 90000),
    )


def test_a_clock_goes_on_over_a_jump_in_all_streams():
    clock, found = Clock(), []
    plan = [
        (0, 900000),
        (1, 900100),
        (0, 903600),
        (1, 903700),
        (0, 0),
        (1, 907300),
        (1, 100),
        (0, 3600),
        (1, 3700),
    ]
    for stream, time in plan:
        moved = packet(stream, time, "video" if stream == 0 else "audio")
        clock.settle(moved)
        found.append(moved.dts)
    assert found == [900000, 900100, 903600, 903700, 907200, 907300, 907300, 910800, 910900]


def test_a_pause_is_no_jump():
    clock = Clock()
    for time in (0, 3600, 3600 + 5 * 90000):
        moved = packet(0, time)
        clock.settle(moved)
        assert moved.dts == time


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("60", 60),
        ("59.94", Fraction(60000, 1001)),
        ("29.97", Fraction(30000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        ("59.940059940059940", Fraction(60000, 1001)),
        ("60000/1001", Fraction(60000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("48.5", Fraction(97, 2)),
    ],
)
def test_a_decimal_rate_is_the_one_that_is_meant(text, rate):
    assert _rate(text) == rate


@pytest.mark.parametrize("rate", ["59.94", "50.1", "47.952", "61.123456789012345"])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_decimal_rates_are_written(tool, tmp_path, video, rate, suffix):
    given = video(tmp_path / "in.mkv", count=8)
    assert tool(given, tmp_path / f"out{suffix}", "--model", "average", "--fps", rate)[0] == 0
    shown = times(tmp_path / f"out{suffix}")
    assert (shown[-1] - shown[0]) / (len(shown) - 1) == pytest.approx(1 / float(rate), rel=0.01)


def test_a_rate_that_cannot_be_is_not_believed(tmp_path, picture):
    """Of six pictures of DV, FFmpeg takes 60000 a second for the mean."""
    path = tmp_path / "in.dv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("dvvideo", rate=25)
        stream.height, stream.width, stream.pix_fmt = 576, 720, "yuv420p"
        for k in range(6):
            frame = av.VideoFrame.from_ndarray(picture(k, (576, 720)), format="rgb24").reformat(
                format="yuv420p"
            )
            frame.pts = k
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    source = VideoSource(path, Span())
    assert source.rate == 25
    source.close()


def test_the_rate_of_the_input_may_be_given_in_decimals(tool, tmp_path, film):
    given = film(tmp_path / "in.mp4", rate=Fraction(30000, 1001), count=8, tones=())
    assert tool(given, tmp_path / "out.mp4", "--model", "average", "--fps", "29.97")[0] == 0
    assert len(times(tmp_path / "out.mp4")) == 8
