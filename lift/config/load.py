"""Resolve params.yaml: the top level, overridden by the profile, overridden by the method.

A profile may stand on others (`base`), which then come before it. Of each list of a profile's `methods` comes
the kind of a method: trained (its overrides stand under `ablations`), released (under `released`, and its
model and window in the header of its weights), or without training.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from lift import header
from lift.config.abilities import check_ability
from lift.config.base import PROFILED, Config, Kind
from lift.config.checks import check_freeze, check_limits, check_model, check_names, check_span, named
from lift.config.merge import lay
from lift.config.parse import build, check_known
from lift.config.prediction import check_compared, check_measured
from lift.config.yaml12 import read
from lift.errors import UserError

OVERRIDABLE = ("clip", "loss", "model", "train")
"""What a method may change: never the data or the protocol."""
OF_RELEASED = ("clip", "model", "weights")
KINDS = ("trained", "released", "baselines")
_APART = ("profile", "profiles", "ablations", "released", "splits", "defaults", "quarter")
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
    check_names(reader.raw, base)
    trained = {name: reader.trained(name) for name in reader.ablations}
    listed = {name: trained[name] for name in base.ablations}
    listed |= {name: reader.released(name) for name in base.released}
    check_measured(listed, base)
    check_compared(listed, base)
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
        check_model(config, where)
        check_span(config, where)
        check_limits(config)
        check_freeze(config)
        return config

    def released(self, name: str) -> Config:
        """Return the configuration of a released method.

        Raises:
            UserError: The key at fault, or the weights are missing, damaged or of another version.
        """
        where = f"released.{name}"
        over = _section(self.releases[name], where, OF_RELEASED)
        weights = over.pop("weights", name)
        if not isinstance(weights, str):
            raise UserError(f"params.yaml: {where}.weights: expected the name of a file, found {weights!r}")
        path = self.folder / f"{weights}{header.SUFFIX}"
        described = header.read(path).plain("config") or {}
        own: dict[str, Any] = {key: described[key] for key in ("clip", "model") if key in described}
        try:
            values = lay(self.merged, own, Config, "")
        except UserError as error:
            reason = str(error).removeprefix("params.yaml: ")
            raise UserError(f"{path}: weights of another version of the project: {reason}") from error
        config = self._built(name, "released", over, values, weights=weights)
        check_ability(config.model, config.loss, config.clip.offsets, where, config.clip.task)
        return config

    def _built(
        self,
        name: str,
        kind: Kind,
        over: Mapping[str, Any],
        values: Mapping[str, Any] | None = None,
        weights: str | None = None,
    ) -> Config:
        where = f"{'released' if kind == 'released' else 'ablations'}.{name}"
        merged = lay(self.merged if values is None else values, over, Config, where)
        own = {"profile": self.profile, "method": name, "kind": kind, "weights": weights}
        if kind == "base":
            return build(Config, {**merged, **own}, "")
        # What a method leaves alone has been built and checked with the base.
        kinds, differ = (
            get_type_hints(Config),
            (key for key in OVERRIDABLE if merged[key] is not self.merged[key]),
        )
        return dataclasses.replace(
            self.base, **own, **{key: build(kinds[key], merged[key], key) for key in differ}
        )


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
    benchmark, source, render, clip_set = (
        _section(defaults.get(key), f"defaults.{key}", None)
        for key in ("benchmark", "source", "render", "set")
    )
    filled = dict(values)
    if isinstance(values.get("benchmarks"), Mapping):
        filled["benchmarks"] = {
            name: {**benchmark, **_section(own, f"benchmarks.{name}", None)}
            for name, own in values["benchmarks"].items()
        }
    if isinstance(values.get("sources"), Mapping):
        filled["sources"] = {}
        for name, own in values["sources"].items():
            one = {**source, **_section(own, f"sources.{name}", None)}
            if isinstance(one.get("render"), Mapping):
                one["render"] = {**render, **one["render"], **({} if learns else {"train": 0})}
            filled["sources"][name] = one
    clips = values.get("clips")
    if isinstance(clips, Mapping) and isinstance(clips.get("sets"), Mapping):
        sets = {
            name: {**clip_set, **_section(own, f"clips.sets.{name}", None)}
            for name, own in clips["sets"].items()
        }
        filled["clips"] = {**clips, "sets": sets}
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
