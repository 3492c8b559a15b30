import dataclasses
import json
import re
import zipfile

import av
import numpy as np
import pytest

from lift.clips.build import build_clip_set
from lift.data.stored.archive import ClipArchive
from lift.data.stored.images import convert, decode
from lift.data.stored.manifest import read_manifest
from lift.errors import UserError


def build(config, out, **options):
    return build_clip_set(config, "set", out / "raw", out, **options)


def names(out):
    with zipfile.ZipFile(out / "frames.zip") as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    ("source", "counts"),
    [
        ("vimeo90k", {"clips": 1, "videos": 1, "frames": 7}),
        ("ucf101", {"clips": 18, "videos": 1, "frames": 20}),
        ("davis", {"clips": 20, "videos": 2, "frames": 24}),
        ("snu_film", {"clips": 8, "videos": 1}),
        ("scenes", {"clips": 2, "videos": 2, "frames": 54}),
    ],
)
def test_every_official_layout_becomes_a_clip_set(made, tmp_path, source, counts):
    getattr(made, source)(tmp_path / "raw")
    rules = {"before": 15} if source == "scenes" else {}  # where its missing frame stands
    summary = build(made.configure(tmp_path / "raw", (source,), **rules), tmp_path)
    assert {key: summary[key] for key in counts} == counts
    assert summary["dropped"] == {}
    assert summary["procedural"] is False
    assert summary == json.loads((tmp_path / "summary.json").read_text())
    rows, entries, archive = (
        read_manifest(tmp_path / "clips.csv"),
        names(tmp_path),
        ClipArchive(tmp_path / "frames.zip"),
    )
    assert len(rows) == counts["clips"] == len({row.clip for row in rows})
    needed = {(row.stored, row.number(offset)) for row in rows for offset in (*row.offsets, 0)}
    assert len(needed) == summary["frames"]
    if source == "ucf101":  # runs of twelve frames
        assert entries == [f"{rows[0].stored}/{number:06d}.m4v" for number in (0, 12)]
    else:
        assert entries == sorted(f"{video}/{number:06d}.{rows[0].extension}" for video, number in needed)
    for row in rows:
        assert {-1, 1} <= set(row.offsets)
        pair = [archive.frame(row.stored, row.number(o), row.extension).astype(float) for o in (-1, 1)]
        assert pair[0].shape == (row.height, row.width, 3)
        assert row.motion == pytest.approx(np.abs(pair[0] - pair[1]).mean(), abs=1e-4)


@pytest.mark.parametrize("source", ["vimeo90k", "davis", "snu_film"])
def test_pictures_keep_their_original_bytes(made, tmp_path, source):
    root = getattr(made, source)(tmp_path / "raw")
    build(made.configure(tmp_path / "raw", (source,)), tmp_path)
    originals = {path.read_bytes() for path in root.rglob("*.[pj][np]g")}
    with zipfile.ZipFile(tmp_path / "frames.zip") as archive:
        assert all(archive.read(name) in originals for name in archive.namelist())


def test_video_frames_are_stored_without_loss(made, tmp_path):
    made.ucf101(tmp_path / "raw")
    build(made.configure(tmp_path / "raw", ("ucf101",), max_clips=1), tmp_path)
    with av.open(str(tmp_path / "raw" / "UCF-101" / "A" / "v_A_g01_c01.avi")) as container:
        truth = [convert(frame) for frame in container.decode(video=0)]
    archive = ClipArchive(tmp_path / "frames.zip")
    row, *_ = read_manifest(tmp_path / "clips.csv")
    for number in (row.number(offset) for offset in (*row.offsets, 0)):
        assert np.array_equal(archive.frame(row.stored, number, row.extension), truth[number])


@pytest.mark.parametrize("workers", [2, 5])
def test_bytes_do_not_depend_on_the_run_or_the_number_of_workers(made, tmp_path, workers):
    for source in ("vimeo90k", "ucf101", "davis"):
        getattr(made, source)(tmp_path / "raw")
    made.scenes(tmp_path / "raw", before=1)  # as many as the set demands
    config = made.configure(tmp_path / "raw", ("vimeo90k", "ucf101", "scenes", "davis"))
    build(config, tmp_path / "one", workers=1)
    build(config, tmp_path / "two", workers=workers)
    for file in ("frames.zip", "clips.csv", "truth.zip", "summary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_train_validation_and_test_share_no_recording_and_lose_none(made, tmp_path):
    made.ucf101(
        tmp_path / "raw", train=[f"A/v_A_g{g:02d}_c{c:02d}" for g in range(8, 14) for c in (1, 2)], frames=4
    )
    parts = {}
    for part in ("train", "validation", "test"):
        build(made.configure(tmp_path / "raw", ("ucf101",), part), tmp_path / part)
        parts[part] = {row.video.rpartition("_")[0] for row in read_manifest(tmp_path / part / "clips.csv")}
    assert len(parts["validation"]) == 2
    assert len(parts["train"]) == 4
    assert not parts["train"] & parts["validation"]
    assert not (parts["train"] | parts["validation"]) & parts["test"]
    build(made.configure(tmp_path / "raw", ("ucf101",), "validation", seed=8), tmp_path / "other")
    assert (tmp_path / "other" / "clips.csv").read_bytes() != (
        tmp_path / "validation" / "clips.csv"
    ).read_bytes()


@pytest.mark.parametrize("shared", ["A/v_A_g08_c01", "A/v_A_g08_c07"])
def test_a_recording_in_the_training_and_the_test_list_is_refused(made, tmp_path, shared):
    made.ucf101(tmp_path / "raw", test=("A/v_A_g01_c01", shared), frames=4)
    with pytest.raises(UserError, match="training and in the test list"):
        build(made.configure(tmp_path / "raw", ("ucf101",)), tmp_path)


def test_snu_film_keeps_every_line_and_masks_what_its_video_lacks(made, tmp_path):
    made.snu_film(tmp_path / "raw", frames=40, centres=(9, 20, 32))
    build(made.configure(tmp_path / "raw", ("snu_film",)), tmp_path)
    rows = read_manifest(tmp_path / "clips.csv")
    assert {
        kind: sum(row.kind == kind for row in rows) for kind in ("easy", "medium", "hard", "extreme")
    } == dict.fromkeys(("easy", "medium", "hard", "extreme"), 3)
    by_clip = {row.clip: row for row in rows}
    assert by_clip["snu_film/GOPRO_test/one@9#extreme"].offsets == (-1, 1, 3)
    assert by_clip["snu_film/GOPRO_test/one@20#medium"].offsets == (-9, -7, -5, -3, -1, 1, 3, 5, 7, 9)
    for row in rows:
        gap = set(range(row.target - row.step + 1, row.target + row.step))
        assert not {row.number(offset) for offset in row.offsets} & gap


def test_sets_are_limited_evenly_and_resized(made, tmp_path):
    made.davis(tmp_path / "raw", test=[f"v{i}" for i in range(6)])
    summary = build(
        made.configure(tmp_path / "raw", ("davis",), max_sequences=3, max_clips=2, resize=(12, 16)), tmp_path
    )
    rows = read_manifest(tmp_path / "clips.csv")
    assert [row.video for row in rows] == ["v1", "v1", "v3", "v3", "v5", "v5"]
    assert summary["sources"] == {"davis": {"listed": 3, "official": 30}}
    assert {(row.height, row.width, row.extension) for row in rows} == {(12, 16, "png")}
    with zipfile.ZipFile(tmp_path / "frames.zip") as archive:
        assert {decode(archive.read(name)).shape for name in archive.namelist()} == {(12, 16, 3)}


def test_names_may_have_spaces_and_letters_of_any_language(made, tmp_path):
    made.davis(tmp_path / "raw żółw", test=("Łódź nocą, 2",))
    build(made.configure(tmp_path / "raw żółw", ("davis",), max_clips=1), tmp_path)
    row = read_manifest(tmp_path / "clips.csv")[0]
    assert row.video == "Łódź nocą, 2"
    assert ClipArchive(tmp_path / "frames.zip").frame(row.stored, row.target, "jpg").shape == (24, 32, 3)


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "page": lambda data: b"<html>",
}


@pytest.mark.parametrize("damage", sorted(DAMAGE))
@pytest.mark.parametrize("source", ["vimeo90k", "davis"])
def test_a_damaged_picture_is_named_and_its_clips_are_dropped_and_counted(
    made, tmp_path, capsys, source, damage
):
    if source == "vimeo90k":
        root = made.vimeo90k(tmp_path / "raw", test=("00001/0002", "00001/0003"))
        path, absent, kept = root / "sequences/00001/0002/im6.png", {}, 1
    else:
        root = made.davis(tmp_path / "raw")
        path, absent, kept = root / "JPEGImages/480p/dog/00011.jpg", {"unreadable": 5}, 11
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    config = made.configure(tmp_path / "raw", (source,), max_dropped=0.5, before=3, after=3)
    summary = build(config, tmp_path)
    assert (summary["dropped"], summary["absent"]) == ({"unreadable": 1}, absent)
    assert summary["clips"] == kept == len(read_manifest(tmp_path / "clips.csv"))
    warnings = [line for line in capsys.readouterr().err.splitlines() if line.startswith("warning:")]
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert not any("/0002/" in name or "dog/000011" in name for name in names(tmp_path))


def test_a_truncated_video_keeps_the_clips_before_the_cut(made, tmp_path, capsys):
    made.ucf101(tmp_path / "raw", test=("A/v_A_g01_c01", "A/v_A_g02_c01"), frames=60)
    path = tmp_path / "raw/UCF-101/A/v_A_g02_c01.avi"
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"movi") + (len(data) - data.index(b"movi")) * 3 // 4])
    summary = build(made.configure(tmp_path / "raw", ("ucf101",), max_dropped=0.9), tmp_path)
    rows = read_manifest(tmp_path / "clips.csv")
    # What is left of the frame at the break is a picture of nothing, which may count as a cut.
    assert set(summary["dropped"]) <= {"unreadable", "cut"}
    assert summary["clips"] + sum(summary["dropped"].values()) == 2 * 58
    assert 0 < sum(row.video.endswith("g02_c01") for row in rows) < 58
    assert len(re.findall(r"warning: .*g02_c01\.avi: ", capsys.readouterr().err)) == 1


def test_a_listed_video_or_frame_that_is_absent_is_counted_as_missing(made, tmp_path):
    root = made.vimeo90k(tmp_path / "raw", test=[f"00001/000{i}" for i in range(2, 6)])
    (root / "sequences/00001/0003/im5.png").unlink()
    for path in (root / "sequences/00001/0004").iterdir():
        path.unlink()
    (root / "sequences/00001/0004").rmdir()
    summary = build(made.configure(tmp_path / "raw", max_dropped=0.5, before=3, after=3), tmp_path)
    assert (summary["clips"], summary["dropped"]) == (2, {"missing": 2})


def test_frames_of_two_sizes_in_one_sequence_drop_its_clips(made, tmp_path):
    root = made.davis(tmp_path / "raw")
    made.save(root / "JPEGImages/480p/dog/00005.jpg", made.picture(0, (48, 64)))
    summary = build(made.configure(tmp_path / "raw", ("davis",), max_dropped=0.6), tmp_path)
    assert (summary["clips"], summary["dropped"]) == (17, {"mixed_sizes": 3})
    assert summary["absent"] == {"mixed_sizes": 7}
    rows = [row for row in read_manifest(tmp_path / "clips.csv") if row.video == "dog"]
    assert not any(row.number(offset) == 5 for row in rows for offset in row.offsets)


def test_short_videos_are_counted_and_no_reason_to_fail(made, tmp_path):
    root = made.davis(tmp_path / "raw")
    for i in range(4, 12):
        (root / f"JPEGImages/480p/dog/{i:05d}.jpg").unlink()
    summary = build(made.configure(tmp_path / "raw", ("davis",), before=3, after=3), tmp_path)
    assert (summary["clips"], summary["dropped"]) == (6, {"too_short": 1})
    with pytest.raises(UserError, match=r"every video is too short .*before and after"):
        build(made.configure(tmp_path / "raw", ("davis",), before=9, after=9), tmp_path)


def test_too_many_lost_clips_fail_with_the_first_files_and_leave_the_old_set(made, tmp_path):
    root = made.davis(tmp_path / "raw")
    config = made.configure(tmp_path / "raw", ("davis",), max_dropped=0.1)
    build(config, tmp_path / "out")
    before = (tmp_path / "out" / "frames.zip").read_bytes()
    path = root / "JPEGImages/480p/dog/00006.jpg"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(
        UserError, match=r"3 of 20 clips are unusable.*max_dropped: 0\.1.*dog/00006\.jpg: truncated"
    ):
        build(config, tmp_path / "out")
    assert (tmp_path / "out" / "frames.zip").read_bytes() == before
    assert len(list((tmp_path / "out").iterdir())) == 4


def test_a_folder_without_the_listed_videos_is_refused(made, tmp_path):
    root = made.davis(tmp_path / "raw")
    (root / "JPEGImages/480p/dog").rename(root / "JPEGImages/480p/cat")
    (root / "JPEGImages/480p/camel").rename(root / "JPEGImages/480p/cow")
    with pytest.raises(UserError, match=r"not one of the 2 videos.*camel.*expected DAVIS/"):
        build(made.configure(tmp_path / "raw", ("davis",)), tmp_path)


def test_an_empty_list_is_refused(made, tmp_path):
    made.davis(tmp_path / "raw", test=())
    with pytest.raises(UserError, match=r"DAVIS 2017: the test list gives no video.*layout: DAVIS/"):
        build(made.configure(tmp_path / "raw", ("davis",)), tmp_path)


def test_a_source_without_the_part_is_refused(made, tmp_path):
    made.snu_film(tmp_path / "raw")
    with pytest.raises(UserError, match="SNU-FILM has no official train list"):
        build(made.configure(tmp_path / "raw", ("snu_film",), "train"), tmp_path)


def test_all_parts_of_a_source_that_nothing_learns_from_make_one_set(made, tmp_path):
    made.davis(tmp_path / "raw", train=("bear",), test=("camel",), frames=12)
    summary = build(made.configure(tmp_path / "raw", ("davis",), "all"), tmp_path / "all")
    assert {row.video for row in read_manifest(tmp_path / "all" / "clips.csv")} == {"bear", "camel"}
    assert summary["sources"]["davis"] == {"listed": 2, "official": 60 + 30}


def test_a_missing_folder_is_named_with_its_key(made, tmp_path):
    config = made.configure(tmp_path / "nowhere", ("davis",))
    with pytest.raises(
        UserError,
        match=r"nowhere: no such folder \(DAVIS 2017\); correct profiles\.demo\.sources\.davis\.path",
    ):
        build(config, tmp_path)
    local = dataclasses.replace(config.sources["davis"], path=None)
    config = dataclasses.replace(config, sources={**config.sources, "davis": local})
    with pytest.raises(UserError, match=r"raw/davis: no such folder .*dvc repro download"):
        build(config, tmp_path)
