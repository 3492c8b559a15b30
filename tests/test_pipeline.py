"""The pipeline's declarations against the code: DVC says "up to date" wrongly where one is missing."""

import ast
import dataclasses
from pathlib import Path

import pytest
import ruamel.yaml
import yaml

from lift.config import load, yaml12
from stages.train import CODE

ROOT = Path(__file__).resolve().parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = yaml12.read(ROOT / "params.yaml")


def module_files(name: str) -> set[Path]:
    """List the files that importing the dotted `name` runs, packages' own included."""
    files, at = set(), ROOT
    for part in name.split("."):
        at = at / part
        for candidate in (at.with_suffix(".py"), at / "__init__.py"):
            if candidate.is_file():
                files.add(candidate)
    return files


def reachable(start: Path) -> set[Path]:
    """List every file of this repository that a file imports, directly or not."""
    seen, todo = set(), [start]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        package = path.parent.relative_to(ROOT).parts
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
                module = ".".join(filter(None, [base, node.module or ""]))
                names = [module, *(f"{module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for name in names:
                if name.split(".")[0] in ("lift", "stages"):
                    todo += module_files(name)
    return {path for path in seen if path.name != "__init__.py" or path.parent.name != "stages"}


@pytest.mark.parametrize("name", STAGES)
def test_every_imported_file_is_a_declared_dependency(name):
    stage = STAGES[name]
    module = stage["cmd"].split()[2]
    declared = [ROOT / dep for dep in stage["deps"] if not dep.startswith("data/")]
    for path in reachable(ROOT / Path(*module.split(".")).with_suffix(".py")):
        covered = any(path == dep or dep in path.parents for dep in declared)
        assert covered, f"{name}: {path.relative_to(ROOT)} is imported and not declared"


def test_how_footage_comes_here_touches_only_download_and_how_it_is_cut_only_clips():
    """A corrected address must not train anything anew."""
    depend = {
        part: {n for n, s in STAGES.items() if part in s["deps"]} for part in ("lift/fetch", "lift/clips")
    }
    assert depend == {"lift/fetch": {"download"}, "lift/clips": {"clips"}}
    whole = {name for name, stage in STAGES.items() if {"lift", "lift/data"} & set(stage["deps"])}
    assert whole.isdisjoint({"download", "clips"})


def test_a_checkpoint_is_of_the_code_that_the_stage_depends_on():
    declared = {ROOT / dep for dep in STAGES["train"]["deps"] if not dep.startswith("data/")}
    assert set(CODE) == declared


@pytest.mark.parametrize("name", STAGES)
def test_every_declared_dependency_exists(name):
    for dep in STAGES[name]["deps"]:
        assert dep.startswith("data/") or (ROOT / dep).exists(), dep


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize("profile", PARAMS["profiles"])
def test_every_declared_parameter_exists(name, profile):
    stage = STAGES[name]
    for item in PARAMS["ablations"] if "ablation" in stage["matrix"] else [""]:
        for split in PARAMS["splits"] if "split" in stage["matrix"] else [""]:
            for key in stage["params"]:
                key = key.replace("${item.profile}", profile).replace("${item.ablation}", item)
                value = PARAMS
                for part in key.replace("${item.split}", split).split("."):
                    assert part in value, key
                    value = value[part]


@pytest.mark.parametrize("stage", ["evaluate", "baseline", "report"])
def test_what_reads_benchmarks_depends_on_all_clips_also_of_a_benchmark_to_come(stage):
    assert "data/${item.profile}/clips" in STAGES[stage]["deps"]


def test_every_benchmark_is_cut_into_clips():
    assert set(PARAMS["benchmarks"]) <= set(PARAMS["splits"])


def test_our_reading_of_params_equals_dvcs():
    theirs = ruamel.yaml.YAML(typ="safe").load(ROOT / "params.yaml")
    assert theirs == PARAMS


@pytest.mark.parametrize("profile", PARAMS["profiles"])
@pytest.mark.parametrize("ablation", PARAMS["ablations"])
def test_every_ablation_resolves_in_every_profile(profile, ablation):
    config = load(ROOT / "params.yaml", profile, ablation)
    references = {-2, -1} if config.clip.task == "predict" else {-1, 1}
    assert references <= set(config.clip.offsets)


def test_the_thesis_profile_has_the_specifications_numbers():
    config = load(ROOT / "params.yaml", "thesis", "lift15")
    assert config.model.widths == (32, 64, 128, 192, 256)
    assert config.clip.offsets == (*range(-8, 0), *range(1, 7))
    assert [phase.epochs for phase in config.train.phases] == [10, 20, 20]
    # The specification's last crop is 256 x 256, but UCF101's frames have 240 rows, and rows come in 32s.
    assert [phase.crop for phase in config.train.phases] == [(224, 224), (224, 224), (224, 256)]
    assert [phase.rate for phase in config.train.phases] == [1e-4, 1e-4, 1e-5]
    assert config.loss.l1 == 1.0
    assert config.loss.lpips == 0.1
    assert not config.procedural or set(n for n, s in config.sources.items() if s.render) == {"scenes"}


def test_profile_scenes_has_the_specifications_widths_and_needs_no_download():
    ours, thesis = (load(ROOT / "params.yaml", profile, "lift15") for profile in ("scenes", "thesis"))
    assert dataclasses.replace(thesis.model, pretrained=None) == ours.model
    assert {phase.crop for phase in ours.train.phases} == {(256, 256)}
    assert all(source.optional or source.render for source in ours.sources.values())
    for other in ("demo", "thesis"):  # a missing data set is a mistake; Cityscapes needs a login
        sources = load(ROOT / "params.yaml", other).sources
        assert {name for name, source in sources.items() if source.optional} == {"cityscapes"}


def test_lift64_is_the_first_generations_window_and_attention():
    config = load(ROOT / "params.yaml", "thesis", "lift64")
    offsets = config.clip.offsets
    assert offsets == tuple(range(-63, 64, 2))
    assert (offsets[31], offsets[32]) == (-1, 1)
    assert (config.model.attention, config.model.window, config.model.layers) == ("windowed", 8, 4)
    assert config.model.target_position + offsets[0] >= 0


def test_the_main_models_of_profile_scenes_are_known():
    lines = (ROOT / "Makefile").read_text().splitlines()
    named = {line.split()[0]: line.split()[2:] for line in lines if " ?= " in line}
    assert len(named["MAIN"]) == len(set(named["MAIN"])) == 12  # as many as are reckoned with
    assert set(named["MAIN"]) <= set(PARAMS["ablations"])
    assert set(named["WITHOUT_TRAINING"]) <= set(PARAMS["baselines"])
    asked = {name for c in PARAMS["report"]["comparisons"] for name in (c["method"], c["against"])}
    assert asked <= {*named["MAIN"], *named["WITHOUT_TRAINING"]}


def test_the_locked_packages_carry_hashes_and_no_index_address():
    lock = (ROOT / "requirements.lock").read_text()
    assert "--hash=sha256:" in lock
    assert "://" not in lock
    assert "index-url" not in lock
