"""Probes of the window: the references stay, and what a method does not look at costs nothing."""

from types import SimpleNamespace

import pytest
import torch

from lift.evaluation.method import Prediction
from lift.evaluation.probes import PROBES, alone, evenly, probe, reordered, strange
from lift.evaluation.results import labels

OFFSETS = torch.tensor([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])
NEAR = OFFSETS.abs() == 1


class Clips:
    """Clips of frames that each have one value of their own; the missing frame is the mean of all."""

    def __init__(self, count=4, sizes=((16, 16),), valid=(True,) * 6):
        self.sizes, self.valid = sizes, torch.tensor(valid)
        self.rows = [
            SimpleNamespace(clip=f"s/{i}@9", video=f"{i}", group=f"{i}", kind="plain", motion=1.0)
            for i in range(count)
        ]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        size = self.sizes[index % len(self.sizes)]
        values = torch.randint(256, (6,), generator=torch.Generator().manual_seed(index)) / 256
        frames = values.view(6, 1, 1, 1).expand(6, 3, *size) * self.valid.view(6, 1, 1, 1)
        return {
            "frames": frames,
            "offsets": OFFSETS,
            "valid": self.valid,
            "target": frames.mean(0),
            "clip": self.rows[index].clip,
        }


def mean(sample):
    return Prediction(sample["frames"][sample["valid"]].mean(0))


def first(sample):
    return Prediction(sample["frames"][0])


def references(sample):
    return Prediction(sample["frames"][NEAR].mean(0))


def probes(method, clips):
    found = []
    for index, entry in enumerate(clips.rows):
        shared = labels("scenes", 7, entry, clips[index])
        found += probe(method, clips, index, method(clips[index]).frame, shared)
    return found


def by_probe(rows):
    return {key: [row for row in rows if row["probe"] == key] for key in PROBES}


def test_a_method_of_two_frames_loses_nothing():
    rows = probes(references, Clips())
    assert len(rows) == len(PROBES) * 4
    assert all(row["whole"] == row["psnr"] and row["moved"] == 0 for row in rows)
    assert {row["seed"] for row in rows} == {7}


def test_the_order_matters_to_who_looks_at_it_and_not_to_the_mean():
    found = by_probe(probes(mean, Clips()))
    assert all(row["moved"] == pytest.approx(0, abs=1e-3) for row in found["order"])
    assert all(row["moved"] > 1 for row in found["strangers"] + found["references"])
    assert all(row["whole"] > row["psnr"] for row in found["references"])
    assert any(row["moved"] > 1 for row in by_probe(probes(first, Clips()))["order"])


@pytest.mark.parametrize("change", PROBES.values())
def test_the_references_and_the_clips_themselves_stay_as_they_are(change):
    clips = Clips()
    before = clips[1]
    after = change(clips, 1)
    assert torch.equal(after["frames"][NEAR], before["frames"][NEAR])
    assert bool(after["valid"][NEAR].all())
    assert torch.equal(after["target"], before["target"])
    assert torch.equal(clips[1]["frames"], before["frames"])


def test_frames_change_places_among_those_that_are_there():
    clips = Clips(valid=(False, True, True, True, True, True))
    before, after = clips[0], reordered(clips, 0)
    assert not bool(after["frames"][0].any())
    assert sorted(after["frames"][~NEAR][:, 0, 0, 0].tolist()) == sorted(
        before["frames"][~NEAR][:, 0, 0, 0].tolist()
    )
    assert torch.equal(reordered(clips, 0)["frames"], after["frames"])  # a function of the index


def test_strangers_are_of_the_next_clip_of_the_same_size():
    clips = Clips(sizes=((16, 16), (16, 24)))
    far = strange(clips, 0)["frames"][~NEAR]
    assert torch.equal(far, clips[2]["frames"][~NEAR])


def test_without_frames_beyond_the_references_there_is_nothing_to_take():
    assert probes(mean, Clips(valid=(False, False, True, True, False, False))) == []
    assert not bool(alone(Clips(), 0)["valid"][~NEAR].any())


def test_no_more_clips_than_asked_are_probed_and_evenly():
    assert evenly(250, 5) == [25, 75, 125, 175, 225]
    assert evenly(4, 1) == [2]
    assert evenly(3, 9) == [0, 1, 2]
    assert evenly(3, 0) == []
