"""What each stage is made from, as plain values: its part of params.yaml and nothing else.

The stage `resolve` writes one file for each; the stages depend on theirs in place of lists of parameters. So
a change of params.yaml runs exactly the stages again whose file it changes.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lift import header
from lift.config.abilities import predicts
from lift.config.base import Config
from lift.errors import UserError

Plain = dict[str, Any]
FOLDER = "resolved"
LPIPS = "lpips_alexnet.safetensors"
"""The features that LPIPS compares, in the folder of released weights."""


def files(base: Config, configs: Mapping[str, Config], weights: Path) -> dict[str, Plain]:
    """Return the content of every file of a profile, by its path below data/<profile>/resolved.

    Args:
        base: The profile without a method.
        configs: Its methods that have a model.
        weights: The folder of released weights.

    Raises:
        UserError: A released file is missing or damaged.
    """
    found = {"download.json": download(base, configs.values()), "report.json": report(base, configs)}
    found["pictures.json"] = pictures(base)
    found |= {f"clips/{split}.json": clips(base, split) for split in base.clips.sets}
    found |= {f"train/{name}.json": train(configs[name], weights) for name in base.ablations}
    for name in base.methods:
        found[f"evaluate/{name}.json"] = evaluate(configs.get(name, base), name, weights)
    return {path: _plain(content) for path, content in found.items()}


def download(base: Config, configs: Iterable[Config]) -> Plain:
    """Return what decides which footage and weights are brought; how is no part of it."""
    return {
        "seed": base.seed,
        "sources": {name: dataclasses.asdict(source) for name, source in base.sources.items()},
        "missing": {name: base.missing(name) for name, source in base.sources.items() if source.render},
        "pretrained": base.model.pretrained,
        "vgg19": any(config.loss.perceptual for config in configs),
    }


def clips(base: Config, split: str) -> Plain:
    """Return what decides how a set is cut."""
    own = base.clips.sets[split]
    rules = {key: value for key, value in dataclasses.asdict(base.clips).items() if key != "sets"}
    sources = {name: dataclasses.asdict(base.sources[name]) for name in own.sources}
    return {"seed": base.seed, "rules": rules, "set": dataclasses.asdict(own), "sources": sources}


def train(config: Config, weights: Path) -> Plain:
    """Return what decides the weights of a method, of all its seeds.

    `weights` is the folder of released weights, which the loss sees through, or which a training starts from.

    Raises:
        UserError: One of these is missing.
    """
    values = config.digestible()
    del values["seed"]  # each training has one of the list
    if config.loss.lpips:
        values["lpips"] = header.digest(weights / LPIPS)
    start = config.model.start
    if start is not None and start.parent == Path("weights"):
        values["start"] = header.digest(weights / start.name)
    return {**values, "seeds": config.train.seeds}


def evaluate(config: Config, name: str, weights: Path) -> Plain:
    """Return what decides a method's results: what it is, and how it is measured.

    Args:
        config: The method's; of a method without a model, the base's.
        name: The method.
        weights: The folder of released weights.

    Raises:
        UserError: The released file is missing or damaged.
    """
    ahead = predicts(config, name)
    rules = {
        key: {"sampling": rule.sampling, "horizons": rule.horizons, "protocol": rule.protocol}
        for key, rule in config.benchmarks.items()
        if rule.horizons or not ahead
    }
    made: Plain = {"kind": "baseline" if config.kind == "base" else config.kind}
    if config.kind == "trained":
        made["training"] = train(config, weights)
    elif config.kind == "released":
        digests = []
        for file in config.weights:
            path = weights / f"{file}{header.SUFFIX}"
            header.check(path)
            digests.append((file, header.digest(path)))
        (first, digest), *further = digests
        made |= {"weights": first, "sha256": digest, **config.described()}
        if further:
            made["further"] = dict(further)
    elif name == "untrained":
        made |= {"seed": config.seed, **config.described()}
    measured = {**dataclasses.asdict(config.evaluate), "lpips": header.digest(weights / LPIPS)}
    return {"method": made, "evaluate": measured, "benchmarks": rules}


def report(base: Config, configs: Mapping[str, Config]) -> Plain:
    """Return what the report is made from besides results: all but how files are brought."""
    known = {key: value for key, value in dataclasses.asdict(base).items() if key != "download"}
    models = {name: {**config.digestible(), "weights": config.weights} for name, config in configs.items()}
    return {"profile": known, "methods": models}


def pictures(base: Config) -> Plain:
    """Return which clips are shown, and by which methods; the first is the one whose gain chooses them."""
    return {"methods": list(pictured(base)), "worst": base.report.worst, "benchmarks": list(base.benchmarks)}


def pictured(base: Config) -> tuple[str, ...]:
    """Name the methods whose frames are shown: the base, then those it is compared with, where measured."""
    found = dict.fromkeys((base.report.comparisons[0].method, *base.report.strips))
    return tuple(name for name in found if name in base.methods)


def first_difference(found: object, wanted: object, path: str = "") -> str | None:
    """Name the first key at which two plain values differ, with both values; None: they are equal.

    Everything that compares configurations does so here.
    """
    found, wanted = _plain(found), _plain(wanted)
    if isinstance(found, dict) and isinstance(wanted, dict):
        # A part of the loss that is off may be left out: older versions wrote it, and newer ones have more.
        absent = 0.0 if path.rpartition(".")[2] == "loss" else None
        for key in sorted(set(found) | set(wanted)):
            where = f"{path}.{key}".lstrip(".")
            difference = first_difference(found.get(key, absent), wanted.get(key, absent), where)
            if difference is not None:
                return difference
        return None
    if isinstance(found or wanted, dict) and None in (found, wanted):  # not all that it holds
        return f"{path} is only {'there' if wanted is None else 'here'}"
    return None if found == wanted else f"{path} is {found!r} there and {wanted!r} here"


def check(path: Path, wanted: Plain, profile: str) -> None:
    """Refuse to go on from another configuration than the stage `resolve` has written.

    Args:
        path: The stage's file.
        wanted: What params.yaml gives now.
        profile: The profile.

    Raises:
        UserError: The file is missing, damaged, or says something else.
    """
    again = f"run `dvc repro`, or `python -m stages.resolve {profile}` first"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not there, or damaged; {again}") from error
    difference = first_difference(found, wanted)
    if difference is not None:
        raise UserError(f"{path}: params.yaml has changed since: {difference}; {again}")


def _plain(value: Any) -> Any:
    """Return what JSON makes of a value: tuples become lists."""
    return json.loads(json.dumps(value))
