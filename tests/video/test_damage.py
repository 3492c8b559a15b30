"""Damage, and pictures that are two half pictures: said in one line, and what can be kept is kept."""

import resource

import av
import numpy as np
import pytest

from lift.video.choose import choose
from lift.video.file import SliceCheck
from lift.video.job import Job
from lift.video.run import run

AVERAGE = choose("average")


def damage(path, number, where=0.6):
    """Turn some bits of a video packet."""
    with av.open(str(path)) as container:
        packets = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data, (start, size) = bytearray(path.read_bytes()), packets[number]
    data[start + int(size * where)] ^= 0x55
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("number", [0, 3, 7])
@pytest.mark.parametrize("where", [0.1, 0.5, 0.97])
def test_damage_that_only_a_checksum_tells_is_told(tool, tmp_path, video, planes, number, where):
    """FFmpeg decodes a damaged slice of FFV1 without a sign."""
    prepare = _checked("1")
    given = damage(video(tmp_path / "in.mkv", count=8, prepare=prepare, size=(96, 128)), number, where)
    status, said = tool(given, tmp_path / "out.mkv", "--model", "average")
    assert status == 1
    line = said.splitlines()[-1]
    assert f"damaged at {max(number, not number) / 25:.2f} s or before: a checksum does not fit" in line
    assert "out.mkv holds what could be read, up to 0.28 s" in line
    assert len(planes(tmp_path / "out.mkv")[1]) == 15


def _checked(wanted):
    def prepare(container, stream):
        stream.codec_context.options = {"level": "3", "slices": "4", "slicecrc": wanted}

    return prepare


@pytest.mark.parametrize("wanted", ["0", "1"])
def test_whole_packets_pass_with_and_without_checksums(tmp_path, video, wanted):
    given = video(tmp_path / "in.mkv", prepare=_checked(wanted), size=(96, 128))
    with av.open(str(given)) as container:
        check = SliceCheck()
        assert all(check.sound(packet) for packet in container.demux(video=0))


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [("in.mov", "png", "rgb24"), ("in.mkv", "libx264", "yuv420p"), ("in.avi", "huffyuv", "yuv422p")],
)
def test_pictures_after_a_damaged_one_are_not_lost(tool, tmp_path, video, planes, name, codec, form):
    given = damage(video(tmp_path / name, count=12, codec=codec, form=form), 4)
    status, said = tool(given, tmp_path / "out.mp4", "--model", "average")
    if codec != "huffyuv":  # which cannot tell
        assert status == 1
        assert "damaged" in said.splitlines()[-1]
    assert len(planes(tmp_path / "out.mp4")[1]) >= 21


@pytest.mark.parametrize(
    ("suffix", "kept"), [(".mkv", True), (".ts", True), (".mp4", False), (".avi", False)]
)
def test_a_file_that_can_grow_no_more_is_kept_where_it_plays(tool, tmp_path, video, suffix, kept):
    """As on a full disk: what needs an index at its end is given up, with one line and nothing left."""
    given = video(tmp_path / "in.mkv", count=60, size=(96, 128))
    limit, output = resource.getrlimit(resource.RLIMIT_FSIZE), tmp_path / f"out{suffix}"
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limit[1]))
    try:
        codec = "mpeg2video" if suffix == ".ts" else "mjpeg"
        status, said = tool(given, output, "--model", "average", "--codec", codec)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert status == 1
    assert "File too large" in said.splitlines()[-1]
    assert "Traceback" not in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mkv", *([output.name] * kept)]
    if kept:
        with av.open(str(output)) as container:
            assert 3 < sum(1 for _ in container.decode(video=0)) < 119


@pytest.fixture
def woven(picture):
    """Give a function that writes interlaced video: two moments a picture, upper field first."""

    def write(path, codec, options, form="yuv420p", marked=True):
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width, stream.pix_fmt = 96, 128, form
            if marked:
                stream.codec_context.flags |= 1 << 18 | 1 << 29  # interlaced DCT and motion
                stream.codec_context.field_order = 2
            stream.codec_context.options = options
            for k in range(8):
                image = picture(2 * k, (96, 128), speed=4).copy()
                image[1::2] = picture(2 * k + 1, (96, 128), speed=4)[1::2]
                frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format=form)
                frame.pts = k
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return write


WOVEN = [
    ("in.mpg", "mpeg2video", {}, "yuv420p"),
    ("in.ts", "libx264", {"x264-params": "tff=1"}, "yuv420p"),
    ("in.mp4", "libx264", {"x264-params": "tff=1"}, "yuv420p"),
    ("in.mkv", "ffv1", {}, "yuv420p"),
    ("in.mov", "prores_ks", {}, "yuv422p10le"),
]


def combs(image):
    """Tell how much more neighbouring rows differ than rows two apart."""
    image = image.astype(float)
    return np.abs(image[1:] - image[:-1])[1:].mean() / np.abs(image[2:] - image[:-2]).mean()


@pytest.mark.parametrize(("name", "codec", "options", "form"), WOVEN)
def test_interlaced_video_is_said_to_be(tmp_path, woven, name, codec, options, form):
    said = []
    run(
        Job(input=woven(tmp_path / name, codec, options, form), output=tmp_path / "out.mp4"),
        AVERAGE,
        said.append,
    )
    assert [line for line in said if line.startswith("interlaced: ") and "--deinterlace" in line] == said


@pytest.mark.parametrize(("name", "codec", "options", "form"), WOVEN)
def test_deinterlacing_makes_a_whole_picture_of_each_field(
    tmp_path, woven, planes, name, codec, options, form
):
    given = woven(tmp_path / name, codec, options, form)
    job = Job(input=given, output=tmp_path / "out.mkv", codec="ffv1", deinterlace=True)
    said = []
    outcome = run(job, AVERAGE, said.append)
    assert said == []
    assert (outcome.originals, outcome.shown) == (16, 31)
    times, _, first = planes(tmp_path / "out.mkv")
    assert not first.interlaced_frame
    assert np.diff([float(t) for t in times]) == pytest.approx(0.01, abs=0.0011)
    with av.open(str(tmp_path / "out.mkv")) as made, av.open(str(given)) as before:
        whole = [combs(f.to_ndarray(format="gray")) for f in made.decode(video=0)][4:-4:2]
        woven_ = [combs(f.to_ndarray(format="gray")) for f in before.decode(video=0)][2:-2]
    assert max(whole) < 0.8 < min(woven_)


def test_deinterlacing_what_is_not_marked_says_what_it_takes_it_for(tmp_path, woven):
    given, said = woven(tmp_path / "in.mp4", "libx264", {}, marked=False), []
    run(Job(input=given, output=tmp_path / "out.mp4", deinterlace=True), AVERAGE, said.append)
    assert said == ["not marked as interlaced; deinterlaced all the same, upper field first"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi"])
def test_sound_that_goes_on_is_no_sign_of_a_file_that_was_cut_off(tmp_path, film, suffix):
    whole, given = tmp_path / f"whole{suffix}", tmp_path / f"in{suffix}"
    film(whole, count=50, codec="mjpeg", form="yuvj420p", tones=[("libmp3lame", 48000, "stereo")])
    with av.open(str(whole)) as source, av.open(str(given), "w") as out:
        streams = [out.add_stream_from_template(s, opaque=True) for s in source.streams]
        for packet in source.demux():
            if packet.size and (packet.stream.type == "audio" or packet.pts * packet.time_base < 1):
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    outcome = run(Job(input=given, output=tmp_path / f"out{suffix}"), AVERAGE)
    assert outcome.trouble is None
    assert 20 < outcome.originals < 30


@pytest.mark.parametrize(
    "tag",
    [
        b"half an hour long ",
        b"00:30:00.000000000",
        b"1:2:3:4:5:6:7:8:9 ",
        b"nan:00:00         ",
        b"0:00:1/0          ",
    ],
)
def test_a_tag_that_is_wrong_about_the_length_is_not_believed(tmp_path, video, tag):
    given = video(tmp_path / "in.mkv")
    written = given.read_bytes()
    assert written.count(b"00:00:00.200000000") == 1  # the track's DURATION
    given.write_bytes(written.replace(b"00:00:00.200000000", tag))
    outcome = run(Job(input=given, output=tmp_path / "out.mkv"), AVERAGE)
    assert (outcome.originals, outcome.trouble) == (5, None)
