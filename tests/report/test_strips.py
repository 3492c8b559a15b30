"""The strip of a clip: from the blend of warped references to the final frame."""

import zipfile

import cv2
import numpy as np

from lift.report.examples import Examples
from lift.report.figures.strips import GAIN, strip

SIZE = (32, 48)


def flat(value, size=SIZE):
    return np.full((*size, 3), value, np.uint8)


def kept(folder, **pictures):
    """Keep one clip's pictures; give the examples and the clip."""
    path = folder / "results" / "base" / "examples.zip"
    path.parent.mkdir(parents=True)
    noise = np.random.default_rng(1).integers(0, 255, (*SIZE, 3), np.uint8)
    every = {"before": noise, "after": noise, "target": noise, "frame": flat(110), **pictures}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("index.csv", "benchmark,clip,slug,kind,psnr\nscenes,a,a,,30\n")
        for name, image in every.items():
            archive.writestr(f"scenes/a/{name}.png", cv2.imencode(".png", image)[1].tobytes())
    examples = Examples(folder)
    return examples, examples.listed("base")[0]


def shown(figure):
    """Give the strip's pictures by title."""
    return {axes.get_title(): axes.images[0].get_array() for axes in figure.axes if axes.get_title()}


def test_a_strip_shows_the_blend_and_what_context_and_refinement_add(tmp_path):
    small = (SIZE[0] // 4, SIZE[1] // 4)
    panels = shown(strip(*kept(tmp_path, coarse=flat(105, small), blend=flat(100, small)), "base", []))
    order = list(panels)
    assert order[3:8] == [
        "base, blend", f"context adds ×{GAIN}", "base, coarse", f"refinement adds ×{GAIN}", "base, final",
    ]  # fmt: skip
    assert (panels["base, blend"] == 100).all()
    assert (panels[f"context adds ×{GAIN}"] == 128 + GAIN * 5).all()
    assert (panels[f"refinement adds ×{GAIN}"] == 128 + GAIN * 5).all()


def test_where_nothing_but_the_blend_comes_before_refinement_it_is_shown_once(tmp_path):
    panels = shown(strip(*kept(tmp_path, coarse=flat(120, (8, 12))), "base", []))
    assert list(panels)[3:6] == ["base, blend", f"refinement adds ×{GAIN}", "base, final"]
    assert (panels[f"refinement adds ×{GAIN}"] == 128 - GAIN * 10).all()


def test_a_model_without_a_blend_has_its_final_frame_alone(tmp_path):
    assert list(shown(strip(*kept(tmp_path), "base", [])))[3] == "base, final"
