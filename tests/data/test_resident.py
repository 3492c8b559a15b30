"""Frames held in memory give the loader's own batches, to the bit."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import default_collate

from lift.clips.build import build_clip_set
from lift.config import load
from lift.data import resident
from lift.data.dataset import ClipDataset
from lift.data.resident import Frames, Resident, free_memory
from lift.errors import UserError

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"
CPU = torch.device("cpu")
OFFSETS = (-3, -2, -1, 1, 2)  # frames at the ends of a video are absent
KEYS = [(i % 18, epoch, visit) for epoch in range(2) for visit, i in enumerate(range(0, 60, 3))]
"""Places of an epoch that look at the first clips."""


@pytest.fixture(scope="module", params=["davis", "ucf101"])
def folder(request, tmp_path_factory, made):
    """A clip set of pictures, and one of video in runs."""
    place = tmp_path_factory.mktemp(request.param)
    getattr(made, request.param)(place / "raw")
    config = made.configure(place / "raw", (request.param,), before=1, after=1)
    build_clip_set(config, "set", place / "raw", place)
    return place


def seen(folder, *, offsets=OFFSETS, crop=(16, 12), horizons=(1,), other=None, **chances):
    augment = dataclasses.replace(load(PARAMS, "demo").train.augment, **chances)
    return ClipDataset(folder, offsets, crop=crop, augment=augment, seed=5, horizons=horizons, other=other)


def equal(one, two):
    return one.keys() == two.keys() and all(
        one[key] == two[key]
        if key == "clip"
        else one[key].dtype == two[key].dtype and torch.equal(one[key].cpu(), two[key])
        for key in one
    )


@pytest.mark.parametrize("horizons", [(1,), (1, 2)])
@pytest.mark.parametrize("crop", [(16, 16), (16, 12)])
def test_batches_equal_the_loader_s_to_the_bit(folder, crop, horizons):
    offsets = OFFSETS if horizons == (1,) else tuple(offset for offset in OFFSETS if offset < 0)
    clips = seen(folder, offsets=offsets, crop=crop, horizons=horizons, colour=0.6)
    keys = [key for key in KEYS if all({h - 1, 1 - h} <= {0, *clips.rows[key[0]].offsets} for h in horizons)]
    drawn = [clips.plan(key).change for key in keys]
    assert {change.turns for change in drawn} == {0, 1, 2, 3}
    assert len({(c.flip_horizontal, c.flip_vertical, c.reverse_time, c.reverse_channels) for c in drawn}) > 8
    assert {change.gamma == 1.0 for change in drawn} == {True, False}
    assert any(not all(clips.plan(key).valid) for key in keys)
    held = Resident(Frames([clips], CPU), clips)
    for first in range(0, len(keys) - 3, 4):
        batch = keys[first : first + 4]
        assert equal(held.batch(batch), default_collate([clips[key] for key in batch])), batch


def test_batches_with_windows_anywhere_equal_the_loader_s(folder):
    augment = load(PARAMS, "demo").train.augment
    clips = ClipDataset(folder, OFFSETS, crop=(16, 12), augment=augment, seed=5, anywhere=(1, 1))
    assert any(clips.plan(key).shift for key in KEYS)
    held = Resident(Frames([clips], CPU), clips)
    assert equal(held.batch(KEYS[:6]), default_collate([clips[key] for key in KEYS[:6]]))


def test_two_windows_share_the_frames(folder):
    near, far = seen(folder, offsets=(-1, 1)), seen(folder, offsets=(-3, 3))
    frames = Frames([near, far], CPU)
    for clips in (near, far):
        keys = [(index, 0, index) for index in range(4)]
        held = Resident(frames, clips).batch(keys)
        assert equal(held, default_collate([clips[key] for key in keys]))


def test_each_visit_sees_one_of_two_windows_the_other_in_the_asked_share(folder):
    near, far = seen(folder, offsets=(-1, 1)), seen(folder, offsets=(-3, 3))
    both = seen(folder, offsets=(-1, 1), other=((-3, 3), 0.25))
    keys = [(index, epoch, visit) for index in range(4) for epoch in range(30) for visit in range(5)]
    drawn = [both.plan(key).offsets == (-3, 3) for key in keys]
    assert np.mean(drawn) == pytest.approx(0.25, abs=0.07)
    assert both.needed() == {video: near.needed()[video] | far.needed()[video] for video in near.needed()}
    held = Resident(Frames([both], CPU), both)
    for other, clips in ((False, near), (True, far)):
        same = [key for key, drawn_other in zip(keys, drawn, strict=True) if drawn_other is other][:4]
        expected = default_collate([clips[key] for key in same])
        assert equal(held.batch(same), expected)
        assert equal(default_collate([both[key] for key in same]), expected)


def test_only_what_a_window_needs_is_held(folder):
    clips = seen(folder, offsets=(-1, 1))
    clips.rows = clips.rows[:1]
    (numbers,) = clips.needed().values()
    assert numbers == {clips.rows[0].number(offset) for offset in (-1, 0, 1)}


def test_too_little_memory_is_told_in_one_line(folder, monkeypatch):
    assert free_memory(CPU) > 2**20
    monkeypatch.setattr(resident, "free_memory", lambda device: 2**10)
    with pytest.raises(
        UserError, match=r"train.resident: .* need 0.0 GiB decoded, and 0.0 GiB .* free \(cpu\)"
    ):
        Frames([seen(folder)], CPU)


def test_where_the_system_does_not_tell_what_is_free_all_there_is_counts(monkeypatch):
    known = {name: number for name, number in os.sysconf_names.items() if name != "SC_AVPHYS_PAGES"}
    monkeypatch.setattr(os, "sysconf_names", known)  # macOS's
    asked = os.sysconf
    monkeypatch.setattr(os, "sysconf", lambda name: asked(known[name]))
    monkeypatch.setattr(Path, "is_file", lambda path: False)  # neither /proc nor control groups
    assert free_memory(CPU) == asked("SC_PAGE_SIZE") * asked("SC_PHYS_PAGES")
