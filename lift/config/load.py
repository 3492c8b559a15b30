"""Resolve params.yaml: the top level, overridden by the profile, overridden by the method.

A profile may stand on others (`base`), which then come before it. Of each list of a profile's `methods` comes
the kind of a method: trained (its overrides stand under `ablations`), released (under `released`, and its
model and window in the header of its weights), or without training.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from lift import header
from lift.config.abilities import check_ability
from lift.config.base import PROFILED, Config, Kind
from lift.config.checks import check_methods, check_profile, named
from lift.config.parse import build, check_known, lay
from lift.config.schema import Clip, Model
from lift.config.trained import check_method
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.files import ROOT

OVERRIDABLE = ("clip", "loss", "model", "train")
"""What a method may change: never the data or the protocol."""
OF_RELEASED = ("clip", "model", "weights")
KINDS = ("trained", "released", "baselines")
_APART = ("profile", "profiles", "ablations", "released", "splits", "defaults", "quarter")
PARAMS = ROOT / "params.yaml"
WEIGHTS = "weights"
"""Folder of released weights, beside params.yaml."""


def load(path: Path | str, profile: str, method: str | None = None) -> Config:
    """Resolve the parameters of one run.

    Args:
        path: params.yaml.
        profile: A key of `profiles`.
        method: One of the profile's, or any other of `ablations` or `released`; None: no override (what
            stages before training use).

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
    if method not in configs:
        known = {*configs, *base.baselines, *named(read(Path(path)), "ablations")}
        check_known(method, known, "ablations")
        return Reader(Path(path), profile).trained(method)
    return configs[method]


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
        self.raw, self.profile, self.folder = read(path), profile, path.parent / WEIGHTS
        self.ablations = named(self.raw, "ablations")
        self.releases = named(self.raw, "released", empty=True)
        profiles = named(self.raw, "profiles")
        check_known(profile, profiles, "profiles")
        for name, own in profiles.items():
            if not isinstance(own, Mapping):
                raise UserError(
                    f"params.yaml: profiles.{name}: expected keys and their values, found {own!r}"
                )
        self.merged = _profiled(self.raw, profiles, profile)
        self.base = self._built("", "base", {})

    def trained(self, name: str) -> Config:
        """Return the configuration of a method that is trained.

        Raises:
            UserError: The key at fault.
        """
        where = f"ablations.{name}"
        config = self._built(name, "trained", _section(self.ablations[name], where, OVERRIDABLE))
        check_method(config, where)
        return config

    def released(self, name: str) -> Config:
        """Return the configuration of a released method.

        Raises:
            UserError: The key at fault, or the weights are missing, damaged or of another version.
        """
        where = f"released.{name}"
        over = _section(self.releases[name], where, OF_RELEASED)
        files = over.pop("weights", name)
        weights = (files,) if isinstance(files, str) else tuple(files) if isinstance(files, list) else ()
        if not weights or not all(isinstance(file, str) for file in weights):
            raise UserError(
                f"params.yaml: {where}.weights: expected a file's name, or a list of those of several "
                f"trainings, found {files!r}"
            )
        path, *others = (self.folder / f"{file}{header.SUFFIX}" for file in weights)
        described = header.read(path).plain("config") or {}
        own: dict[str, Any] = {key: described[key] for key in ("clip", "model") if key in described}
        try:
            values = lay(self.merged, own, Config, "")
        except UserError as error:
            reason = str(error).removeprefix("params.yaml: ")
            raise UserError(f"{path}: weights of another version of the project: {reason}") from error
        if others:
            over["train"] = {"seeds": _seeds(path, others)}
        config = self._built(name, "released", over, values, weights=weights)
        check_ability(config.model, config.loss, config.clip.offsets, where, config.clip.task)
        return config

    def _built(
        self,
        name: str,
        kind: Kind,
        over: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        weights: tuple[str, ...] = (),
    ) -> Config:
        where = f"{'released' if kind == 'released' else 'ablations'}.{name}"
        merged = lay(self.merged if values is None else values, over, Config, where)
        own: dict[str, Any] = {"profile": self.profile, "method": name, "kind": kind, "weights": weights}
        if kind == "base":
            return build(Config, {**merged, **own}, "")
        # What a method leaves alone has been built and checked with the base.
        kinds = get_type_hints(Config)
        differ = [key for key in OVERRIDABLE if merged[key] is not self.merged[key]]
        own |= {key: build(kinds[key], merged[key], key) for key in differ}
        return dataclasses.replace(self.base, **own)


def _seeds(first: Path, others: Sequence[Path]) -> list[int]:
    """Return the seeds of files that are to be several trainings of one method.

    Raises:
        UserError: One is not from this project, or is another method's, or has the seed of another.
    """
    found: dict[int, Path] = {}
    wanted: dict[str, Any] | None = None
    for path in (first, *others):
        described = header.read(path).plain("config")
        if described is None:
            raise UserError(f"{path}: says no seed, so it is no one of several trainings of a method")
        seed = described.pop("seed")
        wanted = described if wanted is None else wanted
        differ = sorted(key for key in {*wanted, *described} if wanted.get(key) != described.get(key))
        if differ:
            raise UserError(f"{path}: trained otherwise than {first} ({', '.join(differ)} differ)")
        if seed in found:
            raise UserError(f"{path}: has seed {seed}, as {found[seed]} has")
        found[seed] = path
    return list(found)


def _profiled(raw: Mapping[str, Any], profiles: Mapping[str, Any], profile: str) -> dict[str, Any]:
    """Lay a profile, and before it those that it stands on, over the top level; fill in `defaults`."""
    values = {key: value for key, value in raw.items() if key not in _APART}
    lists: dict[str, Any] = {}
    for name in _chain(profiles, profile, ()):
        where = f"profiles.{name}"
        over = {key: value for key, value in profiles[name].items() if key != "base"}
        for key in over:
            check_known(str(key), (*PROFILED, "methods", "base"), where)
        if set(over.get("clips") or {}) - {"sets"}:
            raise UserError(f"params.yaml: {where}.clips: only `sets` may differ between profiles")
        lists |= _section(over.pop("methods", {}), f"{where}.methods", KINDS)
        values = lay(values, over, Config, where)
    for kind in KINDS:
        if not isinstance(lists.get(kind), list):
            raise UserError(
                f"params.yaml: profiles.{profile}.methods.{kind}: expected a list of names, found "
                f"{lists.get(kind)!r}"
            )
    return _filled(values, raw, learns=bool(lists["trained"])) | {
        "ablations": lists["trained"], "released": lists["released"], "baselines": lists["baselines"]
    }  # fmt: skip


def _chain(profiles: Mapping[str, Any], name: str, seen: tuple[str, ...]) -> list[str]:
    """Return the profiles to lay one over the other, `name` last."""
    own = profiles[name]
    bases = own.get("base") or []
    if not isinstance(bases, list):
        raise UserError(f"params.yaml: profiles.{name}.base: expected a list of profiles, found {bases!r}")
    found: list[str] = []
    for base in bases:
        check_known(str(base), profiles, f"profiles.{name}.base")
        if base in (name, *seen):
            raise UserError(f"params.yaml: profiles.{name}.base: {base} stands on itself")
        found += [one for one in _chain(profiles, base, (*seen, name)) if one not in found]
    return [*found, name]


def _filled(values: dict[str, Any], raw: Mapping[str, Any], *, learns: bool) -> dict[str, Any]:
    """Return every benchmark, source, rendering and clip set what it does not say itself (`defaults`).

    Where no method `learns`, nothing is rendered to be learnt from.
    """
    defaults = _section(raw.get("defaults"), "defaults", ("benchmark", "source", "render", "set"))

    def each(part: Any, kind: str, where: str) -> Any:
        common = _section(defaults.get(kind), f"defaults.{kind}", None)
        if not isinstance(part, Mapping):
            return part  # which is refused by its key when it is built
        return {name: {**common, **_section(own, f"{where}.{name}", None)} for name, own in part.items()}

    filled = dict(values)
    for key, kind in (("benchmarks", "benchmark"), ("sources", "source")):
        if key in values:
            filled[key] = each(values[key], kind, key)
    render = _section(defaults.get("render"), "defaults.render", None)
    for own in filled["sources"].values() if isinstance(filled.get("sources"), Mapping) else ():
        if isinstance(own.get("render"), Mapping):
            own["render"] = {**render, **own["render"], **({} if learns else {"train": 0})}
    if isinstance(clips := values.get("clips"), Mapping) and "sets" in clips:
        filled["clips"] = {**clips, "sets": each(clips["sets"], "set", "clips.sets")}
    return filled


def _section(value: Any, where: str, known: tuple[str, ...] | None) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        told = f"overrides of {', '.join(known)}" if known else "keys and their values"
        raise UserError(f"params.yaml: {where}: expected {told}, found {value!r}")
    for key in value if known else ():
        check_known(str(key), known or (), where)
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
    except UserError as error:
        reason = str(error).removeprefix("params.yaml: ")
        raise UserError(
            f"{path}: weights of another version of the project: {reason}; train them again"
        ) from error
