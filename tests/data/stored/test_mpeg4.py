from fractions import Fraction

import av
import numpy as np
import pytest

from lift.clips.build import build_clip_set
from lift.clips.readers import VideoFile
from lift.config import window
from lift.data.dataset import ClipDataset
from lift.data.stored import mpeg4
from lift.data.stored.archive import ClipArchive
from lift.data.stored.images import convert
from lift.data.stored.manifest import read_manifest
from lift.errors import UserError


def sequential(path):
    with av.open(str(path)) as container:
        return [convert(frame) for frame in container.decode(video=0)]


def encode(path, made, frames=40, codec="mpeg4", **options):
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, width=64, height=48, pix_fmt="yuv420p", options=options)
        for i in range(frames):
            pixels = np.roll(made.picture(1, (48, 64)), 2 * i, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def archived(made, tmp_path, **rules):
    """Build a set of everything in `tmp_path/raw`, and give its archive and rows."""
    config = made.configure(tmp_path / "raw", ("folder",), **rules)
    build_clip_set(config, "set", tmp_path, tmp_path / "out")
    return ClipArchive(tmp_path / "out" / "frames.zip"), read_manifest(tmp_path / "out" / "clips.csv")


@pytest.fixture
def raw(tmp_path):
    for part in ("train", "test"):
        (tmp_path / "raw" / part).mkdir(parents=True)
    return tmp_path / "raw" / "test"


KEPT = {"usual": {"g": "12"}, "one run": {"g": "300"}, "key frames alone": {"g": "1"}}


@pytest.mark.parametrize("form", sorted(KEPT))
def test_any_frames_of_a_kept_video_equal_its_sequential_decode(made, raw, tmp_path, form):
    path = encode(raw / "v.avi", made, **KEPT[form])
    truth = sequential(path)
    archive, rows = archived(made, tmp_path)
    assert {row.extension for row in rows} == {"m4v"}
    name = rows[0].stored
    for numbers in ([0], [39], [11, 12], [5, 17, 39], list(range(40))):
        got = dict(archive.frames(name, numbers, "m4v"))
        assert list(got) == numbers
        assert all(np.array_equal(got[number], truth[number]) for number in numbers)
    assert (tmp_path / "out" / "frames.zip").stat().st_size < 2 * path.stat().st_size


def test_a_kept_video_of_varying_frame_rate_has_its_frames_in_the_order_shown(made, raw, tmp_path):
    times = [0, 1, 2, 5, 6, 11, 12, 30, 31, 40, 41, 43, 50, 51, 60]
    with av.open(str(raw / "v.mkv"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=48, pix_fmt="yuv420p")
        stream.codec_context.time_base = Fraction(1, 25)
        for shift, time in enumerate(times):  # pixels: even motion, so that no pair of frames is a cut
            pixels = np.roll(made.picture(1, (48, 64)), shift, axis=1)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    truth = sequential(raw / "v.mkv")
    archive, rows = archived(made, tmp_path)
    assert {row.extension for row in rows} == {"m4v"}
    for number, pixels in archive.frames(rows[0].stored, range(len(times)), "m4v"):
        assert np.array_equal(pixels, truth[number])


def test_what_comes_before_the_end_of_a_truncated_video_is_kept_to_the_bit(made, raw, tmp_path):
    path = encode(raw / "v.avi", made, frames=60)
    truth, data = sequential(path), path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + (len(data) - data.index(b"movi")) * 3 // 4])
    archive, rows = archived(made, tmp_path, max_dropped=0.9)
    numbers = sorted({row.number(offset) for row in rows for offset in (*row.offsets, 0)})
    assert 20 < len(numbers) < 60
    assert {row.extension for row in rows} == {"m4v"}
    for number, pixels in archive.frames(rows[0].stored, numbers, "m4v"):
        assert np.array_equal(pixels, truth[number])


OTHERS = {
    "frames predicted from later ones": {"bf": "2"},
    "longer runs than any reader should decode": {"g": "600"},
}


@pytest.mark.parametrize("form", sorted(OTHERS))
def test_what_cannot_be_cut_into_runs_is_stored_as_pictures(made, raw, tmp_path, form):
    path = encode(
        raw / "v.avi", made, frames=310 if "longer" in form else 40, sc_threshold="1000000000", **OTHERS[form]
    )
    truth = sequential(path)
    archive, rows = archived(made, tmp_path, spacing=9)
    assert {row.extension for row in rows} == {"png"}
    for row in rows:
        assert np.array_equal(archive.frame(row.stored, row.target, "png"), truth[row.target])


def test_a_video_of_another_codec_or_of_another_size_is_stored_as_pictures(made, raw, tmp_path):
    encode(raw / "v.mkv", made, codec="ffv1")
    _, rows = archived(made, tmp_path)
    assert {row.extension for row in rows} == {"png"}
    encode(raw / "v.mkv", made)
    _, rows = archived(made, tmp_path, crop=(32, 32))
    assert {row.extension for row in rows} == {"png"}


def test_a_run_ends_with_the_last_frame_that_a_clip_needs(made, raw, tmp_path):
    encode(raw / "v.avi", made, frames=200, g="300", sc_threshold="1000000000")
    archive, rows = archived(made, tmp_path, max_clips=1)
    last = rows[0].number(rows[0].offsets[-1])
    assert 100 < last < 199
    archive.frame(rows[0].stored, last, "m4v")
    with pytest.raises(UserError, match=rf"000000\.m4v ends before frame {last + 1} .*dvc repro clips"):
        archive.frame(rows[0].stored, last + 1, "m4v")
    with pytest.raises(UserError, match="holds no run"):
        archive.frame("folder/test/other.avi", 3, "m4v")


def test_a_damaged_run_is_said_and_never_shown():
    header = b"\x00\x00\x01\xb6"
    with pytest.raises(ValueError, match="cannot be decoded"):
        list(mpeg4.decode_run(header + bytes(40), [0]))
    with pytest.raises(ValueError, match="ends before frame 0"):
        list(mpeg4.decode_run(b"", [0]))


@pytest.mark.parametrize("offsets", [window(8, 6, "dense"), window(8, 6, "uniform")])
def test_training_items_of_real_ucf101_windows_equal_the_sequential_decode(made, shared, tmp_path, offsets):
    """All windows of 15 that two of its videos have, one with short runs and one that is a single run."""
    config = made.configure(shared / "real", ("ucf101",), before=15, after=11, spacing=7, max_sequences=3)
    build_clip_set(config, "set", tmp_path, tmp_path)
    dataset = ClipDataset(tmp_path, offsets)
    truth = {}
    for index, row in enumerate(dataset.rows):
        assert row.extension == "m4v"
        frames = truth.setdefault(row.video, [])
        frames += [] if frames else sequential(shared / "real" / "UCF-101" / f"{row.video}.avi")
        item = dataset[index]
        for offset, frame in zip((*offsets, 0), (*item["frames"], item["target"]), strict=True):
            expected = frames[row.target + offset].transpose(2, 0, 1) / np.float32(255)
            assert np.array_equal(frame.numpy(), expected)


@pytest.mark.slow
def test_every_real_ucf101_frame_is_kept_to_the_bit(made, shared, tmp_path):
    """Every one that a clip needs, and that is nearly all: of a clip that is dropped none is."""
    config = made.configure(shared / "real", ("ucf101",), before=2, after=2, spacing=5, max_dropped=0.9)
    build_clip_set(config, "set", tmp_path, tmp_path)
    archive, needed = ClipArchive(tmp_path / "frames.zip"), {}
    rows = [row for row in read_manifest(tmp_path / "clips.csv") if row.extension == "m4v"]
    for row in rows:
        numbers = needed.setdefault((row.stored, row.video), set())
        numbers |= {row.number(offset) for offset in (*row.offsets, 0)}
    kept = frames = 0
    for (stored, video), numbers in needed.items():
        truth = sequential(shared / "real" / "UCF-101" / f"{video}.avi")
        for number, pixels in archive.frames(stored, sorted(numbers), "m4v"):
            assert np.array_equal(pixels, truth[number]), (video, number)
        kept, frames = kept + len(numbers), frames + len(truth)
    assert kept > 0.7 * frames
    assert frames > 1000


def test_the_survey_counts_and_judges_by_form():
    key, between, predicted = (b"\x00\x00\x01\xb6" + bytes([kind << 6]) + bytes(20) for kind in (0, 2, 1))

    def survey(packets):
        return mpeg4.survey(packets, 320 * 240)

    assert survey([key, predicted, predicted, key, predicted]) == (5, True)
    assert survey([]) == (0, False)
    for packets in (
        [predicted, key],  # begins in the middle
        [key, between],
        [key, predicted + between],  # two pictures in one packet
        [key, b"\x00\x00\x01\xb6\x40"],  # a picture that is not coded
        [key, b"\x00\x00\x01\xb2XviD" + predicted],
        [key, *[predicted] * 300],
    ):
        assert survey(packets) == (len(packets), False)


def test_numbers_of_a_video_do_not_depend_on_how_it_is_kept(made, raw):
    kept, other = encode(raw / "a.avi", made), encode(raw / "b.avi", made, bf="2")
    assert [VideoFile(path).in_runs for path in (kept, other)] == [True, False]
    assert [list(VideoFile(path).numbers) for path in (kept, other)] == [list(range(40))] * 2
