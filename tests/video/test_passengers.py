"""What a file carries besides its pictures."""

from fractions import Fraction

import av
import cv2
import pytest

from lift.video.choose import choose
from lift.video.job import Job
from lift.video.pace import Schedule
from lift.video.run import run
from lift.video.source import Span

AVERAGE = choose("average")
TEXT = "1\n00:00:00,100 --> 00:00:00,400\nDzień dobry\n\n2\n00:00:00,500 --> 00:00:00,900\n<i>Drugi</i>\n"


def smooth(given, output, **options):
    said = []
    outcome = run(Job(input=given, output=output, **options), AVERAGE, said.append)
    assert outcome.trouble is None
    return said


def sound(contents):
    return [(codec, packets) for kind, codec, packets in contents if kind == "audio"]


@pytest.fixture
def carrier(tmp_path, film, picture):
    """Give a second of film with sound, subtitles, chapters, a title, a font and a cover."""
    plain, text, path = film(tmp_path / "plain.mkv"), tmp_path / "text.srt", tmp_path / "film.mkv"
    text.write_text(TEXT)
    with av.open(str(plain)) as a, av.open(str(text)) as b, av.open(str(path), "w") as out:
        out.metadata["title"] = "A title"
        unit = Fraction(1, 1000)
        out.set_chapters(
            [
                {
                    "id": k,
                    "start": 400 * k,
                    "end": 400 * k + 400,
                    "time_base": unit,
                    "metadata": {"title": f"C{k}"},
                }
                for k in range(2)
            ]
        )
        streams = [out.add_stream_from_template(s, opaque=True) for s in (*a.streams, b.streams[0])]
        streams[2].metadata["language"] = "pol"
        out.add_attachment("a.ttf", "font/ttf", b"\0\1\0\0" + bytes(100))
        out.add_attachment("cover.jpg", "image/jpeg", cv2.imencode(".jpg", picture(0))[1].tobytes())
        for container, first in ((b, 2), (a, 0)):
            for packet in container.demux():
                if packet.size:
                    packet.stream = streams[first + packet.stream.index]
                    out.mux(packet)
    return path


def test_sound_title_and_language_come_along(tmp_path, with_sound):
    for suffix in (".mp4", ".mkv"):
        given = with_sound(suffix)
        smooth(given, tmp_path / f"out{suffix}")
        with av.open(str(given)) as before, av.open(str(tmp_path / f"out{suffix}")) as after:
            assert after.metadata["title"] == "A title"
            assert after.streams.audio[0].metadata["language"] == "pol"
            packets = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (before, after)]
        assert packets[0] == packets[1]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".ts", ".avi"])
@pytest.mark.parametrize("fps", [None, 30, 60, Fraction(60000, 1001)])
def test_all_sound_is_there_whatever_pictures_are_shown(tmp_path, film, contents, suffix, fps):
    given = film(tmp_path / f"in{suffix}", rate=Fraction(24000, 1001), count=24)
    options = {} if fps is None else {"schedule": Schedule(fps=Fraction(fps))}
    smooth(given, tmp_path / f"out{suffix}", **options)
    assert sound(contents(tmp_path / f"out{suffix}")[0]) == sound(contents(given)[0])


@pytest.mark.parametrize("late", [0, Fraction(7, 10)])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_sound_of_a_part_is_as_long_as_the_part(tmp_path, film, contents, suffix, late):
    options = {"max_interleave_delta": "900000"} if late else {}
    given = film(tmp_path / f"in{suffix}", count=75, late=late, options=options)
    smooth(given, tmp_path / f"out{suffix}", span=Span(start=Fraction(1), end=Fraction(2)))
    assert contents(tmp_path / f"out{suffix}")[1][0] == pytest.approx(1, abs=0.04)


def test_a_film_at_60_packet_by_packet(tmp_path, carrier, contents):
    assert smooth(carrier, tmp_path / "out.mkv", schedule=Schedule(fps=Fraction(60))) == []
    with av.open(str(carrier)) as before, av.open(str(tmp_path / "out.mkv")) as after:
        assert [s.type for s in after.streams] == ["video", "audio", "subtitle", "attachment", "video"]
        assert after.metadata["title"] == "A title"
        assert [c["metadata"]["title"] for c in after.chapters()] == ["C0", "C1"]
        assert after.streams[2].metadata["language"] == "pol"
        assert (after.streams[3].name, after.streams[3].data) == ("a.ttf", before.streams[3].data)
        assert after.streams[4].metadata["filename"] == "cover.jpg"
        for kind in ("audio", "subtitles"):
            packets = [
                [(bytes(p), p.pts * p.time_base, p.duration) for p in c.demux(**{kind: 0}) if p.size]
                for c in (before, after)
            ]
            assert len(packets[0]) == len(packets[1])
            for (data, time, lasts), (new, moved, last) in zip(*packets, strict=True):
                assert (data, lasts) == (new, last)
                assert abs(time - moved) <= Fraction(1, 1000)


@pytest.mark.parametrize(
    ("suffix", "text", "lost"),
    [
        (".mp4", "mov_text", ["a.ttf"]),
        (".mov", "mov_text", ["a.ttf", "cover art"]),
        (".webm", "webvtt", ["a.ttf", "cover art"]),
        (".ts", None, ["subtitle", "chapters", "a.ttf", "cover art"]),
        (".avi", None, ["subtitle", "chapters", "a.ttf", "cover art"]),
    ],
)
def test_what_a_container_cannot_take_is_converted_or_said(tmp_path, carrier, contents, suffix, text, lost):
    said = smooth(carrier, tmp_path / f"out{suffix}", schedule=Schedule(fps=Fraction(60)))
    assert [word for word in lost if not any(word in line and "left out" in line for line in said)] == []
    assert sum("left out" in line for line in said) == len(lost)
    streams, seconds = contents(tmp_path / f"out{suffix}")
    assert [codec for kind, codec, _ in streams if kind == "subtitle"] == ([text] if text else [])
    assert seconds[0] == pytest.approx(1, abs=0.05)
    if text:
        with av.open(str(tmp_path / f"out{suffix}")) as container:
            shown = b"".join(bytes(p) for p in container.demux(subtitles=0))
        assert "Dzień dobry".encode() in shown
        assert b"Drugi" in shown


def test_subtitles_and_chapters_of_a_part(tmp_path, carrier):
    smooth(carrier, tmp_path / "out.mkv", span=Span(start=Fraction(3, 10), end=Fraction(7, 10)))
    with av.open(str(tmp_path / "out.mkv")) as container:
        chapters = [
            (float(c["start"] * c["time_base"]), float(c["end"] * c["time_base"]))
            for c in container.chapters()
        ]
        packets = [p for p in container.demux(subtitles=0) if p.size]
    assert chapters == [
        (0, pytest.approx(0.1, abs=0.03)),
        (pytest.approx(0.1, abs=0.03), pytest.approx(0.4, abs=0.03)),
    ]
    assert [b"Dzie" in bytes(packets[0]), b"Drugi" in bytes(packets[1])] == [True, True]
    assert packets[0].pts == 0  # on the screen when the part begins, for what is left of it
    assert float(packets[0].duration * packets[0].time_base) == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize(
    ("codec", "rate", "layout", "source", "output", "becomes"),
    [
        ("pcm_s16le", 44100, "stereo", ".avi", ".mp4", "aac"),
        ("wmav2", 44100, "stereo", ".wmv", ".mp4", "aac"),
        ("ac3", 48000, "5.1(side)", ".mkv", ".webm", "opus"),
        ("flac", 48000, "stereo", ".mkv", ".mov", "aac"),
        ("libopus", 48000, "mono", ".webm", ".mov", "aac"),
        ("libmp3lame", 8000, "mono", ".mkv", ".mp4", "aac"),
        ("flac", 48000, "stereo", ".mkv", ".ts", "aac"),
        ("flac", 96000, "5.0", ".mkv", ".webm", "opus"),
        ("pcm_s24le", 48000, "stereo", ".mov", ".ts", "aac"),
        ("alac", 44100, "stereo", ".mov", ".ts", "aac"),
        ("mp2", 32000, "mono", ".ts", ".webm", "opus"),
        ("libopus", 48000, "5.1", ".mkv", ".avi", None),
        ("aac", 22050, "mono", ".ts", ".mp4", "aac"),
        ("eac3", 48000, "stereo", ".ts", ".mp4", "eac3"),
        ("pcm_s16le", 48000, "stereo", ".mov", ".avi", "pcm_s16le"),
        ("adpcm_ima_wav", 22050, "stereo", ".avi", ".mkv", None),
    ],
)
def test_sound_arrives_in_any_container(
    tmp_path, film, contents, codec, rate, layout, source, output, becomes
):
    """Copied where a reader finds it, else converted; never all of the work for a traceback, nor silence."""
    video = {".wmv": "wmv2", ".webm": "libvpx-vp9", ".avi": "mpeg4"}.get(source, "libx264")
    given = film(tmp_path / f"in{source}", codec=video, tones=[(codec, rate, layout)])
    said = smooth(given, tmp_path / f"out{output}")
    streams, seconds = contents(tmp_path / f"out{output}")
    (arrived,) = sound(streams)
    assert arrived[0] == becomes or becomes is None
    assert seconds[0] == pytest.approx(1, abs=0.15)
    given_as = {"libopus": "opus", "libmp3lame": "mp3"}.get(codec, codec)
    assert len([line for line in said if "is converted" in line]) == (arrived[0] != given_as)


def test_sound_that_nobody_can_decode_is_left_out_with_one_line(tmp_path, film, contents):
    data = film(tmp_path / "pcm.mov", tones=[("pcm_s16le", 48000, "stereo")]).read_bytes()
    tag = data.find(b"sowt", data.find(b"stsd", data.find(b"soun")))
    (tmp_path / "in.mov").write_bytes(data[:tag] + b"apac" + data[tag + 4 :])
    for suffix in (".mp4", ".mkv", ".mov", ".ts"):
        assert ["left out" in line for line in smooth(tmp_path / "in.mov", tmp_path / f"out{suffix}")] == [
            True
        ]
        assert sound(contents(tmp_path / f"out{suffix}")[0]) == []


def test_two_tracks_of_sound_come_along(tmp_path, film, contents):
    given = film(tmp_path / "in.mkv", tones=[("aac", 48000, "stereo"), ("flac", 44100, "mono")])
    smooth(given, tmp_path / "out.mp4", schedule=Schedule(fps=Fraction(50)))
    assert contents(tmp_path / "out.mp4")[1] == pytest.approx([1, 1], abs=0.05)


def test_sound_stays_with_the_pictures_after_a_gap(tmp_path, film):
    """A conversion fills what is missing with silence."""
    whole, given = (
        film(tmp_path / "whole.mkv", count=50, tones=[("flac", 48000, "mono")]),
        tmp_path / "in.mkv",
    )
    with av.open(str(whole)) as source, av.open(str(given), "w") as out:
        streams = [out.add_stream_from_template(s, opaque=True) for s in source.streams]
        for packet in source.demux():
            if packet.size and (packet.stream.type == "video" or not 0.5 < packet.pts * packet.time_base < 1):
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    smooth(given, tmp_path / "out.mov")
    with av.open(str(tmp_path / "out.mov")) as container:
        loud = {
            round(float(f.pts / f.sample_rate), 1): abs(f.to_ndarray()).max()
            for f in container.decode(audio=0)
        }
    assert loud[0.7] < 0.01
    assert loud[1.2] > 0.1
    assert max(loud) == pytest.approx(2, abs=0.1)


def test_pictures_have_no_sound_and_say_so(tmp_path, film):
    said = smooth(film(tmp_path / "in.mkv"), tmp_path / "out")
    assert said == ["sound and subtitles are left out of a folder of pictures"]
    assert smooth(film(tmp_path / "mute.mkv", tones=()), tmp_path / "mute") == []
