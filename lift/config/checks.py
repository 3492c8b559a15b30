"""What names, clip sets, benchmarks and comparisons of a profile demand of each other, and no leaks."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from lift.config.abilities import BASELINES, PREDICTORS, predicts
from lift.config.base import Config
from lift.config.parse import check_known
from lift.errors import UserError

TRAINING_SETS = ("train", "validation")


def named(raw: Mapping[str, Any], key: str, *, empty: bool = False) -> dict[str, Any]:
    """Return a mapping of user-chosen names that are also matrix axes and folder names.

    Args:
        raw: params.yaml.
        key: Where the mapping stands.
        empty: Whether there may be none.

    Raises:
        UserError: It is no mapping, or a name would be none of DVC's.
    """
    value = raw.get(key) or ({} if empty else None)
    if not isinstance(value, Mapping) or not (value or empty):
        raise UserError(f"params.yaml: {key}: expected named entries, found {value!r}")
    for name in value:
        # DVC's matrix drops a numeric key silently, and names with hyphens can collide (specification
        # section 10.1).
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)):
            raise UserError(f"params.yaml: {key}.{name}: a name is a-z, 0-9 and _, and starts with a letter")
    return {str(k): v for k, v in value.items()}


def check_profile(raw: Mapping[str, Any], config: Config) -> None:
    """Refuse names of profiles, sets, methods and comparisons that do not exist or do not fit together.

    Args:
        raw: params.yaml.
        config: The profile without a method.

    Raises:
        UserError: The name at fault.
    """
    named(raw, "benchmarks")
    _check_active(raw)
    _check_sets(raw, config)
    ablations, released = named(raw, "ablations"), named(raw, "released", empty=True)
    _check_methods(config, ablations, released)
    report, benchmarks, methods = config.report, config.benchmarks, {*ablations, *released, *BASELINES}
    for key, names, known in (
        ("evaluate.probes", config.evaluate.probes, benchmarks),
        ("report.benchmark", [report.benchmark], benchmarks),
        ("report.others, report.gate", (*report.others, *report.gate), benchmarks),
        ("report.gate", report.gate.values(), methods),
        ("report.curve", report.curve, methods),
        ("report.strips", report.strips, methods),
        ("report.names", report.names, methods),
        ("report.whole.main", report.whole.main, methods),
    ):
        for name in names:
            check_known(name, known, key)
    for comparison in report.comparisons:
        for method in (comparison.method, comparison.against):
            check_known(method, methods, "report.comparisons")
            if method not in config.methods:
                raise UserError(
                    f"params.yaml: report.comparisons: {method} is not a method of profile {config.profile}; "
                    f"add it to profiles.{config.profile}.methods, or leave the comparison out"
                )


def check_methods(configs: Mapping[str, Config], base: Config) -> None:
    """Refuse measurements and comparisons that a profile's methods do not allow.

    Args:
        configs: Those of its trained and released methods.
        base: Without a method.

    Raises:
        UserError: The key at fault.
    """
    _check_measured(configs, base)
    _check_compared(configs, base)


def _check_active(raw: Mapping[str, Any]) -> None:
    """Refuse a `profile` that dvc.yaml cannot run: a list of its own name, or an empty one, for each."""
    active, profiles = raw.get("profile"), named(raw, "profiles")
    if not isinstance(active, Mapping):
        raise UserError(f"params.yaml: profile: expected a list for each profile, found {active!r}")
    for name, value in active.items():
        check_known(str(name), profiles, "profile")
        if value not in ([], [name]):
            raise UserError(
                f"params.yaml: profile.{name}: expected [{name}] to run it or [] not to, found {value!r}"
            )


def _check_sets(raw: Mapping[str, Any], config: Config) -> None:
    """Refuse sets that no stage takes, and sets of no source or of what another set learns from."""
    sets = config.clips.sets
    known = [*TRAINING_SETS, *config.benchmarks]
    listed = ((raw.get("clips") or {}).get("sets") or {}).keys()  # the matrix axis of dvc.yaml
    if sorted(sets) != sorted(known) or sorted(listed) != sorted(known):
        odd = sorted({*sets, *listed} ^ set(known)) or sorted(set(known) - set(listed))
        raise UserError(
            f"params.yaml: clips.sets.{odd[0]}: the sets are train, validation and every benchmark "
            f"({', '.join(known)}), all of them named at the top level"
        )
    for name, clip_set in sets.items():
        where = f"clips.sets.{name}.sources"
        if not clip_set.sources:
            raise UserError(f"params.yaml: {where}: empty; name at least one of: {', '.join(config.sources)}")
        for source in clip_set.sources:
            check_known(source, config.sources, where)
        _check_once(clip_set.sources, where)
        if clip_set.before > config.clips.before or clip_set.after > config.clips.after:
            raise UserError(
                f"params.yaml: clips.sets.{name}: before: {clip_set.before} and after: {clip_set.after} "
                f"ask for more than clips.before: {config.clips.before} and clips.after: "
                f"{config.clips.after} store; raise those two"
            )
    _check_parts(config)
    _check_given(config)


def _check_methods(config: Config, ablations: Collection[str], released: Collection[str]) -> None:
    """Refuse methods that have no entry, stand twice, or share their name with another kind's."""
    where = f"profiles.{config.profile}.methods"
    for kind, listed, known in (
        ("trained", config.ablations, ablations),
        ("released", config.released, released),
        ("baselines", config.baselines, BASELINES),
    ):
        for name in listed:
            check_known(name, known, f"{where}.{kind}")
        _check_once(listed, f"{where}.{kind}")
    for name in (*ablations, *released):
        if name in BASELINES:
            raise UserError(f"params.yaml: {name}: the name of a method without training; choose another")
    for name in set(config.ablations) & set(config.released):
        raise UserError(
            f"params.yaml: {where}: {name} is to be trained and measured as released; its results would "
            f"share a folder; leave it in one list"
        )


def _check_once(names: tuple[str, ...], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"params.yaml: {where}: {name} stands twice; leave it once")


def _check_parts(config: Config) -> None:
    """Refuse to learn from, or to choose weights by, what is measured."""
    sets = config.clips.sets
    for name, clip_set in sets.items():
        part, where = clip_set.part, f"params.yaml: clips.sets.{name}.part: {clip_set.part}"
        if clip_set.windows == "random" and name != "train":
            raise UserError(
                f"params.yaml: clips.sets.{name}.windows: random: what measures must be the same each time; "
                "set fixed"
            )
        if name in TRAINING_SETS and part != name:
            raise UserError(f"{where}: the set {name} is taken from the videos for it alone; set {name}")
        if name in config.benchmarks and part == "train":
            raise UserError(f"{where}: a benchmark of videos that are trained on; set test")
        learnt = {source for key in TRAINING_SETS for source in sets[key].sources} & set(clip_set.sources)
        if part == "all" and learnt:
            raise UserError(
                f"{where}: the training list of {min(learnt)} is learnt from here; set test, or leave that "
                "source out of clips.sets.train and clips.sets.validation"
            )
        chosen_by = set(clip_set.sources) & set(sets["validation"].sources)
        if name in config.benchmarks and part == "validation" and chosen_by:
            raise UserError(
                f"{where}: clips.sets.validation takes the same videos of {sorted(chosen_by)[0]}, by which "
                f"weights are chosen; set test, or leave that source out there"
            )


def _check_given(config: Config) -> None:
    """Refuse to train on, or to choose weights by, what is not given."""
    needed = dict.fromkeys(TRAINING_SETS if config.ablations else (), "clips.sets")
    for name, key in needed.items():
        if name in config.clips.sets and not config.given(name):
            sources = config.clips.sets[name].sources
            raise UserError(
                f"params.yaml: {key}: {name}: none of its sources ({', '.join(sources)}) is given; set "
                f"profiles.{config.profile}.sources.{sources[0]}.path, or name another"
            )


def _check_measured(configs: Mapping[str, Config], config: Config) -> None:
    """Refuse to measure predictions, if any method predicts, on frames that clips do not hold."""
    if not any(predicts(configs.get(name, config), name) for name in config.methods):
        return
    for name, benchmark in config.benchmarks.items():
        clips, ahead = config.clips.sets[name], benchmark.horizons - 1
        if benchmark.horizons and (clips.before < 2 or clips.after < ahead):
            raise UserError(
                f"params.yaml: benchmarks.{name}.horizons: {benchmark.horizons} need clips with 2 frames "
                f"before the missing one and {ahead} after it, but clips.sets.{name} has before: "
                f"{clips.before} and after: {clips.after}; raise those two, or set fewer horizons"
            )


def _check_compared(configs: Mapping[str, Config], base: Config) -> None:
    """Refuse a declared comparison with a method that predicts: the question is one of interpolation."""
    if base.report.comparisons[0].method not in configs:
        raise UserError(
            f"params.yaml: report.comparisons: {base.report.comparisons[0].method} comes first and so is the "
            f"report's base, but it has no model; name one first that has ({', '.join(configs)})"
        )
    predicting = {*PREDICTORS, *(name for name, config in configs.items() if config.clip.task == "predict")}
    for comparison in base.report.comparisons:
        for method in {comparison.method, comparison.against} & predicting:
            raise UserError(
                f"params.yaml: report.comparisons: {method} predicts; only methods that interpolate are "
                f"compared"
            )
    if base.clip.task == "predict":
        raise UserError("params.yaml: clip.task: the base interpolates; set predict under an ablation")
