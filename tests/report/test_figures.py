"""Which clips are shown, and where names stand."""

import itertools

from lift.report.examples import Example, chosen
from lift.report.figures.compute import apart


def test_clips_are_chosen_by_rule():
    kept = [Example(benchmark="b", clip=str(i), slug=str(i), psnr=p) for i, p in enumerate((3, 9, 1, 5, 7))]
    assert [(e.psnr, e.rank) for e in chosen(kept)] == [(9, "best"), (5, "median"), (1, "worst")]
    assert [(e.psnr, e.rank) for e in chosen(kept[:2])] == [(9, "best"), (3, "worst")]
    assert [e.rank for e in chosen(kept[:1])] == ["only"]
    assert [e.place for e in chosen(kept[:2])] == ["better of 2 kept clips", "worse of 2 kept clips"]
    assert next(e.place for e in chosen(kept)) == f"best of {len(kept)} kept clips"
    assert [e.place for e in chosen(kept[:1])] == ["only kept clip"]


def test_names_beside_a_panel_keep_their_distance_and_stay_within():
    heights = apart([0.1, 0.11, 0.5, 0.95, 0.96, 0.97], 0.05)
    assert all(b - a > 0.05 - 1e-9 for a, b in itertools.pairwise(heights))
    assert max(heights) <= 1
    assert heights[0] == 0.1
