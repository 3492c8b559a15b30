"""Input and targets as users have them: one clear line, or a counted reason, and never half a set."""

import os
import shutil
import tempfile
import threading
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lift.clips import build
from lift.clips.build import build_clip_set
from lift.clips.readers import VideoFile
from lift.clips.sources import SOURCES
from lift.data.stored.images import convert
from lift.data.stored.manifest import read_manifest
from lift.errors import UserError

LISTS = {
    "vimeo90k": "vimeo_septuplet/sep_testlist.txt",
    "vimeo90k_triplet": "vimeo_triplet/tri_testlist.txt",
    "ucf101": "ucfTrainTestlist/testlist01.txt",
    "davis": "DAVIS/ImageSets/2017/val.txt",
    "davis_flavr": "DAVIS/ImageSets/2017/train.txt",
    "snu_film": "SNU-FILM/eval_modes/test-hard.txt",
}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_a_missing_list_is_named_with_the_layout(made, tmp_path, name):
    getattr(made, name)(tmp_path)
    (tmp_path / LISTS[name]).unlink()
    with pytest.raises(UserError) as caught:
        SOURCES[name].videos(tmp_path, "test", 15)
    assert Path(LISTS[name]).name in str(caught.value)
    assert SOURCES[name].layout in str(caught.value)


def test_a_video_of_varying_frame_rate_gives_its_frames_in_the_order_shown(made, tmp_path):
    pictures = [made.picture(seed, (48, 64)) for seed in range(9)]
    times = [0, 1, 2, 5, 6, 11, 12, 30, 31]
    with av.open(str(tmp_path / "v.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25, width=64, height=48, pix_fmt="bgr0")
        stream.codec_context.time_base = Fraction(1, 25)
        for time, pixels in zip(times, pictures, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format="bgr0")
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    reader = VideoFile(tmp_path / "v.mkv")
    assert list(reader.numbers) == list(range(9))
    for number, frame in reader.read([1, 4, 8]):
        assert np.array_equal(convert(frame.frame), pictures[number])


def test_a_stream_without_index_length_or_times_is_counted_and_read(made, tmp_path):
    """A bare MPEG-4 stream: nothing in it can be sought, and no header says how long it is."""
    made.avi(tmp_path / "v.avi", 14)
    with av.open(str(tmp_path / "v.avi")) as source, av.open(str(tmp_path / "v.m4v"), "w") as bare:
        truth = [convert(frame) for frame in source.decode(video=0)]
        source.seek(0)
        stream = bare.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                bare.mux(packet)
    reader = VideoFile(tmp_path / "v.m4v")
    assert list(reader.numbers) == list(range(14))
    assert all(
        np.array_equal(convert(frame.frame), truth[number]) for number, frame in reader.read([0, 7, 13])
    )


def test_names_with_spaces_and_letters_of_any_language_in_every_kind_of_source(made, tmp_path):
    raw = tmp_path / "zażółć gęślą 視頻"
    made.avi(raw / "wycieczka nad jezioro é.mp4", 8)
    for i in range(3):
        made.save(raw / "日本 1" / f"klatka {i}.png", made.picture(i))
    for i in range(12):
        made.save(raw / f"other {i}" / "1.png", made.picture(i))
    config = made.configure(raw, ("folder",), "train", share=0.0)
    build_clip_set(config, "set", raw, tmp_path / "out")
    assert {row.video for row in read_manifest(tmp_path / "out" / "clips.csv")} <= {
        "wycieczka nad jezioro é.mp4",
        "日本 1",
    }


@pytest.fixture
def old_set(made, tmp_path):
    """Build a set, and give its configuration, its folder and its bytes."""
    made.davis(tmp_path / "raw")
    config, out = made.configure(tmp_path / "raw", ("davis",)), tmp_path / "out"
    build_clip_set(config, "set", tmp_path, out)
    return config, out, (out / "frames.zip").read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_said_and_the_old_set_stays(old_set, monkeypatch, tmp_path):
    config, out, before = old_set
    made = []

    def onto_a_full_disk(prefix, dir):
        name = Path(dir) / f"{prefix}{len(made)}"
        name.symlink_to("/dev/full")  # every write fails with "no space left on device"
        made.append(name)
        return os.open(os.devnull, os.O_RDONLY), str(name)

    monkeypatch.setattr(tempfile, "mkstemp", onto_a_full_disk)
    with pytest.raises(UserError, match=r"frames\.zip: no space left on the disk"):
        build_clip_set(config, "set", tmp_path, out)
    assert made
    assert (out / "frames.zip").read_bytes() == before
    assert len(list(out.iterdir())) == 4


def test_the_threads_have_ended_before_an_interruption_goes_on(made, monkeypatch, tmp_path):
    """What is queued is not computed first: the traceback must not keep what cuts alive."""
    made.davis(tmp_path / "raw")
    before = set(threading.enumerate())

    def interrupted(path, entries):
        next(iter(entries))
        assert set(threading.enumerate()) > before
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "write_archive", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        build_clip_set(made.configure(tmp_path / "raw", ("davis",)), "set", tmp_path, tmp_path / "out")
    assert caught.tb is not None
    assert set(threading.enumerate()) <= before


@pytest.fixture
def nobody():
    """Give a folder that all can read, and become nobody if the superuser runs the tests."""
    folder = Path(tempfile.mkdtemp(prefix="lift-read-only-"))
    folder.chmod(0o755)
    user = os.geteuid()

    def lock():
        (folder / "out").chmod(0o555)
        if user == 0:
            os.seteuid(65534)

    yield folder, lock
    os.seteuid(user)
    (folder / "out").chmod(0o755)
    shutil.rmtree(folder)


def test_a_read_only_target_is_said_and_the_old_set_stays(made, nobody):
    folder, lock = nobody
    made.davis(folder / "raw")
    config, out = made.configure(folder / "raw", ("davis",)), folder / "out"
    build_clip_set(config, "set", folder, out)
    before = (out / "frames.zip").read_bytes()
    lock()
    with pytest.raises(UserError, match=r"frames\.zip: cannot be written"):
        build_clip_set(config, "set", folder, out)
    assert (out / "frames.zip").read_bytes() == before
    assert len(list(out.iterdir())) == 4
