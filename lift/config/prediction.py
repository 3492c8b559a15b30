"""What prediction demands of clips, benchmarks and comparisons (specification section 8)."""

from collections.abc import Mapping

from lift.config.abilities import PREDICTORS
from lift.config.base import Config
from lift.errors import UserError


def predicts(config: Config, method: str) -> bool:
    """Whether a method predicts; `config` is its own, or the base's where it has no model."""
    if config.kind in ("trained", "released"):
        return config.clip.task == "predict"
    return method in PREDICTORS


def check_learnt(config: Config, where: str) -> None:
    """Refuse to learn frames that clips do not hold; training sees time reversed, too.

    Args:
        config: The method's, which predicts.
        where: Its key, such as ablations.ifrvp.

    Raises:
        UserError: Clips are too short for the horizons, or the window is to be mixed with another.
    """
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


def check_measured(configs: Mapping[str, Config], config: Config) -> None:
    """Refuse to measure predictions on frames that clips do not hold; without methods that predict nothing.

    Raises:
        UserError: A benchmark's clips are shorter than its horizons.
    """
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


def check_compared(configs: Mapping[str, Config], base: Config) -> None:
    """Refuse a declared comparison with a method that predicts: the question is one of interpolation.

    Args:
        configs: Those of the profile's trained and released methods.
        base: Without an ablation.

    Raises:
        UserError: One is declared, or the base itself predicts or is no ablation.
    """
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
