"""Resolve params.yaml: the top level, overridden by the profile, overridden by the method.

A profile may stand on others (`base`), which then come before it. Of each list of a profile's `methods` comes
the kind of a method: trained (its overrides stand under `ablations`), released (under `released`, and its
model and window in the header of its weights), or without training.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from lift import header
from lift.config.abilities import check_ability
from lift.config.base import Config, Kind, Source
from lift.config.checks import check_method, check_methods, check_profile, named
from lift.config.data import Benchmark, ClipSet, Render
from lift.config.parse import ParamsError, build, check_known, lay
from lift.config.resolved import first_difference
from lift.config.schema import Clip, Model
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.files import ROOT

PROFILED = ("clips", "evaluate", "loss", "model", "report", "sources", "train")
"""What a profile may change, besides listing its methods."""
OVERRIDABLE = ("clip", "loss", "model", "train")
"""What a method may change: never the data or the protocol."""
OF_RELEASED = ("clip", "model", "weights")
KINDS = ("trained", "released", "baselines")
DEFAULTS: dict[str, type[Any]] = {
    "benchmark": Benchmark, "source": Source, "render": Render, "set": ClipSet
}  # fmt: skip
# Read on their own; all other keys of the top level are fields of Config.
_APART = ("profile", "profiles", "ablations", "released", "defaults", "quarter")
PARAMS = ROOT / "params.yaml"
WEIGHTS = "weights"
"""Folder of released weights, beside params.yaml."""


def load(path: Path | str, profile: str, method: str | None = None) -> Config:
    """Resolve the parameters of one run.

    Args:
        path: params.yaml.
        profile: A key of `profiles`.
        method: One of the profile's, or any other of `ablations`; None: no override (what stages before
            training use).

    Returns:
        The configuration, checked as a whole.

    Raises:
        UserError: One line that names the key at fault and the nearest known one.
    """
    base, configs = load_all(path, profile)
    if method is None:
        return base
    if method in base.baselines:
        return dataclasses.replace(base, method=method, kind="baseline")
    if method in configs:
        return configs[method]
    reader = Reader(Path(path), profile)
    check_known(method, {*configs, *base.baselines, *reader.ablations}, "ablations", "no such method")
    return reader.trained(method)


def load_all(path: Path | str, profile: str) -> tuple[Config, dict[str, Config]]:
    """Resolve a profile without a method, and each method of it that has a model; as `load` does.

    Every entry of `ablations` is checked, also those that the profile does not train.
    """
    reader = Reader(Path(path), profile)
    base = reader.base
    check_profile(reader.raw, base)
    trained = {name: reader.trained(name) for name in reader.ablations}
    listed = {name: trained[name] for name in base.ablations}
    listed |= {name: reader.released(name) for name in base.released}
    check_methods(listed, base)
    return base, listed


class Reader:
    """params.yaml, read once, as one profile sees it."""

    def __init__(self, path: Path, profile: str) -> None:
        self.raw, self.folder = read(path), path.parent / WEIGHTS
        self.ablations = named(self.raw, "ablations")
        self.releases = named(self.raw, "released", empty=True)
        self.merged = _profiled(self.raw, profile)
        own = {"profile": profile, "method": "", "kind": "base", "weights": []}
        self.base = build(Config, self.merged | own, "")

    def trained(self, name: str) -> Config:
        """Return the configuration of a method that is trained, checked.

        Raises:
            UserError: The key at fault.
        """
        where = f"ablations.{name}"
        over = _section(self.ablations[name], where, OVERRIDABLE)
        config = self._method(where, "trained", lay(self.merged, over, Config, where))
        check_method(config, where)
        return config

    def released(self, name: str) -> Config:
        """Return the configuration of a released method.

        Raises:
            UserError: The key at fault, or the weights are missing, damaged or of another version.
        """
        where = f"released.{name}"
        over = _section(self.releases[name], where, OF_RELEASED)
        given = over.pop("weights", name)
        files = given if isinstance(given, list) else [given]
        if not files or not all(isinstance(file, str) for file in files):
            raise ParamsError(
                f"{where}.weights: expected a file's name, or a list of those of several trainings, found "
                f"{given!r}"
            )
        paths = [self.folder / f"{file}{header.SUFFIX}" for file in files]
        described = header.plain(paths[0], "config") or {}
        own: dict[str, Any] = {key: described[key] for key in ("clip", "model") if key in described}
        try:
            values = lay(self.merged, own, Config, "")
        except ParamsError as error:
            raise UserError(f"{paths[0]}: weights of another version of the project: {error.text}") from error
        if len(paths) > 1:
            over["train"] = {"seeds": _seeds(paths)}
        config = self._method(where, "released", lay(values, over, Config, where), tuple(files))
        check_ability(config.model, config.loss, config.clip.offsets, where, config.clip.task)
        return config

    def _method(
        self, where: str, kind: Kind, values: Mapping[str, Any], weights: tuple[str, ...] = ()
    ) -> Config:
        # What a method leaves alone has been built and checked with the base: what is wrong now is its own.
        kinds = get_type_hints(Config)
        differ = [key for key in OVERRIDABLE if values[key] is not self.merged[key]]
        own: dict[str, Any] = {key: build(kinds[key], values[key], f"{where}.{key}") for key in differ}
        return dataclasses.replace(
            self.base, method=where.partition(".")[2], kind=kind, weights=weights, **own
        )


def _seeds(paths: Sequence[Path]) -> list[int]:
    """Return the seeds of files that are to be several trainings of one method."""
    seeds: list[int] = []
    first: dict[str, Any] = {}
    for path in paths:
        described = header.plain(path, "config")
        if described is None:
            raise UserError(f"{path}: says no seed, so it is no one of several trainings of a method")
        seed = described.pop("seed")
        first = first or described
        keys = sorted({*first, *described})
        differ = [key for key in keys if first_difference(first.get(key), described.get(key), key)]
        if differ:
            raise UserError(f"{path}: trained otherwise than {paths[0]} ({', '.join(differ)} differ)")
        if seed in seeds:
            raise UserError(f"{path}: has seed {seed}, as {paths[seeds.index(seed)]} has")
        seeds.append(seed)
    return seeds


def _profiled(raw: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """Lay a profile, and before it those that it stands on, over the top level, and that over `defaults`."""
    profiles = named(raw, "profiles")
    check_known(profile, profiles, "profiles")
    for name, own in profiles.items():
        if not isinstance(own, Mapping):
            raise ParamsError(f"profiles.{name}: expected keys and their values, found {own!r}")
    common = _section(raw.get("defaults"), "defaults", DEFAULTS)
    defaults = {DEFAULTS[key]: _section(own, f"defaults.{key}") for key, own in common.items()}
    top = {key: value for key, value in raw.items() if key not in _APART}
    values, lists = lay({}, top, Config, "", defaults), dict[str, Any]()
    for name in _chain(profiles, profile):
        where = f"profiles.{name}"
        over = _section(profiles[name], where, (*PROFILED, "methods", "base"))
        over.pop("base", None)
        lists |= _section(over.pop("methods", {}), f"{where}.methods", KINDS)
        values = lay(values, over, Config, where, defaults)
        if set(over.get("clips") or {}) - {"sets"}:
            raise ParamsError(f"{where}.clips: only `sets` may differ between profiles")
    for kind in KINDS:
        found = lists.get(kind)
        if not isinstance(found, list):
            where = f"profiles.{profile}.methods.{kind}"
            raise ParamsError(f"{where}: expected a list of names, found {found!r}")
    for source in (values.get("sources") or {}).values():
        if source.get("render") and not lists["trained"]:
            source["render"]["train"] = 0  # where no method learns, nothing is rendered to be learnt from
    lists["ablations"] = lists.pop("trained")  # its name in Config, and where their entries stand
    return values | lists


def _chain(profiles: Mapping[str, Any], name: str, above: tuple[str, ...] = ()) -> list[str]:
    """Return the profiles to lay one over the other, `name` last."""
    bases, where = profiles[name].get("base") or [], f"profiles.{name}.base"
    if not isinstance(bases, list):
        raise ParamsError(f"{where}: expected a list of profiles, found {bases!r}")
    found: list[str] = []
    for base in bases:
        check_known(str(base), profiles, where, "no such profile")
        if base in (name, *above):
            raise ParamsError(f"{where}: {base} stands on itself")
        found += [one for one in _chain(profiles, base, (*above, name)) if one not in found]
    return [*found, name]


def _section(value: Any, where: str, known: Iterable[str] = ()) -> dict[str, Any]:
    """Return a section that may be empty; refuse one that is no mapping, or has others than `known` keys."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        told = f"overrides of {', '.join(known)}" if known else "keys and their values"
        raise ParamsError(f"{where}: expected {told}, found {value!r}")
    for key in value if known else ():
        check_known(str(key), known, where)
    return dict(value)


def restore(path: Path, values: Mapping[str, Any]) -> tuple[Clip, Model]:
    """Rebuild what a model was trained with.

    Args:
        path: The weights file, for messages.
        values: Its header, as `Config.digestible` made it. What of `model` belongs to other models than the
            named one is left out there; it decides nothing and is filled in from params.yaml.

    Raises:
        UserError: The header is of another version of the project.
    """
    current = read(PARAMS).get("model")
    model = {**(current if isinstance(current, Mapping) else {}), **(values.get("model") or {})}
    try:
        return build(Clip, values.get("clip"), "clip"), build(Model, model, "model")
    except ParamsError as error:
        raise UserError(
            f"{path}: weights of another version of the project: {error.text}; train them again"
        ) from error
