"""What clip sets, splits, baselines and the report demand of each other: names that exist, and no leaks."""

from collections.abc import Collection, Mapping
from typing import Any

from lift.config.abilities import BASELINES
from lift.config.base import Config
from lift.config.parse import check_known
from lift.errors import UserError

TRAINING_SETS = ("train", "validation")


def check_sets(raw: Mapping[str, Any], config: Config) -> None:
    """Refuse sets that no stage takes, and sets of no source or of what another set learns from.

    Args:
        raw: params.yaml.
        config: The base's.

    Raises:
        UserError: The key at fault.
    """
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


def check_baselines(config: Config) -> None:
    """Refuse a baseline that is none, or that stands twice.

    Raises:
        UserError: The name at fault.
    """
    where = f"profiles.{config.profile}.methods.baselines"
    for name in config.baselines:
        check_known(name, BASELINES, where)
    _check_once(config.baselines, where)


def check_methods(config: Config, ablations: Collection[str], released: Collection[str]) -> None:
    """Refuse methods that have no entry, stand twice, or share their name with another kind's.

    Raises:
        UserError: The name at fault.
    """
    where = f"profiles.{config.profile}.methods"
    for kind, listed, known in (
        ("trained", config.ablations, ablations),
        ("released", config.released, released),
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
