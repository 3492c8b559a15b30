"""Profiles that train on further data sets, from download to results, on made footage."""

import json
import math
from pathlib import Path

import pytest

from lift.config import load
from lift.data.stored.manifest import read_manifest
from stages import clips, download, evaluate, train
from tests import official, params

TINY = {
    "widths": [8, 8, 8, 8, 8],
    "flow_widths": [8, 8],
    "flow_blocks": [0, 0],
    "context_width": 8,
    "refiner_widths": [8, 8],
    "refiner_blocks": 0,
    "heads": 2,
    "layers": 1,
    "pretrained": None,
}
SETS = ("train", "validation")


def tiny(raw, name, folder):
    """Shrink a profile to seconds; all of its data sets are made ones, in `folder`."""
    own = raw["profiles"][name]
    own["model"] = {**TINY, "ifrnet": {"factor": 0.1}}
    phase = {**raw["train"]["phases"][0], "epochs": 1, "crop": [16, 16], "thaw": 0, "freeze": False}
    own.setdefault("train", {}).update(
        phases=[phase], batch=2, warmup=0, samples_per_epoch=4, workers=0, threads=1, precision="32-true",
        log_every=1,
    )  # fmt: skip
    raw["clips"]["validation_share"] = 0.4
    # Made frames are noise, which would be a cut each.
    raw["clips"]["continuity"].update(cut_floor=255.0, repeat=0.0, duplicate=0.0)
    raw["loss"]["lpips"] = 0.0
    for rules in (raw, raw["profiles"]["cityscapes"]):
        for own_set in rules["clips"]["sets"].values():
            own_set |= {"resize": [64, 128]} if "resize" in own_set else {}
    for source in raw["sources"]:
        given = source in ("vimeo90k", "ucf101", "cityscapes", "gopro", "x4k1000fps")
        own.setdefault("sources", {})[source] = {
            "path": str(folder) if given else None, "render": None, "optional": not given,
        }  # fmt: skip
    return raw


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Stand in a folder beside made data sets."""
    made = tmp_path / "sets"
    train_list = tuple(f"0000{group}/000{n}" for group in range(1, 6) for n in (1, 3))
    official.vimeo90k(made, train=train_list, size=(40, 48))
    official.ucf101(made, train=tuple(f"A/v_A_g{group:02d}_c01" for group in range(8, 13)))
    official.gopro(made, train=tuple(f"GOPR03{n}_07_00" for n in range(72, 78)), frames=40)
    official.cityscapes(made, starts=(0,))
    official.x4k1000fps(made, frames=65)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.mark.parametrize(
    ("profile", "method", "source", "benchmark"),
    [
        ("ifrvp", "ifrvp", ["vimeo90k", "ucf101"], "ucf101"),
        ("gopro", "ifrnet", ["gopro"], "vimeo90k"),
        ("cityscapes", "ifrvp", ["cityscapes"], "cityscapes"),
        ("x4k1000fps", "lift15", ["x4k1000fps"], "vimeo90k"),
    ],
)
def test_a_profile_trains_on_its_data_set_in_the_official_layout(
    place, profile, method, source, benchmark, capsys
):
    raw = tiny(params.read(), profile, place)
    params.resolved(raw, profile)
    download.main(profile)
    for name in (*SETS, benchmark):
        clips.main(profile, name)
    data = Path("data") / profile
    rows = read_manifest(data / "clips/train/clips.csv")
    assert {row.source for row in rows} == set(source)
    train.main(profile, method)
    assert (data / "models" / method / "best.safetensors").is_file()
    evaluate.main(profile, method, benchmark)
    assert f"{data / 'scratch' / benchmark / method}: where this look" in capsys.readouterr().out
    means = json.loads((data / "scratch" / benchmark / method / "metrics.json").read_text())[benchmark]
    assert all(math.isfinite(value) for value in means.values())


def test_ifrvps_schedule_is_its_documents():
    """Seeds, ifrvp.md: 300 epochs, cosine from 1e-4 to 1e-5, batches of 12 per GPU."""
    for profile in ("ifrvp", "gopro", "cityscapes"):
        for config in (
            load(params.SOURCE, profile, method) for method in load(params.SOURCE, profile).ablations
        ):
            (phase,) = config.train.phases
            assert (phase.epochs, phase.rate, phase.final_rate) == (300, 1e-4, 1e-5)
            assert (config.train.batch, config.train.warmup) == (12, 0)


def test_each_profile_trains_what_its_data_set_is_for():
    learnt = {name: load(params.SOURCE, name) for name in ("gopro", "cityscapes", "x4k1000fps")}
    assert "ifrnet" in learnt["gopro"].ablations
    assert learnt["gopro"].clips.sets["train"].stride == 4
    assert load(params.SOURCE, "cityscapes", "ifrvp").clip.learnt == (1,)  # k+1
    assert learnt["x4k1000fps"].clips.sets["train"].windows == "random"
    for name, config in learnt.items():
        assert config.clips.sets["train"].sources == (name,)
        assert config.sources[name].given
