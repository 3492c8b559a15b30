"""Renders every source and cuts it into clips; prints digests of all that was written, and what was in use.

Run by test_processors.py in processes of their own: what a library takes of a processor is settled at import.
"""

import ctypes
import hashlib
import json
import sys
import tempfile
from pathlib import Path

import av
import cv2
import numpy as np

from lift.clips.build import build_clip_set
from lift.config import Camera, Render
from lift.scenes import KINDS
from lift.scenes.layouts import LAYOUTS, write
from tests import official

CAMERA = Camera(
    objects=(2, 4), leaves=0.5, zoom=(0.0, 0.01), turn=(0.0, 0.01), shake=(0.0, 1.0),
    shutter=(0.2, 0.6), exposures=4, noise=(2.0, 4.0), quality=(40, 90),
)  # fmt: skip
FRAMES = {"snu_film": 18}
OPENCV = {"AVX2": 11, "FMA3": 12}  # CpuFeatures of its core/cvdef.h
FILMED = "scenes filmed"


def plain_ffmpeg():
    """Forbid FFmpeg's own vector code, for which it has no variable: by a call into PyAV's library."""
    found = sorted(Path(av.__file__).parents[1].glob("av.libs/libavutil*")) or [None]
    library = ctypes.CDLL(found[0])
    library.av_force_cpu_flags(0)


def render(camera, frames):
    return Render(
        train=len(KINDS), test=len(KINDS), frames=frames, size=(48, 64), speed=(0.5, 3.0),
        centres=None, camera=camera,
    )  # fmt: skip


def digests(root):
    """Give a digest of each kind of file: where one differs, the kind says why."""
    found = {}
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = str(path.relative_to(root)).encode()
        found.setdefault(path.suffix, hashlib.sha256()).update(name + path.read_bytes())
    return {suffix: digest.hexdigest() for suffix, digest in found.items()}


def main():
    if sys.argv[1] == "plain":
        plain_ffmpeg()
    features = np._core._multiarray_umath.__cpu_features__
    dispatched = np._core._multiarray_umath.__cpu_dispatch__
    used = {
        "numpy": sorted(name for name in dispatched if features[name]),
        "opencv": [name for name, code in OPENCV.items() if cv2.checkHardwareSupport(code)],
    }
    written = {}
    with tempfile.TemporaryDirectory() as place:
        for name in (*LAYOUTS, FILMED):
            source, raw = name.split()[0], Path(place) / name.replace(" ", "_")
            config = official.configure(raw / source, (source,), duplicate=0.0, max_clips=2)
            footage = render(CAMERA if name == FILMED else None, FRAMES.get(source, 7))
            write(source, raw / source, footage, 7, target=config.missing(source), workers=1)
            build_clip_set(config, "set", raw, raw / "clips")
            written |= {f"{name} {kind}": digest for kind, digest in digests(raw).items()}
    sys.stdout.write(json.dumps({"used": used, "written": written}) + "\n")


if __name__ == "__main__":
    main()
