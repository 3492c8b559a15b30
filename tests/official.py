"""Tiny data sets in the official layouts, and configurations that read them."""

import dataclasses
from pathlib import Path

import av
import cv2
import numpy as np

from lift.clips.sources import SOURCES
from lift.config import Source, load

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"


def picture(seed, size=(24, 32)):
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


def save(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels[..., ::-1])[1].tobytes())


def write_list(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def avi(path, frames, size=(48, 64)):
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25, width=size[1], height=size[0], pix_fmt="yuv420p")
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.roll(picture(1, size), 2 * i, axis=1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def vimeo90k(folder, train=("00001/0001", "00002/0001"), test=("00001/0002",), size=(24, 32)):
    root = folder / "vimeo_septuplet"
    write_list(root / "sep_trainlist.txt", train)
    write_list(root / "sep_testlist.txt", [*test, ""])
    for v, name in enumerate((*train, *test)):
        for i in range(1, 8):
            save(root / "sequences" / name / f"im{i}.png", picture(100 * v + i, size))
    return root


def ucf101(
    folder, train=("A/v_A_g08_c01", "A/v_A_g08_c02", "A/v_A_g09_c01"), test=("A/v_A_g01_c01",), frames=20
):
    write_list(folder / "ucfTrainTestlist" / "trainlist01.txt", [f"{name}.avi 1" for name in train])
    write_list(folder / "ucfTrainTestlist" / "testlist01.txt", [f"{name}.avi" for name in test])
    for name in (*train, *test):
        avi(folder / "UCF-101" / f"{name}.avi", frames)
    return folder


def davis(folder, train=("bear",), test=("camel", "dog"), frames=12):
    root = folder / "DAVIS"
    for title, names in (("train", train), ("val", test)):
        write_list(root / "ImageSets" / "2017" / f"{title}.txt", names)
        for v, name in enumerate(names):
            for i in range(frames):
                save(root / "JPEGImages" / "480p" / name / f"{i:05d}.jpg", picture(100 * v + i))
    return root


def snu_film(folder, videos=("one",), frames=40, centres=(17, 24), extension="png"):
    root = folder / "SNU-FILM"
    for kind, step in (("easy", 1), ("medium", 2), ("hard", 4), ("extreme", 8)):
        lines = [
            " ".join(f"data/SNU-FILM/test/GOPRO_test/{v}/{c + o:06d}.{extension}" for o in (-step, 0, step))
            for v in videos
            for c in centres
        ]
        write_list(root / "eval_modes" / f"test-{kind}.txt", lines)
    for v, name in enumerate(videos):
        for i in range(1, frames + 1):
            save(root / "test" / "GOPRO_test" / name / f"{i:06d}.{extension}", picture(100 * v + i))
    return root


def scenes(folder, names=("fast_motion_000", "plain_000"), before=15, after=11, size=(24, 32)):
    root = folder / "scenes"
    for v, name in enumerate(names):
        for i in range(before + 1 + after):
            save(root / name / f"{i:06d}.png", picture(100 * v + i, size))
        random = np.random.default_rng(v)
        flow = random.normal(size=(4, *size)).astype(np.float32)
        visible = random.random((2, *size)) < 0.9
        np.savez(root / name / "truth.npz", number=before, flow=flow, visible=visible)
    return root


davis_flavr = davis


def vimeo90k_triplet(folder, train=("00001/0001", "00002/0001"), test=("00001/0002",)):
    root = folder / "vimeo_triplet"
    write_list(root / "tri_trainlist.txt", [*train, ""])
    write_list(root / "tri_testlist.txt", [*test, ""])
    for v, name in enumerate((*train, *test)):
        for i in range(1, 4):
            save(root / "sequences" / name / f"im{i}.png", picture(100 * v + i))
    return root


def ucf101_dvf(folder, ids=(1, 11), names=("frame_00", "frame_01_gt", "frame_02", "frame_01_ours")):
    for v in ids:
        for i, name in enumerate(names):
            save(folder / "ucf101_interp_ours" / str(v) / f"{name}.png", picture(10 * v + i))
    return folder / "ucf101_interp_ours"


def ucf101_qvi(folder, ids=(1, 11), size=(24, 32)):
    for v in ids:
        for i, name in enumerate(("frame0", "frame1", "framet", "frame2", "frame3")):
            save(folder / "ucf101_extracted" / str(v) / f"{name}.png", picture(10 * v + i, size))
    return folder / "ucf101_extracted"


def x4k1000fps(folder, test_frames=33, frames=13):
    root = folder / "X4K1000FPS"
    for place in ("train/002/occ1", "train/002/occ2", "train/003/occ1", "val/Type1/v"):
        avi(root / f"{place}.mp4", frames)
    avi(root / "test/Type1/TEST01.mp4", test_frames)
    return root


def gopro(folder, train=("GOPR0372_07_00", "GOPR0374_11_01"), test=("GOPR0384_11_00",), frames=6):
    for part, names in (("train", train), ("test", test)):
        for v, name in enumerate(names):
            for i in range(frames):
                save(folder / "GOPRO_Large_all" / part / name / f"{47 + i:06d}.png", picture(100 * v + i))
    return folder / "GOPRO_Large_all"


def cityscapes(folder, starts=(0,), frames=30):
    root = folder / "leftImg8bit_sequence"
    for part, city in (("train", "aachen"), ("val", "lindau"), ("test", "bonn")):
        for start in starts:
            for i in range(start, start + frames):
                save(root / part / city / f"{city}_000000_{i:06d}_leftImg8bit.png", picture(i))
    return root


def folder(folder):
    for part in ("train", "test"):
        avi(folder / part / "my clip.mp4", 8)
        for i in (9, 10, 11):
            save(folder / part / "trip/day 1" / f"frame{i}.jpg", picture(i))
    return folder


def configure(
    folder, sources=("vimeo90k",), part="test", max_dropped=0.0, share=0.34, seed=7, duplicate=0.05, **rules
):
    """Give (config, "set"): the demo's parameters with one clip set, whose sources lie in `folder`."""
    base = load(PARAMS, "demo")
    values = {"before": 1, "after": 1, "spacing": 1, "stride": 1}
    values |= dict.fromkeys(("max_sequences", "max_clips", "crop", "resize")) | {"windows": "fixed"}
    clip_set = dataclasses.replace(
        base.clips.sets["davis"], sources=tuple(sources), part=part, **{**values, **rules}
    )
    continuity = dataclasses.replace(base.clips.continuity, duplicate=duplicate)
    clips = dataclasses.replace(
        base.clips,
        sets={"set": clip_set},
        max_dropped=max_dropped,
        validation_share=share,
        continuity=continuity,
    )
    found = {name: Source(path=str(folder), render=None, optional=False) for name in SOURCES}
    return dataclasses.replace(base, sources=found, clips=clips, seed=seed)
