"""Footage in the official layouts: names, lists, decodable frames, reproducible bytes."""

import hashlib
import re
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from lift.config import Render
from lift.errors import UserError
from lift.scenes import KINDS, layouts, make
from lift.scenes.footage import encode
from lift.scenes.layouts import LAYOUTS, SNU_GAPS
from lift.seeds import derive

Array = NDArray[Any]
SIZE, SPEED, SEED = (32, 48), (0.5, 2.0), 7
RENDERS = {
    "vimeo90k": Render(train=3, test=2, frames=7, size=SIZE, speed=SPEED, centres=None, camera=None),
    "ucf101": Render(train=12, test=11, frames=5, size=SIZE, speed=SPEED, centres=None, camera=None),
    "davis": Render(train=1, test=6, frames=4, size=SIZE, speed=SPEED, centres=None, camera=None),
    "snu_film": Render(train=0, test=2, frames=41, size=SIZE, speed=SPEED, centres=10, camera=None),
    "scenes": Render(train=0, test=5, frames=6, size=SIZE, speed=SPEED, centres=None, camera=None),
}


def write(source: str, folder: Path, **options: int) -> Path:
    layouts.write(source, folder / source, RENDERS[source], SEED, target=2, **options)
    return folder / source


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines()


def digest(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return hashlib.sha256(
        b"".join(str(path.relative_to(folder)).encode() + path.read_bytes() for path in files)
    ).hexdigest()


def read(path: Path) -> Array:
    return np.asarray(np.asarray(cv2.imread(str(path)))[..., ::-1])


def psnr(a: Array, b: Array) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


@pytest.mark.parametrize("source", LAYOUTS)
def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path: Path, source: str) -> None:
    one, three = write(source, tmp_path / "one", workers=1), write(source, tmp_path / "three", workers=3)
    assert digest(one) == digest(three)


def test_a_new_writing_replaces_the_old_as_a_whole(tmp_path: Path) -> None:
    root = write("davis", tmp_path)
    before = digest(root)
    (root / "stray").write_text("left over")
    (tmp_path / ".davis.partial").mkdir()
    assert digest(write("davis", tmp_path)) == before
    assert [path.name for path in tmp_path.iterdir()] == ["davis"]


def test_a_failed_writing_leaves_the_old_one(tmp_path: Path) -> None:
    root = write("snu_film", tmp_path)
    before = digest(root)
    short = Render(train=0, test=1, frames=16, size=SIZE, speed=SPEED, centres=None, camera=None)
    with pytest.raises(UserError, match=r"snu_film\.render\.frames: 16"):
        layouts.write("snu_film", root, short, SEED, target=2)
    assert digest(root) == before


def test_vimeo_has_seven_lossless_frames_per_listed_sequence(tmp_path: Path) -> None:
    root = write("vimeo90k", tmp_path) / "vimeo_septuplet"
    train, test = lines(root / "sep_trainlist.txt"), lines(root / "sep_testlist.txt")
    assert train == ["00001/0001", "00002/0001", "00003/0001"]
    assert test == ["00004/0001", "00005/0001"]
    for name in train + test:
        folder = root / "sequences" / name
        assert sorted(p.name for p in folder.iterdir()) == [f"im{i}.png" for i in range(1, 8)]
    scene = make(derive(SEED, "vimeo90k", "train", 1), KINDS[1], SIZE, SPEED)
    assert np.array_equal(read(root / "sequences" / train[1] / "im3.png"), scene.render(2))


def test_ucf101_lists_classes_groups_and_videos_officially(tmp_path: Path) -> None:
    root = write("ucf101", tmp_path)
    lists = root / "ucfTrainTestlist"
    classes = dict(line.split()[::-1] for line in lines(lists / "classInd.txt"))
    assert list(classes) == ["Plain", "Occlusion", "FastMotion", "Repetition", "Lighting"]
    train, test = lines(lists / "trainlist01.txt"), lines(lists / "testlist01.txt")
    assert len(train) == 12
    assert len(test) == 11
    for line in train:
        name, label = line.split()
        assert classes[name.split("/")[0]] == label
    pattern = re.compile(r"(\w+)/v_\1_g(\d\d)_c\d\d\.avi")
    groups = [{pattern.sub(r"\2", line.split()[0]) for line in part} for part in (train, test)]
    assert groups == [{"08", "09", "10"}, {"01", "02", "03"}]
    names = {line.split()[0] for line in train + test}
    assert names == {str(p.relative_to(root / "UCF-101")) for p in root.rglob("*.avi")}


def test_ucf101_videos_decode_to_the_scene(tmp_path: Path) -> None:
    path = write("ucf101", tmp_path) / "UCF-101" / "Occlusion" / "v_Occlusion_g01_c01.avi"
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert stream.codec_context.name == "mpeg4"
        assert stream.average_rate == 25
    scene = make(derive(SEED, "ucf101", "test", 1), "occlusion", SIZE, SPEED)
    assert len(frames) == 5
    assert min(psnr(frame, scene.render(t)) for t, frame in enumerate(frames)) > 30


def test_davis_sequences_are_listed_and_numbered_from_zero(tmp_path: Path) -> None:
    root = write("davis", tmp_path) / "DAVIS"
    train, val = (lines(root / "ImageSets" / "2017" / f"{part}.txt") for part in ("train", "val"))
    folders = root / "JPEGImages" / "480p"
    assert sorted(train + val) == sorted(p.name for p in folders.iterdir())
    assert len(val) == 6
    assert val[2].startswith("fast-motion-")
    for name in train + val:
        assert sorted(p.name for p in (folders / name).iterdir()) == [f"{i:05d}.jpg" for i in range(4)]
    scene = make(derive(SEED, "davis", "test", 0), "plain", SIZE, SPEED)
    assert psnr(read(folders / val[0] / "00003.jpg"), scene.render(3)) > 30


def test_snu_film_lists_share_their_centres_and_name_existing_frames(tmp_path: Path) -> None:
    root = write("snu_film", tmp_path)
    centres = []
    for level, gap in SNU_GAPS.items():
        triplets = [line.split() for line in lines(root / "SNU-FILM" / "eval_modes" / f"test-{level}.txt")]
        for triplet in triplets:
            assert all((root / path.removeprefix("data/")).is_file() for path in triplet)
            before, centre, after = (int(Path(path).stem) for path in triplet)
            assert centre - before == after - centre == gap
        centres.append([triplet[1] for triplet in triplets])
    assert all(other == centres[0] for other in centres)
    assert re.fullmatch(r"data/SNU-FILM/test/GOPRO_test/plain_00/\d{6}\.png", centres[0][0])


def test_scenes_keep_the_truth_of_the_missing_frame(tmp_path: Path) -> None:
    root = write("scenes", tmp_path) / "scenes"
    names = lines(root / "list.txt")
    assert names == [f"{kind}_000" for kind in KINDS]
    for i, (name, kind) in enumerate(zip(names, KINDS, strict=True)):
        scene = make(derive(SEED, "scenes", "test", i), kind, SIZE, SPEED)
        with np.load(root / name / "truth.npz") as truth:
            assert truth["number"] == 2
            assert truth["flow"].dtype == np.float32
            assert np.array_equal(truth["flow"][:2], scene.truth(2, 1).flow)
            assert np.array_equal(truth["flow"][2:], scene.truth(2, 3).flow)
            assert np.array_equal(truth["visible"][1], scene.truth(2, 3).visible)
        assert np.array_equal(read(root / name / "000002.png"), scene.render(2))
        assert len(list((root / name).glob("*.png"))) == 6


def test_a_missing_frame_outside_the_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the missing frame 5"):
        layouts.write("scenes", tmp_path / "scenes", RENDERS["scenes"], SEED, target=5)


def test_a_source_whose_layout_nothing_renders_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"sources\.gopro\.render: nothing renders its layout"):
        layouts.write("gopro", tmp_path / "gopro", RENDERS["scenes"], SEED, target=2)
    assert not (tmp_path / "gopro").exists()


def test_png_round_trips_exactly() -> None:
    frame = make(0, "plain", SIZE, SPEED).render(0)
    decoded = np.asarray(cv2.imdecode(np.frombuffer(encode(frame, ".png"), np.uint8), cv2.IMREAD_COLOR))
    assert np.array_equal(decoded[..., ::-1], frame)
