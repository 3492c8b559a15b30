"""What a method that is trained demands of clips and benchmarks, once params.yaml is resolved."""

from lift.config.abilities import check_ability
from lift.config.base import Config
from lift.config.parse import check_known
from lift.config.schema import window
from lift.errors import UserError


def check_method(config: Config, where: str) -> None:
    """Refuse a model, a window, phases or limits that do not go with the rest.

    Args:
        config: The method's.
        where: Its key, such as ablations.ifrvp, for messages.

    Raises:
        UserError: The key at fault.
    """
    _check_model(config, where)
    _check_span(config, where)
    for source in config.train.crop_limits:
        check_known(source, config.sources, "train.crop_limits")
    _check_freeze(config)


def _check_model(config: Config, where: str) -> None:
    """Refuse what the model cannot do, in the method's own window and in those that benchmarks force."""
    check_ability(config.model, config.loss, config.clip.offsets, where, config.clip.task)
    for benchmark in config.benchmarks.values():
        if benchmark.sampling is not None and config.clip.task == "interpolate":
            offsets = window(config.clip.before, config.clip.after, benchmark.sampling)
            check_ability(config.model, config.loss, offsets, where)


def _check_span(config: Config, where: str) -> None:
    """Refuse a window that clips do not hold, or one that cannot be mixed as asked for."""
    offsets = config.clip.offsets
    if config.clip.task == "predict":
        _check_learnt(config, where)
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


def _check_learnt(config: Config, where: str) -> None:
    """Refuse to learn to predict frames that clips do not hold; training sees time reversed, too."""
    where, furthest = f"params.yaml: {where}", max(config.clip.horizons) - 1
    if config.train.other_sampling:
        raise UserError(f"{where}: train.other_sampling: prediction has no other window; set 0")
    for benchmark, rules in config.benchmarks.items():
        if rules.horizons and min(config.clip.horizons) > rules.horizons:
            raise UserError(
                f"{where}: clip.horizons: {list(config.clip.horizons)} lie beyond those of "
                f"benchmarks.{benchmark}.horizons: {rules.horizons}, so nothing would be measured; "
                "raise that, or learn nearer horizons"
            )
    for part in ("train", "validation"):
        clips = config.clips.sets[part]
        reversed_too = part == "train" and config.train.augment.reverse_time > 0
        before, after = max(2, furthest if reversed_too else 0), max(furthest, 2 if reversed_too else 0)
        if clips.before < before or clips.after < after:
            raise UserError(
                f"{where}: clip.horizons: {list(config.clip.horizons)} need clips with {before} frames "
                f"before the missing one and {after} after it, but clips.sets.{part} has before: "
                f"{clips.before} and after: {clips.after}; raise those two, or learn nearer horizons"
            )


def _check_freeze(config: Config) -> None:
    """Refuse to freeze an encoder that starts from random weights."""
    frozen = [i for i, phase in enumerate(config.train.phases) if phase.freeze or phase.thaw]
    if frozen and config.model.family.freezable and config.model.start is None:
        raise UserError(
            f"params.yaml: train.phases[{frozen[0]}].freeze: the encoder starts from random weights, "
            f"which must not be frozen; set model.pretrained to a weights file, or freeze: false and thaw: 0"
        )
