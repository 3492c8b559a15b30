"""The data sets beyond those of the specification's five benchmarks."""

import dataclasses

import pytest

from lift.clips.build import build_clip_set
from lift.clips.sources import SOURCES, Source
from lift.data.dataset import ClipDataset
from lift.data.stored.archive import ClipArchive
from lift.data.stored.manifest import read_manifest
from lift.errors import UserError


def build(made, folder, source, part="test", **rules):
    config = made.configure(folder / "raw", (source,), part, **rules)
    summary = build_clip_set(config, "set", folder / "raw", folder / part)
    return summary, read_manifest(folder / part / "clips.csv")


def test_official_numbers_are_the_specification_s():
    official = {name: dict(source.official) for name, source in SOURCES.items()}
    assert official["vimeo90k_triplet"] == {"train": 51312, "test": 3782}
    assert official["ucf101_dvf"] == {"test": 379}
    assert official["ucf101_qvi"] == {"test": 100}
    assert official["gopro"] == {"train": 22, "test": 11}
    assert official["cityscapes"] == {"train": 2975, "validation": 500, "test": 1525}
    assert official["x4k1000fps"] == {"train": 4408, "validation": 0, "test": 15}


def test_the_official_triplet_list_has_3782_entries(shared, tmp_path):
    root = tmp_path / "vimeo_triplet"
    (root / "sequences").mkdir(parents=True)
    (root / "tri_testlist.txt").write_bytes((shared / "lists/vimeo90k/tri_testlist.txt").read_bytes() + b"\n")
    source = SOURCES["vimeo90k_triplet"]
    assert len(source.videos(tmp_path, "test", 15)) == source.official["test"]


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_official_gopro_sequences_are_found_by_their_names(shared, tmp_path, part):
    for each in ("train", "test"):
        for line in (shared / f"lists/gopro/GoPro_{each}.txt").read_text().split():
            (tmp_path / each / line.rpartition("/")[2]).mkdir(parents=True)
    assert len(SOURCES["gopro"].videos(tmp_path, part, 15)) == SOURCES["gopro"].official[part]


def test_flavr_s_rule_gives_2849_quintuplets_on_the_90_official_sequences(shared, tmp_path):
    """I[FLAVR#48] counts as many."""
    root, folders = tmp_path / "DAVIS", set()
    for part in ("train", "val"):
        lists = shared / "lists" / "davis2017"
        (root / "ImageSets/2017").mkdir(parents=True, exist_ok=True)
        (root / f"ImageSets/2017/{part}.txt").write_bytes((lists / f"{part}.txt").read_bytes())
        for line in (lists / f"frames_{part}.txt").read_text().splitlines():
            frame = root / line.split()[0].lstrip("/")
            if frame.parent not in folders:
                frame.parent.mkdir(parents=True)
                folders.add(frame.parent)
            frame.touch()
    videos = SOURCES["davis_flavr"].videos(tmp_path, "test", 15)
    assert len(videos) == 90
    assert sum(len(video.targets) for video in videos) == 2849 == SOURCES["davis_flavr"].official["test"]


def test_flavr_s_clips_are_i_i2_i4_i6_around_i3_of_all_sequences(made, tmp_path):
    made.davis(tmp_path / "raw", frames=11)
    _, rows = build(made, tmp_path, "davis_flavr", before=2, after=2)
    assert {row.video for row in rows} == {"bear", "camel", "dog"}
    bear = [row for row in rows if row.video == "bear"]
    inputs = [tuple(row.number(offset) for offset in row.offsets) for row in bear]
    assert [(row.target, taken) for row, taken in zip(bear, inputs, strict=True)] == [
        (3, (0, 2, 4, 6)),
        (5, (2, 4, 6, 8)),
        (7, (4, 6, 8, 10)),
    ]


def test_the_public_subsets_keep_to_their_own_frames(made, tmp_path):
    made.ucf101_dvf(tmp_path / "raw")
    made.ucf101_qvi(tmp_path / "raw", size=(240, 320))
    (_, dvf), archive = build(made, tmp_path, "ucf101_dvf"), ClipArchive(tmp_path / "test" / "frames.zip")
    assert [(row.video, row.target, row.offsets) for row in dvf] == [("1", 1, (-1, 1)), ("11", 1, (-1, 1))]
    assert (archive.frame("ucf101_dvf/1", 1, "png") == made.picture(11)).all()
    _, qvi = build(made, tmp_path, "ucf101_qvi", crop=(224, 224))
    archive = ClipArchive(tmp_path / "test" / "frames.zip")
    assert {row.offsets for row in qvi} == {(-3, -1, 1, 3)}
    assert {(row.height, row.width) for row in qvi} == {(224, 224)}
    whole = made.picture(12, (240, 320))
    assert (archive.frame("ucf101_qvi/1", 3, "png") == whole[8:232, 48:272]).all()


def test_triplets_have_their_neighbours_alone(made, tmp_path):
    made.vimeo90k_triplet(tmp_path / "raw")
    _, rows = build(made, tmp_path, "vimeo90k_triplet")
    assert [(row.video, row.target, row.offsets) for row in rows] == [("00001/0002", 2, (-1, 1))]


def test_x4k_tests_the_middle_of_frames_0_and_32_and_trains_by_scene(made, tmp_path):
    made.x4k1000fps(tmp_path / "raw")
    _, rows = build(made, tmp_path, "x4k1000fps")
    assert [(row.target, row.number(-1), row.number(1)) for row in rows] == [(16, 0, 32)]
    source = SOURCES["x4k1000fps"]
    assert [video.group for video in source.videos(tmp_path / "raw", "train", 15)] == [
        "train/002",
        "train/002",
        "train/003",
    ]
    _, train = build(made, tmp_path, "x4k1000fps", "train", stride=4, max_dropped=1.0)
    assert {row.step for row in train} == {4}
    assert {row.number(offset) for row in train for offset in row.offsets} <= set(range(13))
    _, validation = build(made, tmp_path, "x4k1000fps", "validation")
    assert {row.video for row in validation} == {"validation/Type1/v"}


def test_x4k_archives_unpacked_by_hand_are_found(made, tmp_path):
    root = made.x4k1000fps(tmp_path)
    for part in ("train", "test"):
        (root / part).rename(root / f"encoded_{part}")
    assert len(SOURCES["x4k1000fps"].videos(tmp_path, "train", 15)) == 3
    assert len(SOURCES["x4k1000fps"].videos(tmp_path, "test", 15)) == 1


@pytest.mark.parametrize(("stride", "clips"), [(1, 28), (5, 20)])
def test_a_stride_takes_every_nth_frame(made, tmp_path, stride, clips):
    made.gopro(tmp_path / "raw", frames=30)
    _, rows = build(made, tmp_path, "gopro", stride=stride)
    assert len(rows) == clips
    for row in rows:
        assert row.step == stride
        assert {row.number(offset) - row.target for offset in row.offsets} == {
            stride * offset for offset in row.offsets
        }
        assert all(47 <= row.number(offset) < 77 for offset in row.offsets)


def test_cityscapes_snippets_are_30_consecutive_frames(made, tmp_path):
    made.cityscapes(tmp_path / "raw", starts=(0, 30, 92))
    source = SOURCES["cityscapes"]
    videos = source.videos(tmp_path / "raw", "train", 15)
    assert [video.name for video in videos] == [f"aachen/aachen_000000_{i:06d}" for i in (0, 30, 92)]
    assert [list(source.open(video).numbers) for video in videos] == [
        list(range(start, start + 30)) for start in (0, 30, 92)
    ]
    for part, city in (("validation", "lindau"), ("test", "bonn")):
        _, rows = build(made, tmp_path, "cityscapes", part, max_clips=1)
        assert {row.video.split("/")[0] for row in rows} == {city}
        assert len(rows) == 3


def test_cityscapes_rule_of_prediction_is_frames_2_and_3_for_4_to_8(made, tmp_path):
    """Protocols section 7: inputs idx 2, 3 of a snippet, targets 4 … 8, at 1024x512 (here smaller)."""
    made.cityscapes(tmp_path / "raw", starts=(0, 30))
    rules = {"before": 4, "after": 4, "spacing": 30, "max_clips": 1, "resize": (16, 32)}
    _, rows = build(made, tmp_path, "cityscapes", "validation", **rules)
    assert [row.target for row in rows] == [4, 34]
    data = ClipDataset(tmp_path / "validation", (-2, -1))
    assert [rows[0].number(int(offset)) for offset in data[0]["offsets"]] == [2, 3]
    assert [rows[0].number(k) for k in range(5)] == [4, 5, 6, 7, 8]
    assert {data.frame(0, k).shape for k in range(5)} == {(3, 16, 32)}


def test_any_folder_gives_videos_and_pictures_in_natural_order(made, tmp_path):
    made.folder(tmp_path / "raw")
    source = SOURCES["folder"]
    videos = {video.name: video for video in source.videos(tmp_path / "raw", "test", 15)}
    assert sorted(videos) == ["test/my clip.mp4", "test/trip/day 1"]
    reader = source.open(videos["test/trip/day 1"])
    assert [path.name for _, path in reader.read(reader.numbers)] == [f"frame{i}.jpg" for i in (9, 10, 11)]
    _, rows = build(made, tmp_path, "folder")
    assert {row.video for row in rows} == set(videos)


def test_no_clip_spans_pictures_that_are_missing_and_hidden_files_are_none(made, tmp_path):
    for i in (1, 2, 3, 7, 8):
        made.save(tmp_path / "raw/test/gaps" / f"frame_{i:04d}.png", made.picture(i))
        (tmp_path / "raw/test/gaps" / f"._frame_{i:04d}.png").write_bytes(b"\0\5\x16\7" + bytes(80))
        hidden = tmp_path / "raw/test/__MACOSX" / f"._{i}.png"
        hidden.parent.mkdir(exist_ok=True)
        hidden.write_bytes(b"\0\5\x16\7" + bytes(80))
        made.save(tmp_path / "raw/test/.Trash" / f"{i}.png", made.picture(i))
    (tmp_path / "raw/train").mkdir()
    source = SOURCES["folder"]
    (video,) = source.videos(tmp_path / "raw", "test", 15)
    assert list(source.open(video).numbers) == [0, 1, 2, 6, 7]
    _, rows = build(made, tmp_path, "folder", before=1, after=1, spacing=1)
    assert [row.target for row in rows] == [1]


def test_a_folder_without_parts_is_split_by_its_entries_names(made, tmp_path):
    for i in range(20):
        made.avi(tmp_path / f"recording {i}" / "a.mp4", 2)
        made.avi(tmp_path / f"recording {i}" / "b.mp4", 2)
    parts = {part: SOURCES["folder"].videos(tmp_path, part, 15) for part in ("train", "test")}
    groups = {part: {video.group for video in videos} for part, videos in parts.items()}
    assert {part: len(videos) for part, videos in parts.items()} == {"train": 36, "test": 4}
    assert not groups["train"] & groups["test"]


def test_every_source_says_how_it_is_had_and_under_which_licence():
    words = ("licence", "research", "cc by", "procedural", "non-commercial")
    kinds = {type(source) for source in SOURCES.values()}
    for kind in kinds:
        assert kind.layout
        # A class that stands for no source itself may say it for those that are made of it.
        own = [kind] if kind.__base__ in kinds | {Source} else [kind, kind.__base__]
        assert any(word in (each.__doc__ or "").lower() for each in own for word in words), kind


def two_sets(made, folder, trained, tested, part="train"):
    """Give parameters with a training set of one source and a test set of another, both in `folder`."""
    config = made.configure(folder, (trained,), part)
    test = dataclasses.replace(config.clips.sets["set"], sources=(tested,), part="test")
    return dataclasses.replace(
        config, clips=dataclasses.replace(config.clips, sets={"set": config.clips.sets["set"], "test": test})
    )


@pytest.mark.parametrize("name", ["set", "test"])
@pytest.mark.parametrize("part", ["train", "validation"])
def test_training_on_davis_and_testing_by_flavr_s_rule_is_refused_from_both_sides(made, tmp_path, name, part):
    made.davis(tmp_path / "raw", train=("bear", "boat", "bus"))
    config = two_sets(made, tmp_path / "raw", "davis", "davis_flavr", part)
    with pytest.raises(UserError, match=r"FLAVR's rule tests on b\w+, and DAVIS 2017 gives it for training"):
        build_clip_set(config, name, tmp_path / "raw", tmp_path / "out")


def test_triplets_and_septuplets_of_the_same_videos_are_not_mixed(made, tmp_path):
    made.vimeo90k(tmp_path / "raw")
    made.vimeo90k_triplet(tmp_path / "raw")
    config = two_sets(made, tmp_path / "raw", "vimeo90k_triplet", "vimeo90k")
    with pytest.raises(UserError, match="septuplet tests on 00001, and Vimeo-90K triplet gives it"):
        build_clip_set(config, "set", tmp_path / "raw", tmp_path / "out")


def test_the_official_parts_of_one_source_train_and_test(made, tmp_path):
    made.davis(tmp_path / "raw")
    config = two_sets(made, tmp_path / "raw", "davis", "davis")
    for name in ("set", "test"):
        assert build_clip_set(config, name, tmp_path / "raw", tmp_path / name)["clips"]
