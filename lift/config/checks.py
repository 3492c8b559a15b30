"""What the parts of params.yaml demand of each other: names, clip sets, methods and comparisons; no leaks."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from lift.config.abilities import BASELINES, PREDICTORS, check_ability, predicts
from lift.config.base import Config
from lift.config.parse import ParamsError, check_known
from lift.config.schema import window

TRAINING_SETS = ("train", "validation")


def named(raw: Mapping[str, Any], key: str, *, empty: bool = False) -> dict[str, Any]:
    """Return the mapping at `key` of params.yaml, of user-chosen names that are also matrix axes and folders.

    Raises:
        UserError: It is no mapping, has no names and may not be `empty`, or a name would be none of DVC's.
    """
    value = raw.get(key) or ({} if empty else None)
    if not isinstance(value, Mapping):
        raise ParamsError(f"{key}: expected named entries, found {raw.get(key)!r}")
    for name in value:
        # DVC's matrix drops a numeric key silently, and names with hyphens can collide (specification
        # section 10.1).
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)):
            raise ParamsError(f"{key}.{name}: a name is a-z, 0-9 and _, and starts with a letter")
    return {str(k): v for k, v in value.items()}


def check_profile(raw: Mapping[str, Any], config: Config) -> None:
    """Refuse names of profiles, sets, methods and comparisons that do not exist or do not fit together.

    `raw` is params.yaml, `config` the profile without a method.

    Raises:
        UserError: The key at fault.
    """
    named(raw, "benchmarks")
    _check_active(raw)
    _check_sets(raw, config)
    _check_parts(config)
    ablations, released = named(raw, "ablations"), named(raw, "released", empty=True)
    _check_listed(config, ablations, released)
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
            check_known(name, known, key, "no such name")
    for comparison in report.comparisons:
        for method in (comparison.method, comparison.against):
            check_known(method, methods, "report.comparisons", "no such method")
            if method not in config.methods:
                raise ParamsError(
                    f"report.comparisons: {method} is not a method of profile {config.profile}; "
                    f"add it to profiles.{config.profile}.methods, or leave the comparison out"
                )


def _check_active(raw: Mapping[str, Any]) -> None:
    """Refuse a `profile` that dvc.yaml cannot run: a list of its own name, or an empty one, for each."""
    active = raw.get("profile")
    if not isinstance(active, Mapping):
        raise ParamsError(f"profile: expected a list for each profile, found {active!r}")
    for name, value in active.items():
        check_known(str(name), raw["profiles"], "profile")
        if value not in ([], [name]):
            raise ParamsError(f"profile.{name}: expected [{name}] to run it or [] not to, found {value!r}")


def _check_sets(raw: Mapping[str, Any], config: Config) -> None:
    """Refuse sets that no stage takes, sets of no source, and sets to learn from of which none is given."""
    sets = config.clips.sets
    known = [*TRAINING_SETS, *config.benchmarks]
    listed = ((raw.get("clips") or {}).get("sets") or {}).keys()  # the matrix axis of dvc.yaml
    if odd := sorted({*sets, *listed} - set(known)):
        raise ParamsError(
            f"clips.sets.{odd[0]}: nothing takes it; the sets are train, validation and every benchmark "
            f"({', '.join(known)})"
        )
    if lacking := sorted(set(known) - set(listed)):
        raise ParamsError(
            f"clips.sets.{lacking[0]}: missing; train, validation and every benchmark have an entry, at the "
            "top level"
        )
    for name, clip_set in sets.items():
        where = f"clips.sets.{name}.sources"
        if not clip_set.sources:
            raise ParamsError(f"{where}: empty; name at least one of: {', '.join(config.sources)}")
        for source in clip_set.sources:
            check_known(source, config.sources, where, "not under sources")
        _check_once(clip_set.sources, where)
        if clip_set.before > config.clips.before or clip_set.after > config.clips.after:
            raise ParamsError(
                f"clips.sets.{name}: before: {clip_set.before} and after: {clip_set.after} ask for more than "
                f"clips.before: {config.clips.before} and clips.after: {config.clips.after} store; raise "
                "those two"
            )
        if name in TRAINING_SETS and config.ablations and not config.given(name):
            sources = clip_set.sources
            raise ParamsError(
                f"clips.sets: {name}: none of its sources ({', '.join(sources)}) is given; set "
                f"profiles.{config.profile}.sources.{sources[0]}.path, or name another"
            )


def _check_parts(config: Config) -> None:
    """Refuse to learn from, or to choose weights by, what is measured."""
    sets = config.clips.sets
    learnt = {source for name in TRAINING_SETS for source in sets[name].sources}
    for name, clip_set in sets.items():
        part, where = clip_set.part, f"clips.sets.{name}.part: {clip_set.part}"
        if clip_set.windows == "random" and name != "train":
            raise ParamsError(
                f"clips.sets.{name}.windows: random: what measures must be the same each time; set fixed"
            )
        if name in TRAINING_SETS and part != name:
            raise ParamsError(f"{where}: the set {name} is taken from the videos for it alone; set {name}")
        if name in config.benchmarks and part == "train":
            raise ParamsError(f"{where}: a benchmark of videos that are trained on; set test")
        if part == "all" and learnt & set(clip_set.sources):
            raise ParamsError(
                f"{where}: the training list of {min(learnt & set(clip_set.sources))} is learnt from here; "
                "set test, or leave that source out of clips.sets.train and clips.sets.validation"
            )
        chosen_by = set(clip_set.sources) & set(sets["validation"].sources)
        if name in config.benchmarks and part == "validation" and chosen_by:
            raise ParamsError(
                f"{where}: clips.sets.validation takes the same videos of {min(chosen_by)}, by which "
                f"weights are chosen; set test, or leave that source out there"
            )


def _check_listed(config: Config, ablations: Collection[str], released: Collection[str]) -> None:
    """Refuse methods that have no entry, stand twice, or share their name with another kind's."""
    where = f"profiles.{config.profile}.methods"
    for kind, listed, known in (
        ("trained", config.ablations, ablations),
        ("released", config.released, released),
        ("baselines", config.baselines, BASELINES),
    ):
        for name in listed:
            check_known(name, known, f"{where}.{kind}", "no such method")
        _check_once(listed, f"{where}.{kind}")
    for name in (*ablations, *released):
        if name in BASELINES:
            raise ParamsError(f"{name}: the name of a method without training; choose another")
    for name in set(config.ablations) & set(config.released):
        raise ParamsError(
            f"{where}: {name} is to be trained and measured as released; its results would share a folder; "
            "leave it in one list"
        )


def _check_once(names: tuple[str, ...], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ParamsError(f"{where}: {name} stands twice; leave it once")


def check_methods(configs: Mapping[str, Config], base: Config) -> None:
    """Refuse measurements and comparisons that a profile's trained and released methods do not allow.

    Raises:
        UserError: The key at fault.
    """
    measured = base.benchmarks if any(predicts(configs.get(m, base), m) for m in base.methods) else {}
    for name, benchmark in measured.items():
        clips, ahead = base.clips.sets[name], benchmark.horizons - 1
        if benchmark.horizons and (clips.before < 2 or clips.after < ahead):
            raise ParamsError(
                f"benchmarks.{name}.horizons: {benchmark.horizons} need clips with 2 frames before the "
                f"missing one and {ahead} after it, but clips.sets.{name} has before: {clips.before} and "
                f"after: {clips.after}; raise those two, or set fewer horizons"
            )
    first = base.report.comparisons[0].method
    if first not in configs:
        raise ParamsError(
            f"report.comparisons: {first} comes first and so is the report's base, but it has no model; "
            f"name one first that has ({', '.join(configs)})"
        )
    predicting = {*PREDICTORS, *(name for name, config in configs.items() if config.clip.task == "predict")}
    for comparison in base.report.comparisons:
        for method in {comparison.method, comparison.against} & predicting:
            raise ParamsError(
                f"report.comparisons: {method} predicts; only methods that interpolate are compared"
            )
    if base.clip.task == "predict":
        raise ParamsError("clip.task: the base interpolates; set predict under an ablation")


def check_method(config: Config, where: str) -> None:
    """Refuse a model, a window, phases or limits of a method that is trained which do not go with the rest.

    `where` is its key for messages, such as ablations.ifrvp.

    Raises:
        UserError: The key at fault.
    """
    clip, train, model = config.clip, config.train, config.model
    check_ability(model, config.loss, clip.offsets, where, clip.task)
    for benchmark in config.benchmarks.values():  # some force a window of their own
        if benchmark.sampling is not None and clip.task == "interpolate":
            check_ability(model, config.loss, window(clip.before, clip.after, benchmark.sampling), where)
    offsets = clip.offsets
    if clip.task == "predict":
        _check_learnt(config, where)
    elif train.other_sampling:
        if clip.frames % 2 == 0:
            raise ParamsError(
                f"{where}: train.other_sampling: an even window ({clip.frames} frames) has no dense form; "
                "set 0"
            )
        offsets = tuple(sorted({*offsets, *clip.other.offsets}))
    first, last = offsets[0], offsets[-1]
    if -first > config.clips.before or last > config.clips.after:
        raise ParamsError(
            f"{where}: needs frames from {first} to +{last}, but clips.before: {config.clips.before} and "
            f"clips.after: {config.clips.after} store fewer; raise those two"
        )
    for source in train.crop_limits:
        check_known(source, config.sources, "train.crop_limits", "not under sources")
    frozen = [i for i, phase in enumerate(train.phases) if phase.freeze or phase.thaw]
    if frozen and model.family.freezable and model.start is None:
        raise ParamsError(
            f"train.phases[{frozen[0]}].freeze: the encoder starts from random weights, which must not be "
            "frozen; set model.pretrained to a weights file, or freeze: false and thaw: 0"
        )


def _check_learnt(config: Config, where: str) -> None:
    """Refuse to learn to predict frames that clips do not hold; training sees time reversed, too."""
    horizons = config.clip.horizons
    if config.train.other_sampling:
        raise ParamsError(f"{where}: train.other_sampling: prediction has no other window; set 0")
    for benchmark, rules in config.benchmarks.items():
        if rules.horizons and min(horizons) > rules.horizons:
            raise ParamsError(
                f"{where}: clip.horizons: {list(horizons)} lie beyond those of "
                f"benchmarks.{benchmark}.horizons: {rules.horizons}, so nothing would be measured; "
                "raise that, or learn nearer horizons"
            )
    furthest = max(horizons) - 1
    for part in TRAINING_SETS:
        clips, before, after = config.clips.sets[part], 2, furthest
        if part == "train" and config.train.augment.reverse_time > 0:
            before = after = max(2, furthest)
        if clips.before < before or clips.after < after:
            raise ParamsError(
                f"{where}: clip.horizons: {list(horizons)} need clips with {before} frames before the "
                f"missing one and {after} after it, but clips.sets.{part} has before: {clips.before} and "
                f"after: {clips.after}; raise those two, or learn nearer horizons"
            )
