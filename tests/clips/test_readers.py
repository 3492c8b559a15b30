import av
import numpy as np
import pytest

from lift.clips.readers import Pictures, VideoFile
from lift.data.stored.images import Unreadable, convert


def sequential(path):
    with av.open(str(path)) as container:
        return [convert(frame) for frame in container.decode(video=0)]


def test_a_window_of_a_video_equals_its_sequential_decode_frame_by_frame(made, tmp_path):
    made.avi(tmp_path / "v.avi", 20)
    reader, truth = VideoFile(tmp_path / "v.avi"), sequential(tmp_path / "v.avi")
    assert list(reader.numbers) == list(range(20))
    window = [3, 4, 7, 8, 9, 19]
    got = list(reader.read(window))
    assert [number for number, _ in got] == window
    assert all(np.array_equal(convert(frame.frame), truth[number]) for number, frame in got)


def test_a_15_frame_ucf101_window_equals_its_sequential_decode(shared):
    path = sorted((shared / "real" / "UCF-101").rglob("*.avi"))[0]
    truth = sequential(path)
    reader = VideoFile(path)
    assert len(reader.numbers) == len(truth)
    window = list(range(60, 75))
    got = dict(reader.read(window))
    assert list(got) == window
    assert all(np.array_equal(convert(got[number].frame), truth[number]) for number in window)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.75])
def test_a_truncated_video_gives_its_first_frames_and_names_itself_for_the_rest(made, tmp_path, share):
    path = tmp_path / "v.avi"
    made.avi(path, 30)
    truth, data = sequential(path), path.read_bytes()
    start = data.index(b"movi")
    path.write_bytes(data[: start + int((len(data) - start) * share)])
    got = dict(VideoFile(path).read(range(30)))
    assert list(got) == list(range(30))
    lost = [number for number, frame in got.items() if isinstance(frame, Unreadable)]
    assert 0 < len(lost) < 30
    assert lost == list(range(lost[0], 30))
    assert all(np.array_equal(convert(got[number].frame), truth[number]) for number in range(lost[0]))
    assert str(path) in str(got[29])


@pytest.mark.parametrize("data", [b"", b"<html>", b"RIFF\x00\x00\x00\x00AVI "])
def test_what_is_no_video_says_so(tmp_path, data):
    path = tmp_path / "v.avi"
    path.write_bytes(data)
    with pytest.raises(Unreadable, match=r"v\.avi.*video"):
        VideoFile(path)


def test_what_is_absent_counts_as_missing(tmp_path):
    for absent in (
        lambda: VideoFile(tmp_path / "v.avi"),
        lambda: Pictures.in_folder(tmp_path / "v", "x"),
    ):
        with pytest.raises(Unreadable) as caught:
            absent()
        assert caught.value.reason == "missing"


def test_pictures_are_numbered_by_name_and_other_files_are_none(tmp_path):
    for name in ("im10.png", "im2.png", "im1.png", "im3.jpg", "notes.txt", ".im4.png"):
        (tmp_path / name).touch()
    reader = Pictures.in_folder(tmp_path, r"im(\d+)\.png")
    assert reader.numbers == (1, 2, 10)
    assert list(reader.read([2, 10])) == [(2, tmp_path / "im2.png"), (10, tmp_path / "im10.png")]
