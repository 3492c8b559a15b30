import multiprocessing

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from lift.clips.build import build_clip_set
from lift.config import Augment, window
from lift.data.dataset import ClipDataset
from lift.data.stored.archive import ClipArchive
from lift.errors import UserError

DENSE, UNIFORM = window(8, 6, "dense"), window(8, 6, "uniform")
AUGMENT = Augment(
    flip_horizontal=0.5,
    flip_vertical=0.5,
    rotate=0.5,
    reverse_time=0.5,
    reverse_channels=0.5,
    colour=0.5,
    jitter=0.1,
)
REVERSED = Augment(
    flip_horizontal=0, flip_vertical=0, rotate=0, reverse_time=1, reverse_channels=0, colour=0, jitter=0
)


@pytest.fixture
def folder(made, tmp_path):
    """Give a clip set with short and long, dense and uniform, small and larger clips."""
    for source in ("vimeo90k", "davis", "snu_film"):
        getattr(made, source)(tmp_path / "raw")
    made.scenes(tmp_path / "raw", before=1)  # as many as the set demands
    config = made.configure(tmp_path / "raw", ("vimeo90k", "davis", "snu_film", "scenes"), max_clips=2)
    build_clip_set(config, "set", tmp_path, tmp_path / "set")
    return tmp_path / "set"


def test_a_later_target_moves_the_offsets_and_leaves_the_window(folder):
    past = (-3, -2, -1)
    near, far = ClipDataset(folder, past), ClipDataset(folder, past, horizons=(3,))
    index = next(i for i, row in enumerate(near.rows) if 2 in row.offsets and -3 in row.offsets)
    one, three = near[index], far[index]
    assert torch.equal(one["frames"], three["frames"])
    assert three["offsets"].tolist() == [-5, -4, -3]
    assert torch.equal(three["target"], near.frame(index, 2))
    assert torch.equal(one["target"], near.frame(index, 0))
    lone = next(i for i, row in enumerate(near.rows) if 2 not in row.offsets)
    with pytest.raises(UserError, match=r"no frame at offset \+2"):
        far[lone]


def test_horizons_are_drawn_by_seed_epoch_visit_and_clip_alone_and_all_are_met(folder):
    def ahead(seed, index, epoch, visit):
        data = ClipDataset(folder, (-2, -1), augment=AUGMENT, seed=seed, horizons=(1, 2, 3))
        return int(-data[index, epoch, visit]["offsets"][-1])

    index = next(i for i, row in enumerate(ClipDataset(folder, (-2, -1)).rows) if {-2, 2} <= {*row.offsets})
    visits = [(epoch, visit) for epoch in range(4) for visit in range(5)]
    drawn = [ahead(7, index, *visit) for visit in visits]
    assert drawn == [ahead(7, index, *visit) for visit in visits]
    assert drawn != [ahead(8, index, *visit) for visit in visits]
    assert set(drawn) == {1, 2, 3}


def test_reversed_time_predicts_what_came_before(folder):
    data = ClipDataset(folder, (-2, -1), augment=REVERSED, horizons=(3,))
    index = next(i for i, row in enumerate(data.rows) if {-2, -1, 1, 2} <= {*row.offsets})
    item = data[index, 0, 0]
    assert item["offsets"].tolist() == [-4, -3]
    assert torch.equal(item["target"], data.frame(index, -2))
    assert torch.equal(item["frames"][0], data.frame(index, 2))
    assert torch.equal(item["frames"][1], data.frame(index, 1))


def equal(first, second):
    return all(
        torch.equal(first[key], second[key]) if key != "clip" else first[key] == second[key] for key in first
    )


@pytest.mark.parametrize("offsets", [DENSE, UNIFORM, (-1, 1)])
def test_items_hold_the_frames_at_their_offsets_and_zeros_where_there_are_none(folder, offsets):
    dataset, archive = ClipDataset(folder, offsets), ClipArchive(folder / "frames.zip")
    assert len(dataset) == len(dataset.rows) > 5
    for index, row in enumerate(dataset.rows):
        item = dataset[index]
        assert item["clip"] == row.clip
        assert item["offsets"].tolist() == list(offsets)
        assert item["valid"].tolist() == [offset in row.offsets for offset in offsets]
        assert item["frames"].shape == (len(offsets), 3, row.height, row.width)
        assert {t.dtype for t in (item["frames"], item["offsets"], item["target"])} == {torch.float32}
        for offset, frame, valid in zip(offsets, item["frames"], item["valid"], strict=True):
            if valid:
                truth = archive.frame(row.stored, row.number(offset), row.extension)
                assert np.array_equal((frame * 255).round().byte().permute(1, 2, 0).numpy(), truth)
            else:
                assert not frame.any()
        truth = archive.frame(row.stored, row.target, row.extension)
        assert np.array_equal((item["target"] * 255).round().byte().permute(1, 2, 0).numpy(), truth)


def test_every_clip_has_both_references(folder):
    dataset = ClipDataset(folder, DENSE)
    both = [DENSE.index(-1), DENSE.index(1)]
    assert all(dataset[i]["valid"][both].all() for i in range(len(dataset)))


def test_uniform_clips_offer_a_dense_window_only_their_odd_offsets(folder):
    dataset = ClipDataset(folder, DENSE)
    easy = next(i for i, row in enumerate(dataset.rows) if row.kind == "easy")
    item = dataset[easy]
    assert item["valid"].any()
    assert all(offset % 2 for offset in item["offsets"][item["valid"]].tolist())


def test_a_training_item_is_a_function_of_seed_epoch_visit_and_index(folder):
    make = {"crop": (16, 16), "augment": AUGMENT, "seed": 3}
    first, second = ClipDataset(folder, DENSE, **make), ClipDataset(folder, DENSE, **make)
    keys = [(i, epoch, visit) for i in range(3) for epoch in range(3) for visit in range(3)]
    items = [first[key] for key in keys]
    assert all(equal(item, second[key]) for item, key in zip(items, keys, strict=True))
    assert len({item["target"].numpy().tobytes() for item in items}) == len(items)
    other = ClipDataset(folder, DENSE, **{**make, "seed": 4})
    assert not any(equal(item, other[key]) for item, key in zip(items, keys, strict=True))


def test_context_and_target_are_cut_and_changed_alike(made, tmp_path):
    root = made.davis(tmp_path / "raw", test=("still",))
    for i in range(12):
        made.save(root / f"JPEGImages/480p/still/{i:05d}.jpg", made.picture(0))
    config = made.configure(tmp_path / "raw", ("davis",), max_clips=1, duplicate=0.0)
    build_clip_set(config, "set", tmp_path, tmp_path)
    dataset = ClipDataset(tmp_path, (-2, -1, 1, 2), crop=(16, 16), augment=AUGMENT)
    for visit in range(30):
        item = dataset[0, 0, visit]
        assert (item["frames"] == item["target"]).all()


def test_time_reversed_clips_keep_their_window_and_swap_past_and_future(folder):
    plain, back = ClipDataset(folder, DENSE), ClipDataset(folder, DENSE, augment=REVERSED)
    mirror = ClipDataset(folder, tuple(-offset for offset in reversed(DENSE)))
    for index in range(len(plain)):
        item, there = back[index, 0, 0], mirror[index]
        assert item["offsets"].tolist() == list(DENSE)
        assert torch.equal(item["frames"], there["frames"].flip(0))
        assert torch.equal(item["valid"], there["valid"].flip(0))
        assert torch.equal(item["target"], plain[index]["target"])


def test_a_plain_index_gives_the_middle_crop_without_augmentation(folder):
    whole, crop = ClipDataset(folder, DENSE), ClipDataset(folder, DENSE, crop=(16, 16), augment=AUGMENT)
    assert torch.equal(crop[0]["frames"], whole[0]["frames"][..., 4:20, 8:24])


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_several_workers_give_what_one_process_gives(folder, context):
    dataset = ClipDataset(folder, DENSE, crop=(16, 16), augment=AUGMENT, seed=3)
    keys = [(i, 1, 0) for i in range(len(dataset))]
    expected = [dataset[key] for key in keys]  # also opens the archive before the fork
    loader = DataLoader(
        dataset,
        batch_size=None,
        sampler=keys,
        num_workers=2,
        multiprocessing_context=multiprocessing.get_context(context),
    )
    assert all(equal(item, mine) for item, mine in zip(loader, expected, strict=True))


def test_scenes_carry_their_truth_and_other_sets_none(made, folder, tmp_path):
    dataset = ClipDataset(folder, DENSE)
    scene = next(i for i, row in enumerate(dataset.rows) if row.source == "scenes")
    flow, visible = dataset.truth(scene)
    assert flow.shape == (4, 24, 32)
    assert visible.shape == (2, 24, 32)
    build_clip_set(made.configure(tmp_path / "raw", ("davis",)), "set", tmp_path, tmp_path / "davis")
    assert ClipDataset(tmp_path / "davis", DENSE).truth(0) is None


def test_a_crop_larger_than_a_clip_is_refused_by_its_name(folder):
    with pytest.raises(UserError, match=r"clip davis/camel@\d+: frames of 24x32"):
        ClipDataset(folder, DENSE, crop=(64, 64))


def test_a_damaged_set_is_refused_by_its_file(folder):
    archive, manifest = folder / "frames.zip", folder / "clips.csv"
    data, text = archive.read_bytes(), manifest.read_text()
    archive.write_bytes(data[: len(data) // 3])
    with pytest.raises(UserError, match=r"frames\.zip.*dvc repro clips"):
        ClipDataset(folder, DENSE)
    archive.write_bytes(data)
    manifest.write_text(text.replace(",24,32,", ",32,24,"))
    with pytest.raises(UserError, match=r"another size than clips\.csv says"):
        ClipDataset(folder, DENSE)[0]
    manifest.write_text(text.splitlines()[0] + "\n")
    with pytest.raises(UserError, match=r"clips\.csv: no clip"):
        ClipDataset(folder, DENSE)


def test_a_source_with_smaller_frames_has_smaller_crops(folder):
    rows = ClipDataset(folder, DENSE).rows
    first = {row.source: index for index, row in reversed(list(enumerate(rows)))}
    smaller, larger = sorted(first, key=lambda source: rows[first[source]].height)[:: len(first) - 1]
    limits = {smaller: (16, 20)}
    data = ClipDataset(folder, DENSE, crop=(24, 24), limits=limits, augment=AUGMENT)
    assert data[first[larger], 0, 0]["target"].shape[1:] == (24, 24)
    assert data[first[smaller], 0, 0]["target"].shape[1:] == (16, 20)
    assert data[first[smaller]]["frames"].shape[2:] == (16, 20)


def test_a_missing_frame_is_drawn_anywhere_in_what_is_stored_by_seed_epoch_visit_and_clip_alone(folder):
    def view(seed, **options):
        return ClipDataset(folder, (-2, -1, 1, 2), augment=options.pop("augment", None), seed=seed, **options)

    plain = view(1)
    index = next(i for i, row in enumerate(plain.rows) if row.source == "davis")
    row = plain.rows[index]
    keys = [(index, epoch, visit) for epoch in range(12) for visit in range(10)]
    plans = [view(1, anywhere=(2, 2)).plan(key) for key in keys]
    assert [plan.shift for plan in plans] == [view(1, anywhere=(2, 2)).plan(key).shift for key in keys]
    assert [plan.shift for plan in plans] != [view(2, anywhere=(2, 2)).plan(key).shift for key in keys]
    stored = {*row.offsets, 0}
    places = {plan.shift for plan in plans}
    assert places == {o for o in stored if {o - 2, o - 1, o + 1, o + 2} <= stored}
    assert len(places) > 3
    for plan in plans:
        assert all(plan.valid)
        assert plan.numbers[-1] == row.number(plan.shift)
        assert plan.offsets == (-2, -1, 1, 2)
    shift = plans[0].shift
    item = view(1, anywhere=(2, 2))[keys[0]]
    assert torch.equal(item["target"], plain.frame(index, shift))
    assert torch.equal(item["frames"][0], plain.frame(index, shift - 2))
    assert item["clip"] == (f"{row.clip}{shift:+d}" if shift else row.clip)
    turned = view(1, anywhere=(2, 2), augment=REVERSED)[keys[0]]
    assert torch.equal(turned["frames"][0], plain.frame(index, shift + 2))
    assert torch.equal(view(1, anywhere=(2, 2))[index]["target"], plain[index]["target"])  # as it is
    assert {row.number(o) for o in stored} <= view(1, anywhere=(2, 2)).needed()[row.stored]
