"""What a file carries besides its pictures."""

from fractions import Fraction

import av
import pytest

from lift.video.choose import choose
from lift.video.job import Job
from lift.video.run import run

AVERAGE = choose("average")


def test_sound_title_and_language_come_along(tmp_path, with_sound):
    for suffix in (".mp4", ".mkv"):
        given = with_sound(suffix)
        run(Job(input=given, output=tmp_path / f"out{suffix}"), AVERAGE)
        with av.open(str(given)) as before, av.open(str(tmp_path / f"out{suffix}")) as after:
            assert after.metadata["title"] == "A title"
            assert after.streams.audio[0].metadata["language"] == "pol"
            packets = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (before, after)]
        assert packets[0] == packets[1]


def test_sound_is_converted_where_the_container_takes_no_copy(tmp_path, with_sound):
    said = []
    run(Job(input=with_sound(".mp4"), output=tmp_path / "out.webm"), AVERAGE, said.append)
    with av.open(str(tmp_path / "out.webm")) as container:
        assert container.streams.audio[0].codec_context.name in ("opus", "libopus")
        seconds = sum(f.samples for f in container.decode(audio=0)) / 48000
    assert seconds == pytest.approx(20 * 1024 / 48000, abs=0.1)
    assert any("converted to libopus" in line for line in said)


def test_subtitles_and_chapters_come_along(tmp_path, video):
    text = tmp_path / "text.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:00,100\nDzień dobry\n")
    plain, given = video(tmp_path / "plain.mkv"), tmp_path / "in.mkv"
    with av.open(str(plain)) as a, av.open(str(text)) as b, av.open(str(given), "w") as out:
        chapter = {
            "id": 1,
            "start": 0,
            "end": 100,
            "time_base": Fraction(1, 1000),
            "metadata": {"title": "One"},
        }
        out.set_chapters([chapter])
        streams = [out.add_stream_from_template(c.streams[0], opaque=True) for c in (a, b)]
        for container, stream in zip((a, b), streams, strict=True):
            for packet in container.demux():
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    run(Job(input=given, output=tmp_path / "out.mkv"), AVERAGE)
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.chapters()[0]["metadata"]["title"] == "One"
        assert b"Dzie\xc5\x84 dobry" in b"".join(bytes(p) for p in container.demux(subtitles=0))
