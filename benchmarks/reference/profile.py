"""The folder of a reference run: a params.yaml of its own, footage that trains, and links to what tests.

The stages then run there as they do for any profile, so there is no second training loop and no second
evaluation, and a run that was killed goes on as any training does.
"""

import copy
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from lift.config.parse import check_known
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.files import atomic, full_disk_explained
from lift.weights import first_difference

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SIZES = HERE / "sizes.yaml"
LAYOUTS = ("vimeo90k", "ucf101", "davis", "snu_film")
"""What REAL holds, in the official layouts."""
UNIFORM = "_uniform"
Tree = dict[str, Any]


def settings(size: str) -> Tree:
    """Read what stands of one size in sizes.yaml, and what stands there of all.

    Raises:
        UserError: No such size.
    """
    raw: Tree = read(SIZES)
    shared = {key: raw.pop(key) for key in ("all", "profile", "trains", "leave_out")}
    check_known(size, raw, SIZES.name)
    chosen: Tree = raw[size]
    chosen["profile"] = over(shared["profile"], chosen["profile"])
    return {**shared, **chosen}


def name_of(size: str) -> str:
    """Give the name of a size's profile."""
    return f"reference_{size}"


def parameters(
    size: str, names: Collection[str], rules: Mapping[str, Any], real: Path, footage: Path
) -> Tree:
    """Give the content of the run's params.yaml.

    Args:
        size: Of the run.
        names: Ablations to keep, in the order of params.yaml; others may not fit a reference run's rules.
        rules: What `settings` gave.
        real: Folder of the layouts that test.
        footage: Folder with `train` and `test`, for the source `folder`.

    Raises:
        UserError: An ablation is none.
    """
    raw = over(read(ROOT / "params.yaml"), rules["all"])
    for ablation in names:
        check_known(ablation, raw["ablations"], "ablations")
    name = name_of(size)
    profile = over(raw["profiles"][rules["base"]], rules["profile"])
    places = {**dict.fromkeys(LAYOUTS, real), "folder": footage}
    profile["sources"] |= {
        key: {"path": str(path), "render": None, "optional": False} for key, path in places.items()
    }
    sets = profile["clips"]["sets"]
    for benchmark in (key for key in raw["benchmarks"] if key.endswith(UNIFORM)):
        sets[benchmark] = copy.deepcopy(sets[benchmark.removesuffix(UNIFORM)])
    raw.update(
        profile=[name],
        profiles={name: profile},
        ablations={key: value for key, value in raw["ablations"].items() if key in names},
        splits=["train", "validation", *raw["benchmarks"]],
    )
    return raw


def run_in(path: Path) -> str:
    """Give the name of a run's profile from its params.yaml.

    Raises:
        UserError: There is no such file, or it is of something else than a reference run.
    """
    return _read_run(path)[0]


def known_in(path: Path) -> list[str]:
    """List the ablations of a run's params.yaml; none where there is no such file.

    Raises:
        UserError: It is of something else than a reference run.
    """
    return list(_read_run(path)[1]["ablations"]) if path.is_file() else []


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> Tree:
    """Lay `above` upon `below`, section by section; lists are replaced."""
    result = {**copy.deepcopy(dict(below)), **copy.deepcopy(dict(above))}
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), Mapping):
            result[key] = over(below[key], value)
    return result


def check_parameters(path: Path, wanted: Tree) -> None:
    """Let the params.yaml of a run that goes on differ in what decides no clip: those are cut once.

    Raises:
        UserError: The folder was begun with other folders or other rules for the clips, or is of something
            else.
    """
    if not path.is_file():
        return
    difference = first_difference(_of_clips(_read_run(path)[1]), _of_clips(wanted))
    if difference is not None:
        raise UserError(
            f"{path}: this folder was begun otherwise: {difference}; give an empty OUT, or undo that"
        )


def write_parameters(path: Path, wanted: Tree) -> None:
    """Write params.yaml."""
    with atomic(path) as temporary:
        temporary.write_text(yaml.safe_dump(wanted, sort_keys=False), encoding="utf-8")


def make_folder(path: Path) -> None:
    """Make a folder that the command line names, unless it is there.

    Raises:
        UserError: A file stands in its place or in that of one above it, or it cannot be written.
    """
    with full_disk_explained(path):
        try:
            path.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise UserError(f"{path}: a file stands there, or above it; give a folder") from error


def _read_run(path: Path) -> tuple[str, Tree]:
    """Read a run's params.yaml: the name of its profile, and all of it."""
    if not path.is_file():
        raise UserError(f"{path.parent}: no reference run: it has no {path.name}; give the OUT of one")
    raw: Tree = read(path)
    profiles = raw.get("profiles")
    names = list(profiles) if isinstance(profiles, dict) else []
    if len(names) != 1 or not str(names[0]).startswith(name_of("")):
        raise UserError(f"{path}: not of a reference run, and so left alone; give another OUT")
    return str(names[0]), raw


def _of_clips(raw: Mapping[str, Any]) -> Tree:
    ((name, profile),) = raw["profiles"].items()
    return {
        "seed": raw["seed"],
        "clips": raw["clips"],
        "the profile's name": name,
        **{f"profiles.{name}.{key}": profile.get(key) for key in ("sources", "clips")},
    }
