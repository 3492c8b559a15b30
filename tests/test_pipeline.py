"""The pipeline's declarations against the code: DVC says "up to date" wrongly where one is missing."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import ruamel.yaml
import yaml

from lift import imports
from lift.config import load, load_all, yaml12
from lift.config.load import KINDS, Reader
from lift.config.resolved import files
from lift.config.schema import MODELS
from stages.resolve import STAGES as CODED

ROOT = Path(__file__).resolve().parents[1]
STAGES = ruamel.yaml.YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
PARAMS = yaml12.read(ROOT / "params.yaml")
PROFILES = list(PARAMS["profiles"])


def profile_of(name):
    """Give the profile that a stage of dvc.yaml is of: its name's end, or the demo."""
    return max((p for p in PROFILES if name.endswith(f"_{p}")), key=len, default="demo")


def items(name):
    """Give the values that the matrix of a stage has."""
    axes = STAGES[name]["matrix"]
    profile = profile_of(name)
    if "split" in axes:
        return [{"profile": profile, "split": split} for split in PARAMS["clips"]["sets"]]
    if "method" in axes:
        at = PARAMS
        for part in axes["method"].strip("${}").split("."):
            at = at[part]
        return [{"profile": profile, "method": method} for method in at]
    return [{"profile": profile}]


def filled(text, item):
    for key, value in item.items():
        text = text.replace(f"${{item.{key}}}", value)
    return text


@cache
def resolved(profile):
    """Give the files that `resolve` writes for a profile."""
    base, configs = load_all(ROOT / "params.yaml", profile)
    found = {f"data/{profile}/resolved/{path}" for path in files(base, configs, ROOT / "weights")}
    return found | {f"data/{profile}/resolved/code/{stage}.json" for stage in CODED}


@pytest.mark.parametrize("name", STAGES)
def test_what_a_stage_depends_on_is_in_the_repository_or_made_by_an_earlier_one(name):
    made, profile = set(), profile_of(name)
    for earlier in STAGES:
        if profile_of(earlier) != profile:
            continue
        for item in items(earlier):
            for out in [*STAGES[earlier].get("outs", []), *STAGES[earlier].get("plots", [])]:
                path = out if isinstance(out, str) else next(iter(out))
                made.add(Path(filled(path, item)))
    within = {folder for out in made for folder in out.parents}
    for item in items(name):
        for dep in STAGES[name]["deps"]:
            path = filled(dep, item)
            if "/resolved/" in path:
                assert path in resolved(profile)
            elif path.startswith("data/"):
                own = Path(path)  # what is made, or lies in it, or holds it
                assert own in made | within or made & set(own.parents), path
            else:
                assert (ROOT / path).exists(), path


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_depends_on_its_own_code_and_runs_its_own_profile(name):
    stage = STAGES[name]["cmd"].split()[2].removeprefix("stages.")
    if stage != "resolve":
        assert f"data/${{item.profile}}/resolved/code/{stage}.json" in STAGES[name]["deps"]
    assert STAGES[name]["matrix"]["profile"] == f"${{profile.{profile_of(name)}}}"


def test_every_profile_has_every_stage_and_each_of_its_lists_is_an_axis():
    kinds = {name.removesuffix(f"_{profile_of(name)}") for name in STAGES}
    for profile in PROFILES:
        own = {name.removesuffix(f"_{profile}") for name in STAGES if profile_of(name) == profile}
        assert own == kinds, profile
        listed = {method for name in STAGES if profile_of(name) == profile for item in items(name)
                  if (method := item.get("method"))}  # fmt: skip
        assert listed == set(load(ROOT / "params.yaml", profile).methods), profile
    assert KINDS == ("trained", "released", "baselines")


# PyTorch is loaded once; each stage is then a fork that has nothing of ours yet.
LOADED = """
import importlib, json, os, sys
import torch
for stage in sys.argv[1:]:
    if not (child := os.fork()):
        importlib.import_module(f"stages.{stage}")
        files = [m.__file__ for m in list(sys.modules.values()) if getattr(m, "__file__", None)]
        print(json.dumps([stage, files]), flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{stage}: failed")
"""


@pytest.fixture(scope="module")
def loaded():
    """Give the files that Python loads to run each stage."""
    command = [sys.executable, "-c", LOADED, *CODED]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return dict(map(json.loads, done.stdout.splitlines()))


@pytest.mark.parametrize("stage", CODED)
def test_the_code_of_a_stage_is_all_that_python_loads_to_run_it(loaded, stage):
    """The import walk reads the source; here Python itself says what it loaded."""
    files = set(map(Path, loaded[stage]))
    ours = {p for p in files if p.is_relative_to(ROOT / "lift") or p.is_relative_to(ROOT / "stages")}
    walked = imports.reached(ROOT / "stages" / f"{stage}.py")
    assert {p for p in ours - walked if imports.does_something(p)} <= set(imports.LOADING)
    assert ours


@pytest.mark.parametrize("stage", ["train", "evaluate"])
def test_every_model_is_code_of_the_stages_that_build_one_by_its_name(stage):
    code = imports.digests(ROOT / "stages" / f"{stage}.py")
    assert {f"lift/models/{name}/interpolator.py" for name in MODELS} <= set(code)
    assert "lift/models/matching/search.py" in code


@pytest.mark.parametrize(
    ("stage", "parts"),
    [
        ("train", ("lift/fetch", "lift/clips", "lift/scenes", "lift/report", "lift/evaluation")),
        ("clips", ("lift/fetch", "lift/scenes", "lift/models", "lift/report")),
        (
            "evaluate",
            ("lift/fetch", "lift/clips", "lift/scenes", "lift/training", "lift/losses", "lift/report"),
        ),
        (
            "report",
            ("lift/fetch", "lift/data", "lift/models", "lift/training", "lift/evaluation", "lift/video"),
        ),
    ],
)
def test_no_stage_runs_again_for_the_code_of_another(stage, parts):
    code = imports.digests(ROOT / "stages" / f"{stage}.py")
    assert f"stages/{stage}.py" in code
    for part in parts:
        assert (ROOT / part).exists(), part
        assert not [path for path in code if path.startswith(f"{part}/")], part


def test_what_a_package_reads_beside_its_modules_counts():
    code = imports.digests(ROOT / "stages" / "report.py")
    read = ("published.yaml", "texts.yaml", "page/index.html.j2", "tables/table.tex.j2")
    assert {f"lift/report/{name}" for name in read} <= set(code)


def test_every_benchmark_is_cut_into_clips():
    assert set(PARAMS["benchmarks"]) <= set(PARAMS["clips"]["sets"])


def test_our_reading_of_params_equals_dvcs():
    theirs = ruamel.yaml.YAML(typ="safe").load(ROOT / "params.yaml")
    assert theirs == PARAMS


@pytest.mark.parametrize("profile", PROFILES)
def test_every_ablation_resolves_in_every_profile(profile):
    reader = Reader(ROOT / "params.yaml", profile)
    for ablation in PARAMS["ablations"]:
        config = reader.trained(ablation)
        references = {-2, -1} if config.clip.task == "predict" else {-1, 1}
        assert references <= set(config.clip.offsets)


def test_the_thesis_profile_has_the_specifications_numbers():
    config = load(ROOT / "params.yaml", "thesis", "lift15")
    assert config.model.widths == (32, 64, 128, 192, 256)
    assert config.clip.offsets == (*range(-8, 0), *range(1, 7))
    assert [phase.epochs for phase in config.train.phases] == [10, 20, 20]
    # The specification's last crop is 256 x 256, but UCF101's frames have 240 rows, and rows come in 32s.
    assert [phase.crop for phase in config.train.phases] == [(224, 224), (224, 224), (256, 448)]
    assert [phase.rate for phase in config.train.phases] == [1e-4, 1e-4, 1e-5]
    assert config.loss.l1 == 1.0
    assert config.loss.lpips == 0.1
    assert {name for name, source in config.sources.items() if source.render} == {"scenes"}


def test_every_ablation_is_some_profiles_and_the_study_needs_no_download():
    lists = [load(ROOT / "params.yaml", profile).ablations for profile in PROFILES]
    assert {name for names in lists for name in names} == set(PARAMS["ablations"])
    assert len(load(ROOT / "params.yaml", "thesis").ablations) > 20
    for profile in ("study", "quarter"):
        config = load(ROOT / "params.yaml", profile)
        assert all(source.optional or source.render for source in config.sources.values())
    thesis = load(ROOT / "params.yaml", "thesis", "lift15")
    assert load(ROOT / "params.yaml", "quarter", "lift15").model.widths == thesis.model.widths
    assert load(ROOT / "params.yaml", "quarter", "lift15").model.pretrained is None
    for other in ("demo", "thesis"):  # where one of the thesis' own sets is missing, that is a mistake
        config = load(ROOT / "params.yaml", other)
        own = {
            source
            for name in ("vimeo90k", "ucf101", "davis", "snu_film")
            for source in config.clips.sets[name].sources
        }
        assert own
        assert not any(config.sources[name].optional for name in own)


def test_the_demo_can_decide_its_declared_comparisons():
    config = load(ROOT / "params.yaml", "demo")
    source = config.sources[config.clips.sets[config.report.benchmark].sources[0]]
    assert source.render is not None
    assert source.render.test >= config.report.least_videos


def test_lift64_is_the_first_generations_window_and_attention():
    config = load(ROOT / "params.yaml", "thesis", "lift64")
    offsets = config.clip.offsets
    assert offsets == tuple(range(-63, 64, 2))
    assert (offsets[31], offsets[32]) == (-1, 1)
    assert (config.model.attention, config.model.window, config.model.layers) == ("windowed", 8, 4)
    assert config.model.target_position + offsets[0] >= 0


def test_what_the_repository_carries_is_small():
    weights = [path for path in (ROOT / "weights").iterdir() if path.is_file()]
    assert all(path.stat().st_size <= 16 * 2**20 for path in weights)
    assert sum(path.stat().st_size for path in weights) <= 25 * 2**20
    lines = (ROOT / "params.yaml").read_text().splitlines()
    ideas = lines[lines.index(next(line for line in lines if line.startswith("ablations:"))) :]
    assert len(lines) - len(ideas) <= 450  # ablations and released grow with what is tried, but
    assert len(lines) <= 550  # a file that nobody reads to its end holds no study together


def test_dvc_yaml_is_plain_yaml_for_every_reader():
    assert yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].keys() == STAGES.keys()


def test_the_locked_packages_carry_hashes_and_no_index_address():
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "index-url" not in lock
