"""What names, windows, models and phases of params.yaml demand of each other, once it is resolved."""

import re
from collections.abc import Mapping
from typing import Any

from lift.config.abilities import BASELINES, check_ability
from lift.config.base import Config
from lift.config.parse import check_known
from lift.config.prediction import check_learnt
from lift.config.schema import window
from lift.config.sets import check_baselines, check_methods, check_sets
from lift.errors import UserError


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


def check_names(raw: Mapping[str, Any], config: Config) -> None:
    """Refuse names of profiles, sets, methods and comparisons that do not exist or do not fit together.

    Raises:
        UserError: The name at fault.
    """
    named(raw, "benchmarks")
    _check_active(raw)
    check_sets(raw, config)
    check_baselines(config)
    check_methods(config, named(raw, "ablations"), named(raw, "released", empty=True))
    for name in config.evaluate.probes:
        check_known(name, config.benchmarks, "evaluate.probes")
    report = config.report
    check_known(report.benchmark, config.benchmarks, "report.benchmark")
    for name in (*report.others, *report.gate):
        check_known(name, config.benchmarks, "report.others, report.gate")
    methods = {*named(raw, "ablations"), *named(raw, "released", empty=True), *BASELINES}
    for key, names in (
        ("gate", report.gate.values()), ("curve", report.curve), ("strips", report.strips),
        ("names", report.names), ("whole.main", report.whole.main),
    ):  # fmt: skip
        for name in names:
            check_known(name, methods, f"report.{key}")
    for comparison in config.report.comparisons:
        for method in (comparison.method, comparison.against):
            if method not in config.methods:
                known = {*named(raw, "ablations"), *named(raw, "released", empty=True), *BASELINES}
                check_known(method, known, "report.comparisons")
                raise UserError(
                    f"params.yaml: report.comparisons: {method} is not a method of profile {config.profile}; "
                    f"add it to profiles.{config.profile}.methods, or leave the comparison out"
                )


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


def check_span(config: Config, where: str) -> None:
    """Refuse a window that clips do not hold.

    Raises:
        UserError: It reaches further than clips.before or clips.after, or cannot be mixed as asked for.
    """
    offsets = config.clip.offsets
    if config.clip.task == "predict":
        check_learnt(config, where)
    elif config.train.other_sampling:
        if config.clip.frames % 2 == 0:
            raise UserError(
                f"params.yaml: {where}: train.other_sampling: an even window "
                f"({config.clip.frames} frames) has no dense form; set 0"
            )
        offsets = tuple(sorted({*offsets, *config.clip.other.offsets}))
    first, last = offsets[0], offsets[-1]
    if -first > config.clips.before or last > config.clips.after:
        raise UserError(
            f"params.yaml: {where}: needs frames from {first} to +{last}, but clips.before: "
            f"{config.clips.before} and clips.after: {config.clips.after} store fewer; raise those two"
        )


def check_model(config: Config, where: str) -> None:
    """Refuse what the model cannot do, in the method's own window and in those that benchmarks force.

    Raises:
        UserError: The part of the model, the loss or the window that does not go.
    """
    check_ability(config.model, config.loss, config.clip.offsets, where, config.clip.task)
    for benchmark in config.benchmarks.values():
        if benchmark.sampling is not None and config.clip.task == "interpolate":
            offsets = window(config.clip.before, config.clip.after, benchmark.sampling)
            check_ability(config.model, config.loss, offsets, where)


def check_limits(config: Config) -> None:
    """Refuse limits of crops of a source that there is not.

    Raises:
        UserError: The source.
    """
    for source in config.train.crop_limits:
        check_known(source, config.sources, "train.crop_limits")


def check_freeze(config: Config) -> None:
    """Refuse to freeze an encoder that starts from random weights.

    Raises:
        UserError: A phase asks for it.
    """
    frozen = [i for i, phase in enumerate(config.train.phases) if phase.freeze or phase.thaw]
    if frozen and config.model.family.freezable and config.model.start is None:
        raise UserError(
            f"params.yaml: train.phases[{frozen[0]}].freeze: the encoder starts from random weights, "
            f"which must not be frozen; set model.pretrained to a weights file, or freeze: false and thaw: 0"
        )
