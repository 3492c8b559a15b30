"""Files in, files out: what is kept, what is added."""

import csv
import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from lift.progress import bar
from lift.video.choose import choose
from lift.video.job import Job
from lift.video.pace import Schedule
from lift.video.run import run
from lift.video.source import Span

AVERAGE = choose("average")


@pytest.mark.parametrize(
    ("form", "size"),
    [
        ("yuv420p", (48, 64)),
        ("yuv420p", (47, 63)),
        ("yuv444p", (48, 64)),
        ("yuv422p10le", (48, 64)),
        ("yuv420p10le", (47, 63)),
        ("yuv420p12le", (48, 64)),
        ("gray", (48, 64)),
        ("bgra", (48, 64)),
    ],
)
def test_originals_are_bit_for_bit_the_same_on_a_lossless_codec(tmp_path, video, planes, form, size):
    given = video(tmp_path / "in.mkv", form=form, size=size)
    run(Job(input=given, output=tmp_path / "out.mkv", codec="ffv1"), AVERAGE)
    times, before, _ = planes(given)
    new_times, after, first = planes(tmp_path / "out.mkv")
    assert after[::2] == before
    assert len(after) == 2 * len(before) - 1
    assert first.format.name == form
    assert [float(t) for t in new_times[::2]] == [float(t) for t in times]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".mov", ".avi", ".webm", ".ts", ".gif", ".m4v"])
@pytest.mark.parametrize("size", [(48, 64), (47, 63)])
def test_every_container_is_written_and_read(tmp_path, video, planes, suffix, size):
    given = video(tmp_path / "in.mkv", count=4, size=size)
    first = tmp_path / f"first{suffix}"
    run(Job(input=given, output=first), AVERAGE)
    run(Job(input=first, output=tmp_path / f"second{suffix}"), AVERAGE)
    times, pictures, frame = planes(tmp_path / f"second{suffix}")
    assert len(pictures) == 13
    assert (frame.height, frame.width) == size
    assert float(times[-1] - times[0]) == pytest.approx(3 / 25, abs=0.02)


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1", "ffv1", "mpeg4", "prores_ks"])
def test_the_codec_is_the_users_choice(tmp_path, video, codec):
    run(Job(input=video(tmp_path / "in.mkv", count=3), output=tmp_path / "out.mkv", codec=codec), AVERAGE)
    with av.open(str(tmp_path / "out.mkv")) as container:
        name = container.streams.video[0].codec_context.name
        assert {"h265": "hevc", "prores_ks": "prores", "av1": "libdav1d"}.get(codec, codec) == name
        assert sum(1 for _ in container.decode(video=0)) == 5


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="Linux's scheduling")
def test_an_encoder_takes_no_more_of_the_machine_than_the_user_gave(tmp_path, video):
    """SVT-AV1, run by root, would make itself and this process real-time ones, which stop all else."""
    before = os.sched_getscheduler(0)
    run(Job(input=video(tmp_path / "in.mkv", count=3), output=tmp_path / "out.mkv", codec="av1"), AVERAGE)
    assert {os.sched_getscheduler(int(task.name)) for task in Path("/proc/self/task").iterdir()} == {before}


def test_ten_bits_stay_ten_bits(tmp_path, video, planes):
    given = video(tmp_path / "in.mkv", form="yuv420p10le", codec="libx265")
    run(Job(input=given, output=tmp_path / "out.mp4", codec="h265"), AVERAGE)
    assert planes(tmp_path / "out.mp4")[2].format.name == "yuv420p10le"


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_variable_frame_rates_keep_their_times(tmp_path, video, planes, suffix):
    given = video(tmp_path / "in.mkv", pts=[0, 40, 200, 240, 400], base=Fraction(1, 1000))
    run(Job(input=given, output=tmp_path / f"out{suffix}"), AVERAGE)
    times = [float(t) for t in planes(tmp_path / f"out{suffix}")[0]]
    assert times == pytest.approx([0, 0.02, 0.04, 0.12, 0.2, 0.22, 0.24, 0.32, 0.4], abs=0.0011)


def test_colours_are_described_as_before(tmp_path, video, planes):
    def prepare(container, stream):
        context = stream.codec_context
        context.color_range, context.color_primaries, context.color_trc, context.colorspace = 2, 9, 14, 9

    given = video(tmp_path / "in.mkv", prepare=prepare, form="yuv420p10le")
    run(Job(input=given, output=tmp_path / "out.mkv", codec="h265"), AVERAGE)
    first = planes(tmp_path / "out.mkv")[2]
    assert (first.color_range, first.color_primaries, first.color_trc, first.colorspace) == (2, 9, 14, 9)


def test_slow_motion_lasts_longer_and_leaves_the_sound(tmp_path, with_sound, planes):
    said = []
    job = Job(
        input=with_sound(".mp4"), output=tmp_path / "out.mp4", schedule=Schedule(factor=4, slow_motion=True)
    )
    run(job, AVERAGE, said.append)
    times, pictures, _ = planes(tmp_path / "out.mp4")
    assert len(pictures) == 37
    assert float(times[-1]) == pytest.approx(36 / 25)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not container.streams.audio
    assert "left out" in said[0]


def test_a_fixed_rate(tmp_path, video, planes):
    run(
        Job(
            input=video(tmp_path / "in.mkv", count=6),
            output=tmp_path / "out.mkv",
            schedule=Schedule(fps=Fraction(60)),
        ),
        AVERAGE,
    )
    times, pictures, _ = planes(tmp_path / "out.mkv")
    assert len(pictures) == pytest.approx(6 / 25 * 60, abs=1)
    assert np.diff([float(t) for t in times]) == pytest.approx(1 / 60, abs=0.001)


def test_only_the_part_between_start_and_end(tmp_path, video, planes):
    given = video(tmp_path / "in.mkv", count=20)
    job = Job(
        input=given,
        output=tmp_path / "out.mkv",
        codec="ffv1",
        span=Span(start=Fraction(1, 5), end=Fraction(2, 5)),
    )
    run(job, AVERAGE)
    times, pictures, _ = planes(tmp_path / "out.mkv")
    assert pictures[::2] == planes(given)[1][5:10]
    assert float(times[0]) == 0


def test_the_length_is_kept(tmp_path, with_sound):
    given = with_sound(".mp4")
    run(Job(input=given, output=tmp_path / "out.mp4"), AVERAGE)
    with av.open(str(given)) as before, av.open(str(tmp_path / "out.mp4")) as after:
        lengths = [float(c.streams.video[0].duration * c.streams.video[0].time_base) for c in (before, after)]
    assert lengths[1] == pytest.approx(lengths[0], abs=1 / 49)  # within a frame


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({}, 23),
        ({"schedule": Schedule(factor=4)}, 45),
        ({"schedule": Schedule(fps=Fraction(60))}, 29),
        ({"predict": 3}, 26),
    ],
)
def test_the_bar_ends_at_its_end(tmp_path, video, monkeypatch, options, count):
    bars = []

    def kept(**given):
        bars.append(bar(**given))
        totals.append(bars[0].total)
        return bars[0]

    totals = []
    monkeypatch.setattr("lift.video.run.bar", kept)
    given = video(tmp_path / "in.mkv", count=12)
    run(Job(input=given, output=tmp_path / "out.mkv", **options), choose("repeat"))
    assert totals == [count]
    assert (bars[0].n, bars[0].total) == (count, count)


def test_preview_shows_input_and_result_side_by_side(tmp_path, video, planes):
    given = video(tmp_path / "in.mkv", count=3, form="bgr0")
    run(Job(input=given, output=tmp_path / "out.mkv", codec="ffv1", preview=True), AVERAGE)
    with av.open(str(tmp_path / "out.mkv")) as container:
        shown = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    assert shown[0].shape == (48, 128, 3)
    assert np.array_equal(shown[1][:, :64], shown[0][:, :64])
    assert (
        np.abs(shown[1][:, 64:].astype(int) - (shown[0][:, 64:].astype(int) + shown[2][:, 64:]) / 2).max()
        <= 1
    )


def test_the_report_tells_kind_cuts_and_weights(tmp_path, video, picture, weights_file):
    (tmp_path / "in").mkdir()
    for k in range(8):
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), picture(k, seed=7 * (k > 3)))
    job = Job(input=tmp_path / "in", output=tmp_path / "out.mkv", report=tmp_path / "report.csv")
    run(job, choose(None, weights_file, device="cpu"))
    rows = list(csv.DictReader((tmp_path / "report.csv").read_text().splitlines()))
    assert [row["kind"][0] for row in rows] == list("oioioiocoioioio")
    assert [k for k, row in enumerate(rows) if row["cut"] == "1"] == [8]
    shares = [float(pair.split(":")[1]) for pair in rows[1]["alpha"].split()]
    assert sum(shares) == pytest.approx(1, abs=1e-3)
    assert float(rows[2]["motion"]) > 0
    told = (Path(__file__).resolve().parents[2] / "docs" / "video.md").read_text()
    assert all(f"`{column}`" in told for column in rows[0])


class Counting(type(AVERAGE)):
    """The average, that counts frames which are encoded and not yet let go of."""

    alive = peak = 0

    def encode(self, image):
        self.alive += 1
        self.peak = max(self.peak, self.alive)
        return super().encode(image)

    def shrink(self, features):
        self.alive -= 1
        return super().shrink(features)


def test_no_more_frames_are_held_of_a_longer_video(tmp_path, video):
    peaks = []
    for count in (30, 120):
        method = Counting("average")
        given = video(tmp_path / f"{count}.mkv", count=count)
        run(Job(input=given, output=tmp_path / f"out{count}.mkv"), method)
        peaks.append(method.peak)
    assert peaks == [2, 2]
