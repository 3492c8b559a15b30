"""Made-up results of the demo's size in the pipeline's formats: plausible numbers, small pictures."""

import atexit
import csv
import dataclasses
import functools
import json
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import yaml

from lift.config import Config, load_all, yaml12
from lift.config.abilities import predicts, sees_context
from lift.config.resolved import evaluate, pictured
from lift.report.page import CODE
from lift.report.results import Results
from lift.seeds import generator

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("plain", "occlusion", "fast_motion", "repetition", "lighting")
RELEASED = "rife_v4"
ALIKE = (  # left out: no table or figure shows them otherwise than others of their family
    "windowed4", "aligned", "matched_ctx3", "lift_rife_fusion", "lift_rife_fusion_3", "ifrnet_l", "ifrnet_s",
    "ifrnet_t", "ifrnet_elan",
)  # fmt: skip
SKILL = {  # dB against the base, before noise
    "ctx3": -0.35, "ctx7": -0.1, "windowed": -0.02, "no_context": -0.45, "mean_context": -0.2,
    "layers2": -0.05, "layers4": 0.03, "no_s1": -0.6, "no_occlusion": -0.3, "shift0": 0.02, "shift3": -0.08,
    "uniform": -0.4, "repeat": -5.0, "average": -0.6, "dis": -1.0, "untrained": -0.6,
    RELEASED: 0.1,
}  # fmt: skip
BOOST = {"plain": 0.2, "occlusion": 1.8, "fast_motion": 1.4, "repetition": 1.0, "lighting": 0.6}
FIELDS = (
    "benchmark", "clip", "video", "group", "kind", "motion", "seed", "context",
    "psnr", "ssim", "ssim_matlab", "lpips", "ie", "ie_rms", "ie_edges", "ie_occluded", "warping", "epe",
    "occluded",
)  # fmt: skip


AHEAD = (*FIELDS[:8], "horizon", "psnr", "ssim", "ms_ssim", "lpips")


@functools.cache
def params() -> Path:
    """Give a params.yaml whose demo has nearly every ablation, a released method and declared comparisons."""
    raw = yaml12.read(ROOT / "params.yaml")
    folder = Path(tempfile.mkdtemp(prefix="lift-fake-"))
    atexit.register(shutil.rmtree, folder)
    demo = raw["profiles"]["demo"]
    everything = raw["profiles"]["thesis"]["methods"]["baselines"]
    trained = [name for name in raw["ablations"] if name not in ALIKE]
    demo["methods"] = {"trained": trained, "released": [RELEASED], "baselines": everything}
    del demo["report"]
    shown = {RELEASED, *trained, *everything}
    declared = raw["report"]["comparisons"]
    raw["report"]["comparisons"] = [one for one in declared if {one["method"], one["against"]} <= shown]
    raw["report"] |= {"names": {"no_s1": "without s1"}, "curve": ["ctx3", "ctx7", "lift15"], "worst": 2}
    raw["report"]["strips"] = [RELEASED, "ctx3", "dis"]
    (folder / "params.yaml").write_text(yaml.safe_dump(raw, sort_keys=False))
    (folder / "weights").symlink_to(ROOT / "weights")
    return folder / "params.yaml"


@functools.cache
def configs() -> tuple[Config, dict[str, Config]]:
    """The configuration of that demo, and those of its methods that have a model."""
    return load_all(params(), "demo")


def clips() -> list[tuple[str, str, str, str]]:
    """(benchmark, clip, video, kind) of the demo's test sets."""
    rows = [
        ("vimeo90k", f"vimeo90k/{1 + i // 2:05d}/{i % 2:04d}@4", f"{1 + i // 2:05d}/{i % 2:04d}", "")
        for i in range(8)
    ]
    rows += [("ucf101", f"ucf101/v_Scene{i}_g01_c01@16", f"v_Scene{i}_g01_c01", "") for i in range(16)]
    rows += [("davis", f"davis/scene-{i}@16", f"scene-{i}", "") for i in range(6)]
    rows += [
        ("snu_film", f"snu_film/V{v}@{40 + c}#{kind}", f"V{v}", kind)
        for kind in ("easy", "medium", "hard", "extreme")
        for v in range(2)
        for c in range(5)
    ]
    rows += [("scenes", f"scenes/{k}_{i:02d}@15", f"{k}_{i:02d}", k) for k in KINDS for i in range(6)]
    return rows


def _named(row: tuple[str, str, str, str]) -> dict[str, str]:
    benchmark, clip, video, kind = row
    group = video.split("/")[0] if benchmark == "vimeo90k" else re.sub(r"_c\d+$", "", video)
    return {"benchmark": benchmark, "clip": clip, "video": video, "group": group, "kind": kind}


def seeded(*seeds: int) -> tuple[Config, dict[str, Config]]:
    """`configs()` with other training seeds."""
    base, ablations = configs()

    def change(config: Config) -> Config:
        return dataclasses.replace(config, train=dataclasses.replace(config.train, seeds=seeds))

    return change(base), {name: change(config) for name, config in ablations.items()}


def _numbers(
    method: str, row: tuple[str, str, str, str], config: Config | None, seed: int | None
) -> dict[str, object]:
    benchmark, clip, _, kind = row
    own = generator(1, clip)
    motion = float(own.gamma(3.0, 3.0))
    gap = {"easy": 6.0, "medium": 2.0, "hard": -3.0, "extreme": -7.0}.get(kind, 0.0)
    psnr = 30 + gap + 2 * own.normal() - 0.15 * motion
    boost = BOOST.get(kind, 1.0) * (0.5 + motion / 9)
    psnr += SKILL.get(method, 0.0) * boost + 0.15 * generator(2, clip, method).normal()
    if seed not in (None, 7):
        psnr += 0.05 * generator(5, method, seed).normal() + 0.05 * generator(6, clip, method, seed).normal()
    error = 255 * 10 ** (-psnr / 20)
    flow = method != "repeat"
    return {
        "motion": motion,
        "seed": seed,
        "context": 2 if config is None else len(config.clip.offsets),
        "psnr": psnr,
        "ssim": 1 - error / 120,
        "ssim_matlab": 1 - error / 160,
        "lpips": error / 100,
        "ie": 0.6 * error,
        "ie_rms": error,
        "ie_edges": 2 * error,
        "ie_occluded": 3 * error if benchmark == "scenes" else None,
        "warping": 0.8 * error if flow else None,
        "epe": 0.05 * error if flow and benchmark == "scenes" else None,
        "occluded": (0.15 if kind == "occlusion" else 0.03) * own.random() if benchmark == "scenes" else None,
    }


NOT_GIVEN = {"procedural": True, "clips": 0}  # as `clips` writes it of a set that would be rendered


def write(
    data: Path,
    methods: tuple[str, ...] | None = None,
    size: tuple[int, int] = (96, 128),
    kept: tuple[str, ...] = ("vimeo90k", "ucf101", "davis", "snu_film", "scenes"),
    seeds: tuple[int, ...] = (7,),
    ranks: tuple[str, ...] = ("worst1", "worst2", "middle"),
) -> None:
    """Write results, curves and clip-set summaries below `data` (data/demo).

    Of `kept` sets the frames of the clips of these `ranks` are kept.
    """
    base, ablations = configs()
    for name in base.clips.sets:
        folder = data / "clips" / name
        folder.mkdir(parents=True, exist_ok=True)
        summary = {"procedural": True, "clips": 1} if base.given(name) else NOT_GIVEN | {"not_given": [name]}
        (folder / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    base, ablations = seeded(*seeds)
    _write_plain(data / CODE, {})
    _write_pictures(data / "pictures" / "pictures.zip", methods or base.methods, size, kept, ranks)
    for method in methods or base.methods:
        own = seeds if method in base.ablations else ()
        if predicts(ablations.get(method, base), method):
            _write_predictions(data / "results" / method, method, own)
        else:
            _write_method(data / "results" / method, method, ablations.get(method), own)
        made = evaluate(ablations.get(method, base), method, ROOT / "weights")
        _write_plain(data / "results" / method / "made_from.json", made)
        if method in base.ablations:
            _write_curves(data / "training" / method / "curves.csv", method, seeds)


def nothing(results: Results) -> Results:
    """The same profile without any method."""
    config = dataclasses.replace(results.config, ablations=(), released=(), baselines=())
    return dataclasses.replace(results, config=config, rows={}, seeded={}, costs={})


def predicting() -> tuple[str, ...]:
    """Methods that predict."""
    base, ablations = configs()
    return tuple(name for name in base.methods if predicts(ablations.get(name, base), name))


def _write_plain(path: Path, content: dict[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _write_predictions(folder: Path, method: str, seeds: tuple[int, ...]) -> None:
    """Rows as lift/evaluation/run.py writes them: what lies further ahead is worse; a mode may skip "
    "some."""
    folder.mkdir(parents=True, exist_ok=True)
    base, ablations = configs()
    rows = [
        _named(row)
        | {"motion": 1.0, "seed": seed, "context": 2, "horizon": k}
        | {"psnr": 30 - k, "ssim": 0.9, "ms_ssim": 1 - 0.01 * k, "lpips": 0.01 * k * (1 + len(method))}
        for seed in seeds or (None,)
        for row in clips()
        for k in range(1, base.benchmarks[row[0]].horizons + 1)
        if method not in ablations
        or ablations[method].clip.mode == "recurrent"
        or k in ablations[method].clip.learnt
    ]
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, AHEAD, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    means = {row["benchmark"]: {f"psnr_{k}": 30.0 - k for k in range(1, 65)} for row in rows}
    rules = {name: _protocol(name) | {"horizons": str(base.benchmarks[name].horizons)} for name in means}
    if method in ablations:
        means["model"] = {"parameters": 1e5, "gmacs_256x448": 1.0, "gmacs_720x1280": 8.0}
    (folder / "metrics.json").write_text(json.dumps(means, sort_keys=True), encoding="utf-8")
    (folder / "protocol.json").write_text(json.dumps(rules), encoding="utf-8")


def _write_method(
    folder: Path,
    method: str,
    config: Config | None,
    seeds: tuple[int, ...],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_named(row) | _numbers(method, row, config, seed) for seed in seeds or (None,) for row in clips()]
    with (folder / "clips.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    means = {}
    for name in {row["benchmark"] for row in rows}:
        own = [row for row in rows if row["benchmark"] == name]
        means[name] = {m: round(float(np.mean([r[m] for r in own])), 6) for m in FIELDS[8:15]} | {
            "clips": len(own)
        }
    if seeds or method in ("untrained", RELEASED):
        size_of = 1e5 * (1 + len(method))
        means["model"] = {
            "parameters": size_of,
            "gmacs_256x448": size_of / 2e4,
            "gmacs_720x1280": size_of / 2500,
        }
    (folder / "metrics.json").write_text(json.dumps(means, sort_keys=True), encoding="utf-8")
    rules = {name: _protocol(name) for name in means if name != "model"}
    (folder / "protocol.json").write_text(json.dumps(rules), encoding="utf-8")
    _write_alpha(folder / "alpha.csv", config)
    _write_probes(folder / "probes.csv", method, config)


def _protocol(benchmark: str) -> dict[str, str]:
    base, _ = configs()
    rules = base.benchmarks[benchmark]
    return {
        "clips": "0123456789abcdef",
        "protocol": rules.protocol,
        "sampling": rules.sampling or "its own",
    }


def _write_alpha(path: Path, config: Config | None) -> None:
    lines = ["benchmark,clip,kind,seed,offset,alpha"]
    if config is not None and config.model.use_context and config.model.context == "attention":
        for benchmark, clip, _, kind in clips():
            offsets = np.array(config.clip.offsets)
            weights = np.exp(-np.abs(offsets) / 3 + 0.3 * generator(3, clip).normal(size=len(offsets)))
            lines += [
                f"{benchmark},{clip},{kind},7,{o},{w:.6f}"
                for o, w in zip(offsets, weights / weights.sum(), strict=True)
            ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_probes(path: Path, method: str, config: Config | None) -> None:
    """Rows as lift/evaluation/probes.py writes them: the window of a wide method gives half a dB or more."""
    lines = ["benchmark,clip,video,group,kind,motion,seed,context,probe,whole,psnr,moved"]
    if config is not None and sees_context(config) and config.clip.task == "interpolate":
        for row in (row for row in clips() if row[0] == "scenes"):
            benchmark, clip, video, kind = row
            for probe, least in (("order", 0.1), ("strangers", 0.3), ("references", 0.5)):
                gain = least * BOOST[kind] + 0.05 * generator(7, clip, method, probe).normal()
                start = f"{benchmark},{clip},{video},{video},{kind},1.0,7,14"
                lines.append(f"{start},{probe},30.0,{30 - gain:.5f},{least:.3f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_curves(path: Path, method: str, seeds: tuple[int, ...]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["seed,step,epoch,loss,psnr,ssim"]
    for seed in seeds:
        noise = generator(4, method, seed)
        for step in range(10, 201, 10):
            loss = 0.06 * np.exp(-step / 80) + 0.02 + 0.002 * noise.normal()
            lines.append(f"{seed},{step},{step // 50},{loss:.6f},,")
            if step % 50 == 0:
                psnr = 29 - 4 * np.exp(-step / 80) + SKILL.get(method, 0) + 0.1 * noise.normal()
                lines.append(f"{seed},{step},{step // 50},,{psnr:.4f},{0.9 + psnr / 1000:.5f}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def picture(seed: int, size: tuple[int, int], shift: float) -> np.ndarray:
    """A disc over smooth noise, `shift` pixels to the right."""
    height, width = size
    texture = generator(seed, "texture").random((height // 8, width // 8, 3))
    image = cv2.resize(texture, (width, height), interpolation=cv2.INTER_CUBIC)
    ys, xs = np.mgrid[:height, :width]
    inside = np.hypot(ys - height / 2, xs - width / 2 - shift) < height / 4
    image = np.where(inside[..., None], (0.9, 0.4 + 0.4 * np.sin(xs[0, 0]), 0.2), image)
    return np.rint(255 * image.clip(0, 1)).astype(np.uint8)


def _write_pictures(
    path: Path,
    methods: tuple[str, ...],
    size: tuple[int, int],
    kept: tuple[str, ...],
    ranks: tuple[str, ...],
) -> None:
    """A clip of each rank of each set, as the stage `pictures` writes them."""
    base, _ = configs()
    shown = [m for m in pictured(base) if m in methods]
    index = ["benchmark,clip,rank,gain,pictures"]
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in kept:
            own = [clip for benchmark, clip, *_ in clips() if benchmark == name]
            for seed, rank in enumerate(ranks):
                index.append(
                    f"{name},{own[seed]},{rank},{seed - 0.5},{' '.join(('before', 'target', *shown))}"
                )
                truth = picture(seed, size, 0)
                images = {"before": picture(seed, size, -6), "target": truth}
                images |= {m: cv2.GaussianBlur(truth, (5, 5), 1 + len(m) % 3) for m in shown}
                for key, image in images.items():
                    data = cv2.imencode(".png", image[..., ::-1])[1].tobytes()
                    archive.writestr(f"{name}/{rank}/{key}.png", data)
        archive.writestr("index.csv", "\n".join(index) + "\n")
