import pytest

from lift.clips.sources import SOURCES
from lift.clips.sources.base import held_out, read_list
from lift.clips.sources.official import DIFFICULTIES
from lift.data.stored.images import Unreadable
from lift.errors import UserError

OFFICIAL = {
    "vimeo90k": {"vimeo_septuplet/sep_testlist.txt": "vimeo90k/sep_testlist.txt"},
    "ucf101": {
        f"ucfTrainTestlist/{name}": f"ucf101/{name}" for name in ("trainlist01.txt", "testlist01.txt")
    },
    "davis": {f"DAVIS/ImageSets/2017/{name}": f"davis2017/{name}" for name in ("train.txt", "val.txt")},
    "snu_film": {f"SNU-FILM/eval_modes/test-{k}.txt": f"snu_film/test-{k}.txt" for k in DIFFICULTIES},
}
FOLDERS = {
    "vimeo90k": "vimeo_septuplet/sequences",
    "ucf101": "UCF-101",
    "davis": "DAVIS/JPEGImages/480p",
    "snu_film": "SNU-FILM/test",
    "vimeo90k_triplet": "vimeo_triplet/sequences",
    "ucf101_dvf": "ucf101_interp_ours",
    "ucf101_qvi": "ucf101_extracted",
    "davis_flavr": "DAVIS/JPEGImages/480p",
    "x4k1000fps": "X4K1000FPS",
    "gopro": "GOPRO_Large_all",
    "cityscapes": "leftImg8bit_sequence",
}
NAMED = sorted(set(SOURCES) - {"folder"})  # a user's folder has no layout to be found by


@pytest.fixture
def official(shared, tmp_path):
    """Make a folder that holds a data set's official lists and no footage."""

    def make(name):
        (tmp_path / FOLDERS[name]).mkdir(parents=True)
        for place, origin in OFFICIAL[name].items():
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_bytes((shared / "lists" / origin).read_bytes())
        return tmp_path

    return make


# The official training list of Vimeo-90K is not among ../shared/lists.
@pytest.mark.parametrize(
    ("name", "part"),
    [("vimeo90k", "test"), ("ucf101", "train"), ("ucf101", "test"), ("davis", "train"), ("davis", "test")],
)
def test_official_lists_have_the_official_number_of_videos(official, name, part):
    source = SOURCES[name]
    videos = source.videos(official(name), part, 15)
    assert len(videos) == source.official[part]
    assert len({video.name for video in videos}) == len(videos)


def test_official_numbers_are_the_specification_s():
    assert SOURCES["vimeo90k"].official == {"train": 64612, "test": 7824}
    assert SOURCES["ucf101"].official == {"train": 9537, "test": 3783}
    assert SOURCES["davis"].official == {"train": 60, "test": 30}
    assert SOURCES["snu_film"].official == {"test": 4 * 310}


@pytest.mark.parametrize("name", ["ucf101", "davis"])
def test_official_parts_share_no_recording(official, name):
    folder = official(name)
    groups = [{video.group for video in SOURCES[name].videos(folder, part, 15)} for part in ("train", "test")]
    assert not groups[0] & groups[1]


def test_ucf101_has_25_groups_of_each_of_101_actions(official):
    folder = official("ucf101")
    groups = {
        video.group for part in ("train", "test") for video in SOURCES["ucf101"].videos(folder, part, 15)
    }
    assert len(groups) == 101 * 25


def test_snu_film_has_31_videos_and_310_triplets_of_each_difficulty_around_the_same_centres(official):
    videos = SOURCES["snu_film"].videos(official("snu_film"), "test", 15)
    assert len(videos) == 31
    by_kind = {kind: [] for kind in DIFFICULTIES}
    for video in videos:
        for target in video.targets:
            by_kind[target.kind].append((video.name, target.number))
            assert target.uniform
            assert target.step == 2 ** DIFFICULTIES.index(target.kind)
    assert [len(centres) for centres in by_kind.values()] == [310] * 4
    assert all(centres == by_kind["easy"] for centres in by_kind.values())


@pytest.mark.parametrize("name", NAMED)
def test_a_data_set_is_found_from_above_from_itself_and_nested_twice(made, tmp_path, name):
    source = SOURCES[name]
    getattr(made, name)(tmp_path / "above")
    wanted = [video.name for video in source.videos(tmp_path / "above", "test", 15)]
    assert wanted
    inner = tmp_path / "above" / FOLDERS.get(name, "scenes").split("/")[0]
    assert [video.name for video in source.videos(inner, "test", 15)] == wanted
    (tmp_path / "nested").mkdir()
    (tmp_path / "above").rename(tmp_path / "nested" / inner.name)
    assert [video.name for video in source.videos(tmp_path / "nested", "test", 15)] == wanted


@pytest.mark.parametrize("name", NAMED)
def test_a_folder_that_is_another_data_set_is_refused_with_what_is_missing_and_the_layout(
    made, tmp_path, name
):
    made.vimeo90k(tmp_path) if name.startswith("davis") else made.davis(tmp_path)
    with pytest.raises(UserError) as caught:
        SOURCES[name].videos(tmp_path, "test", 15)
    message = str(caught.value)
    assert str(tmp_path) in message
    assert SOURCES[name].layout in message
    assert "\n" not in message


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_video_that_is_not_there_is_missing(made, tmp_path, name):
    getattr(made, name)(tmp_path)
    video = SOURCES[name].videos(tmp_path, "test", 15)[0]
    for path in sorted([video.path, *video.path.rglob("*")], reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    with pytest.raises(Unreadable) as caught:
        SOURCES[name].open(video)
    assert caught.value.reason == "missing"


def test_frames_are_numbered_as_their_files(made, tmp_path):
    expected = {
        "vimeo90k": range(1, 8),
        "ucf101": range(20),
        "davis": range(12),
        "snu_film": range(1, 41),
        "scenes": range(27),
    }
    for name, numbers in expected.items():
        getattr(made, name)(tmp_path)
        video = SOURCES[name].videos(tmp_path, "test", 15)[0]
        assert list(SOURCES[name].open(video).numbers) == list(numbers)


def test_snu_film_frames_may_be_jpeg(made, tmp_path):
    made.snu_film(tmp_path, extension="jpg")
    reader = SOURCES["snu_film"].open(SOURCES["snu_film"].videos(tmp_path, "test", 15)[0])
    assert len(reader.numbers) == 40


@pytest.mark.parametrize(
    "line", ["a/b/000001.png a/b/000002.png", "a/b/1.png a/b/2.png a/b/4.png", "a b c", "x"]
)
def test_a_broken_snu_film_line_is_refused(made, tmp_path, line):
    root = made.snu_film(tmp_path)
    made.write_list(root / "eval_modes" / "test-hard.txt", [line])
    with pytest.raises(UserError, match=r"test-hard\.txt: .*equal distances"):
        SOURCES["snu_film"].videos(tmp_path, "test", 15)


def test_lists_skip_blank_lines_and_refuse_repeats(tmp_path):
    (tmp_path / "list.txt").write_bytes(b"a\r\n\r\n  \r\nb c\r\n")
    assert read_list(tmp_path / "list.txt") == ["a", "b c"]
    (tmp_path / "list.txt").write_text("a\nb\na\n")
    with pytest.raises(UserError, match=r"list\.txt: names 'a' twice"):
        read_list(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"list\.txt: cannot be read"):
        read_list(tmp_path / "list.txt")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_a_list_may_be_saved_by_a_windows_editor(tmp_path, encoding):
    text = "00001/0001\r\n00001/0002\r\n"
    mark = "\ufeff" if encoding == "utf-16-be" else ""  # Python writes none there
    (tmp_path / "list.txt").write_bytes((mark + text).encode(encoding))
    assert read_list(tmp_path / "list.txt") == ["00001/0001", "00001/0002"]


GROUPS = [f"A_g{i:02d}" for i in range(40)]


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (0.01, 1), (0.1, 4), (0.5, 20)])
def test_the_share_of_groups_is_held_out(share, count):
    assert len(held_out(GROUPS, share, 7, "ucf101")) == count


def test_the_choice_depends_on_seed_and_source_but_not_on_order_or_repeats():
    chosen = held_out(GROUPS, 0.25, 7, "ucf101")
    assert chosen == held_out([*reversed(GROUPS), *GROUPS], 0.25, 7, "ucf101")
    assert chosen != held_out(GROUPS, 0.25, 8, "ucf101")
    assert chosen != held_out(GROUPS, 0.25, 7, "vimeo90k")


def test_something_is_always_left_to_train_on():
    assert held_out(["a"], 0.5, 7, "x") == frozenset()
    assert len(held_out(["a", "b"], 0.5, 7, "x")) == 1
