"""Bad inputs: one clear line each, and nothing half written."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lift.video.__main__ import _time

QUICK = ("--model", "average")


def test_no_such_file(refused, tmp_path):
    assert "no such file" in refused(tmp_path / "no.mp4", *QUICK)


@pytest.mark.parametrize("content", [b"", b"not a video at all" * 100], ids=["empty", "text"])
def test_not_a_video(refused, tmp_path, content):
    (tmp_path / "in.mp4").write_bytes(content)
    assert "not a video that FFmpeg can read" in refused(tmp_path / "in.mp4", *QUICK)


def test_sound_alone(refused, tmp_path):
    with av.open(str(tmp_path / "in.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="stereo")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
    assert "no video in it, only audio" in refused(tmp_path / "in.wav", *QUICK)


def test_no_frame(refused, tmp_path, video):
    with (
        av.open(str(video(tmp_path / "full.mkv"))) as full,
        av.open(str(tmp_path / "in.mkv"), "w") as container,
    ):
        container.add_stream_from_template(full.streams.video[0], opaque=True)
        container.start_encoding()
    assert "no frames in it" in refused(tmp_path / "in.mkv", *QUICK)


def test_one_frame(refused, tmp_path, video):
    assert "one frame only" in refused(video(tmp_path / "in.mkv", count=1), *QUICK)


def test_two_frames_work_and_say_that_there_is_no_context(tool, tmp_path, video, weights_file):
    status, said = tool(video(tmp_path / "in.mkv", count=2), tmp_path / "out.mp4", "--weights", weights_file)
    assert status == 0
    assert "3 frames from 2, 0 cuts; only two frames, so no context beyond them" in said


def test_no_frame_between_start_and_end(refused, tmp_path, video):
    line = refused(video(tmp_path / "in.mkv"), *QUICK, "--start", "5")
    assert "no frame between --start and --end" in line
    assert "expected 0 <= start < end" in refused(tmp_path / "in.mkv", *QUICK, "--start", "2", "--end", "1")


@pytest.mark.parametrize(("suffix", "options"), [(".mkv", {}), (".mp4", {"movflags": "faststart"})])
def test_a_truncated_file_gives_what_can_be_read(tool, tmp_path, video, planes, suffix, options):
    whole = tmp_path / f"whole{suffix}"
    if options:
        plain = video(tmp_path / "plain.mp4", count=60, codec="libx264")
        with av.open(str(plain)) as source, av.open(str(whole), "w", options=options) as out:
            stream = out.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.size:
                    packet.stream = stream
                    out.mux(packet)
    else:
        video(whole, count=60)
    cut = tmp_path / f"in{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    status, said = tool(cut, tmp_path / "out.mp4", *QUICK)
    assert status == 1
    line = said.splitlines()[-1]
    assert "cut off" in line or "damaged" in line
    assert "holds what could be read" in line
    assert 5 <= len(planes(tmp_path / "out.mp4")[1]) < 119


def test_a_file_whose_index_is_cut_off(refused, tmp_path, video):
    whole = video(tmp_path / "whole.mp4", count=30, codec="libx264").read_bytes()
    (tmp_path / "in.mp4").write_bytes(whole[: len(whole) // 2])
    assert "not a video that FFmpeg can read, or cut off" in refused(tmp_path / "in.mp4", *QUICK)


def test_a_size_that_changes_ends_the_video_there(tool, planes, tmp_path, video):
    parts = [
        video(tmp_path / f"{k}.ts", codec="mpeg2video", size=size)
        for k, size in enumerate([(48, 64), (64, 80)])
    ]
    with (tmp_path / "in.ts").open("wb") as joined:
        for part in parts:
            joined.write(part.read_bytes())
    status, said = tool(tmp_path / "in.ts", tmp_path / "out.mp4", *QUICK)
    assert status == 1
    line = said.splitlines()[-1]
    assert "the size changes from 64 x 48 to 80 x 64 pixels at 0.20 s" in line
    assert line.endswith("out.mp4 holds what could be read, up to 0.12 s")  # FFmpeg keeps one picture back
    assert len(planes(tmp_path / "out.mp4")[1]) == 7


def test_pictures_of_two_sizes(refused, tmp_path, picture):
    (tmp_path / "in").mkdir()
    for k, size in enumerate([(48, 64), (48, 66)]):
        cv2.imwrite(str(tmp_path / "in" / f"{k}.png"), picture(0, size))
    assert "66 x 48 pixels, the first picture has 64 x 48" in refused(tmp_path / "in", *QUICK)


def test_a_folder_without_pictures(refused, tmp_path):
    (tmp_path / "in").mkdir()
    assert "no pictures in this folder" in refused(tmp_path / "in", *QUICK)


def test_a_damaged_picture(refused, tmp_path, picture):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "0.png"), picture(0))
    (tmp_path / "in" / "1.png").write_bytes((tmp_path / "in" / "0.png").read_bytes()[:200])
    assert "1.png: damaged" in refused(tmp_path / "in", *QUICK)


def test_an_output_that_cannot_be_written(refused, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    (tmp_path / "file").write_text("x")
    assert "cannot be written" in refused(given, *QUICK, output="file/out.mp4")


def test_an_output_that_exists(refused, tool, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    (tmp_path / "out.mp4").write_text("precious")
    assert "exists already; choose another name or give --force" in refused(given, *QUICK)
    assert (tmp_path / "out.mp4").read_text() == "precious"
    assert tool(given, tmp_path / "out.mp4", *QUICK, "--force")[0] == 0
    assert (tmp_path / "out.mp4").stat().st_size > 100


def test_the_input_as_output(refused, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    assert "the output is the input" in refused(given, *QUICK, "--force", output="in.mkv")


def test_a_folder_of_other_things_is_not_replaced(refused, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    assert "other things in it" in refused(given, *QUICK, "--force", output="out")


def test_a_folder_of_our_pictures_is_replaced_with_force(tool, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    assert tool(given, tmp_path / "out", *QUICK)[0] == 0
    assert tool(given, tmp_path / "out", *QUICK)[0] == 1
    assert tool(given, tmp_path / "out", *QUICK, "--force", "--factor", "4")[0] == 0
    assert len(list((tmp_path / "out").iterdir())) == 17


@pytest.mark.parametrize(
    ("codec", "output", "message"),
    [
        ("h267", "out.mp4", "FFmpeg has no such encoder"),
        ("aac", "out.mp4", "not a video codec but audio"),
        ("ffv1", "out.webm", "does not fit into webm"),
    ],
)
def test_a_codec_that_does_not_do(refused, tmp_path, video, codec, output, message):
    assert message in refused(video(tmp_path / "in.mkv"), *QUICK, "--codec", codec, output=output)


def test_a_suffix_that_is_no_video(refused, tmp_path, video):
    assert "no known kind of video" in refused(video(tmp_path / "in.mkv"), *QUICK, output="out.docx")


@pytest.mark.parametrize("factor", ["0", "-2", "1"])
def test_a_factor_that_is_none(refused, tmp_path, video, factor):
    assert "expected a whole number from 2 on" in refused(
        video(tmp_path / "in.mkv"), *QUICK, "--factor", factor
    )


def test_a_factor_and_a_frame_rate_at_once(tool, tmp_path, video):
    with pytest.raises(SystemExit):
        tool(video(tmp_path / "in.mkv"), tmp_path / "out.mp4", *QUICK, "--factor", "2", "--fps", "60")


@pytest.mark.parametrize("option", ["--fps", "--input-fps"])
def test_a_frame_rate_that_would_fill_the_disk(refused, tmp_path, video, option):
    line = refused(video(tmp_path / "in.mkv"), *QUICK, option, "1e9")
    assert f"{option} 1e+09: expected more than 0 and at most 1000 frames" in line


def test_a_frame_rate_below_the_inputs(refused, tmp_path, video):
    assert "the input has 25 frames per second" in refused(video(tmp_path / "in.mkv"), *QUICK, "--fps", "24")


def test_slow_motion_at_a_fixed_rate(refused, tmp_path, video):
    assert "--slow-motion" in refused(video(tmp_path / "in.mkv"), *QUICK, "--fps", "60", "--slow-motion")


def test_prediction_by_a_model_that_interpolates(refused, tmp_path, video, weights_file):
    for model in (QUICK, ("--weights", weights_file)):
        line = refused(video(tmp_path / "in.mkv"), *model, "--predict", "2")
        assert "cannot predict: it needs a frame on either side" in line


def test_a_negative_number_of_predicted_frames(refused, tmp_path, video):
    line = refused(video(tmp_path / "in.mkv"), "--model", "repeat", "--predict", "-3")
    assert "--predict -3: expected a number of frames from 0 on" in line


def test_prediction_by_repeating(tool, tmp_path, video, planes):
    given = video(tmp_path / "in.mkv")
    assert tool(given, tmp_path / "out.mkv", "--model", "repeat", "--predict", "3")[0] == 0
    assert len(planes(tmp_path / "out.mkv")[1]) == 9 + 3


def test_weights_that_are_none(refused, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    assert "no weights there" in refused(given, "--weights", tmp_path / "no.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"junk" * 10)
    line = refused(given, "--weights", tmp_path / "bad.safetensors")
    assert "bad.safetensors: damaged, or no safetensors file" in line
    assert "dvc repro" not in line
    save_file(
        {"a": torch.zeros(1)}, tmp_path / "other.safetensors", metadata={"config": '{"model": {"name": "x"}}'}
    )
    assert "weights of another version" in refused(given, "--weights", tmp_path / "other.safetensors")


def test_weights_that_are_another_file_are_not_to_be_deleted(refused, tmp_path, video):
    given = video(tmp_path / "in.mkv")
    (tmp_path / "metrics.json").write_text('{"psnr": 30}')
    save_file({"a": torch.zeros(1)}, tmp_path / "number.safetensors", metadata={"config": "5"})
    for name in ("metrics.json", "number.safetensors"):
        line = refused(given, "--weights", tmp_path / name)
        assert f"{name}: " in line
        assert "give a best.safetensors of the pipeline" in line
        assert "delete" not in line
        assert "dvc repro" not in line


def test_weights_of_another_model(refused, tmp_path, video, weights_file):
    line = refused(video(tmp_path / "in.mkv"), "--weights", weights_file, "--model", "ctx3")
    assert "weights of the model lift15 (lift), not of ctx3" in line
    assert "has no weights" in refused(tmp_path / "in.mkv", "--weights", weights_file, "--model", "dis")


def test_an_unknown_model(refused, tmp_path, video):
    assert "did you mean average?" in refused(video(tmp_path / "in.mkv"), "--model", "averige")


def test_a_device_that_is_not_there(refused, tmp_path, video, weights_file):
    given = video(tmp_path / "in.mkv")
    assert "--device cuda:99: not usable" in refused(given, "--weights", weights_file, "--device", "cuda:99")
    assert "--device gpu: not usable" in refused(given, "--weights", weights_file, "--device", "gpu")
    line = refused(given, "--weights", weights_file, "--device", "cpu", "--precision", "16")
    assert "half precision needs a GPU" in line


def test_a_tile_that_is_too_small(refused, tmp_path, video, weights_file):
    for tile in ("10", "many"):
        assert "--tile" in refused(video(tmp_path / "in.mkv"), "--weights", weights_file, "--tile", tile)


def test_a_report_that_cannot_be_written(refused, tmp_path, video):
    given = video(tmp_path / "in.mkv", count=3)
    line = refused(given, *QUICK, "--report", "/proc/report.csv")
    assert "/proc/report.csv" in line


def test_a_report_in_the_place_of_the_input_or_the_output(refused, tmp_path, video, picture):
    given, pictures = video(tmp_path / "in.mkv", count=3), tmp_path / "pictures"
    pictures.mkdir()
    for k in range(3):
        cv2.imwrite(str(pictures / f"{k}.png"), picture(k))
    (tmp_path / "link.mkv").symlink_to(given)
    before = {path: path.read_bytes() for path in (given, *pictures.iterdir())}
    for input_, output, report, word in [
        (given, "out.mp4", given, "the input"),
        (given, "out.mp4", tmp_path / "link.mkv", "the input"),
        (pictures, "out.mp4", pictures / "0.png", "the input"),
        (pictures, "out.mp4", pictures / "new.csv", "the input"),
        (given, "out.mp4", tmp_path / "out.mp4", "the output"),
        (given, "out", tmp_path / "out" / "report.csv", "the output"),
        (given, "made/out.mp4", tmp_path / "made", "the output"),
        (given, "out.mp4", tmp_path, "the input"),
    ]:
        for force in ((), ("--force",)):
            line = refused(input_, *QUICK, "--report", report, *force, output=output)
            assert f"--report {report}: {word}" in line
    assert {path: path.read_bytes() for path in (given, *pictures.iterdir())} == before


def test_a_time_that_is_no_time(tool, tmp_path, video):
    for arguments in (("--start", "soon"), ("--start", "1/0"), ("--fps", "0"), ("--end", "1:2:3:4")):
        with pytest.raises(SystemExit):
            tool(video(tmp_path / "in.mkv"), tmp_path / "out.mp4", *arguments)


def test_times_are_read_as_people_write_them():
    assert [_time(text) for text in ("90", "1:30", "0:01:30.5")] == [90, 90, Fraction(181, 2)]
