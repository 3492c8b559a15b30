"""Real footage in the official layouts (../shared/real; 28 to 41 frames a sequence, 320x240 to 1280x720)."""

import pytest

from lift.clips.build import build_clip_set
from lift.config import window
from lift.data.dataset import ClipDataset
from lift.data.stored.manifest import read_manifest


@pytest.mark.parametrize(
    ("source", "rules", "clips", "dropped"),
    [
        ("vimeo90k", {"before": 3, "after": 3}, 1, {}),
        (
            "ucf101",
            {"before": 10, "after": 7, "max_clips": 1},
            31,
            {"duplicate": 3},
        ),  # of footage that judders
        ("davis", {"before": 10, "after": 7, "max_clips": 1}, 7, {}),
        ("snu_film", {}, 24, {}),
    ],
)
def test_real_footage_becomes_whole_clips(made, shared, tmp_path, source, rules, clips, dropped):
    config = made.configure(shared / "real", (source,), **rules)
    summary = build_clip_set(config, "set", tmp_path, tmp_path)
    assert (summary["clips"], summary["dropped"]) == (clips, dropped)
    dataset = ClipDataset(tmp_path, window(8, 6, "dense"), crop=(224, 224))
    errors, spreads = 0.0, 0.0
    for index, row in enumerate(dataset.rows):
        assert row.motion > 0.1
        item = dataset[index, 0, 0]
        references = item["frames"][item["valid"] & (item["offsets"].abs() == 1)]
        errors += float((references.mean(0) - item["target"]).abs().mean())
        spreads += float((item["target"] - item["target"].mean((1, 2), keepdim=True)).abs().mean())
    # The right frames of the right video: their average says more of the missing one than its mean colour.
    assert errors < spreads


@pytest.mark.slow
def test_full_ucf101_windows_of_all_real_videos(made, shared, tmp_path):
    # One video declares a frame that it does not have, as some of the full set do.
    config = made.configure(shared / "real", ("ucf101",), before=10, after=7, max_dropped=0.001)
    summary = build_clip_set(config, "set", tmp_path, tmp_path)
    rows = read_manifest(tmp_path / "clips.csv")
    assert summary["frames"] == 5486
    assert summary["dropped"] == {"cut": 33, "duplicate": 859, "unreadable": 1}
    assert all({*range(-10, 0), *range(1, 8)} <= set(row.offsets) for row in rows)
