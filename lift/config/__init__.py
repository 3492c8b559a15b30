"""`load(path, profile, ablation) -> Config`: one run's parameters, resolved from params.yaml.

The resolved value of a key is the top level's, overridden by `profiles.<profile>`, overridden by
`ablations.<ablation>`.
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from lift.config.abilities import ABILITIES, check_ability
from lift.config.data import (
    Benchmark,
    Clips,
    ClipSet,
    Comparison,
    Continuity,
    Download,
    Evaluate,
    Report,
    Verify,
)
from lift.config.footage import Camera, Render, Source
from lift.config.parse import build, check_known
from lift.config.prediction import check_compared, check_learnt, check_measured
from lift.config.schema import Augment, Clip, Loss, Model, Phase, Train, window
from lift.config.sets import check_baselines, check_sets
from lift.config.yaml12 import read
from lift.errors import UserError

__all__ = [
    "Augment", "Benchmark", "Camera", "Clip", "ClipSet", "Clips", "Comparison", "Config", "Continuity",
    "Download", "Evaluate",
    "Loss", "Model", "Phase", "Render", "Report", "Source", "Train", "Verify", "load", "load_all", "window",
]  # fmt: skip

OVERRIDABLE = (
    "clip",
    "loss",
    "model",
    "train",
)  # what an ablation may change: never the data or the protocol
PROFILED = ("clips", "evaluate", "model", "report", "sources", "train")
"""What a profile may change: what the stages of dvc.yaml declare of it, so that DVC sees each change."""
FAMILIES = {name: kind for name, kind in get_type_hints(Model).items() if dataclasses.is_dataclass(kind)}
"""Sections of `model`: of `flow: matching`, and of the models that LIFT is compared with."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that one (profile, ablation) is made of."""

    profile: str
    ablation: str
    seed: int
    clip: Clip
    model: Model
    loss: Loss
    train: Train
    download: Download
    sources: dict[str, Source]
    clips: Clips
    benchmarks: dict[str, Benchmark]
    baselines: tuple[str, ...]
    ablations: tuple[str, ...]
    evaluate: Evaluate
    report: Report
    verify: Verify

    @property
    def procedural(self) -> bool:
        """Whether any source is a rendered stand-in."""
        return any(source.render is not None for source in self.sources.values())

    def missing(self, source: str) -> int:
        """Give the number of the missing frame of each video of a source that is rendered around one.

        As many frames lie before it as any set of test clips that takes the source demands.
        """
        sets = self.clips.sets.values()
        return max((s.before for s in sets if source in s.sources and s.part == "test"), default=1)

    def given(self, name: str) -> tuple[str, ...]:
        """Give those sources of a clip set that there is footage of (`Source.optional`)."""
        return tuple(source for source in self.clips.sets[name].sources if self.sources[source].given)

    def seeded(self, seed: int) -> "Config":
        """Give the configuration of the one training with `seed`, a member of `train.seeds`."""
        return dataclasses.replace(self, seed=seed)

    def digestible(self) -> dict[str, Any]:
        """Give what decides a trained model's weights, as plain values: for digests and checkpoints.

        `seed` counts and the list `train.seeds` does not: another seed more leaves this training as it is.
        Nor does `train.resident`: where the frames lie changes no bit of a batch.
        """
        keep = ("ablation", "profile", "seed", "clip", "model", "loss", "train")
        values = {key: value for key, value in dataclasses.asdict(self).items() if key in keep}
        # A section is named for the model, or for the way of finding motion, that it belongs to.
        others = set(FAMILIES) - {self.model.name, self.model.flow}
        values["model"] = {key: value for key, value in values["model"].items() if key not in others}
        del values["train"]["seeds"], values["train"]["resident"]
        return values


def load(path: Path | str, profile: str, ablation: str | None = None) -> Config:
    """Resolve the parameters of one run.

    Args:
        path: params.yaml.
        profile: A key of `profiles`.
        ablation: A key of `ablations`; None: no override (what stages before training use).

    Returns:
        The configuration, checked as a whole.

    Raises:
        UserError: One line that names the key at fault and the nearest known one.
    """
    base, configs = load_all(path, profile)
    if ablation is not None:
        check_known(ablation, configs, "ablations")
    chosen = base if ablation is None else configs[ablation]
    _check_freeze(chosen)
    return chosen


def load_all(path: Path | str, profile: str) -> tuple[Config, dict[str, Config]]:
    """Resolve a profile's parameters without an ablation, and those of every ablation; as `load` does."""
    raw = read(Path(path))
    profiles, ablations = _named(raw, "profiles"), _named(raw, "ablations")
    check_known(profile, profiles, "profiles")
    top = {k: v for k, v in raw.items() if k not in ("profile", "profiles", "ablations", "splits")}
    for name, override in profiles.items():
        if not isinstance(override, Mapping):
            raise UserError(
                f"params.yaml: profiles.{name}: expected keys and their values, found {override!r}"
            )
        for key in override:
            check_known(str(key), PROFILED, f"profiles.{name}")
        if set(override.get("clips") or {}) - {"sets"}:
            raise UserError(f"params.yaml: profiles.{name}.clips: only `sets` may differ between profiles")
    merged = _merge(top, profiles[profile], f"profiles.{profile}")
    configs = {
        name: _resolve(merged, profile, name, override, tuple(ablations))
        for name, override in ablations.items()
    }
    base = _resolve(merged, profile, "", {}, tuple(ablations))
    _check_names(raw, base)
    check_measured(base)
    check_compared(configs, base)
    for name, config in configs.items():
        _check_span(config, name)
        _check_model(config, name)
    return base, configs


def _resolve(
    merged: dict[str, Any], profile: str, name: str, override: Any, names: tuple[str, ...]
) -> Config:
    override = override or {}
    where = f"ablations.{name}"
    if not isinstance(override, Mapping):
        raise UserError(
            f"params.yaml: {where}: expected overrides of {', '.join(OVERRIDABLE)}, found {override!r}"
        )
    for key in override:
        check_known(str(key), OVERRIDABLE, where)
    values = _merge(merged, override, where)
    return build(Config, {**values, "profile": profile, "ablation": name, "ablations": list(names)}, "")


def _merge(base: Mapping[str, Any], over: Any, path: str) -> dict[str, Any]:
    """Lay nested `over` upon `base`; a section's keys must be known (a typo adds nothing)."""
    result = dict(base)
    for key, value in (over or {}).items():
        old = result.get(key)
        if isinstance(old, Mapping) and old and isinstance(value, Mapping):
            if not _open(key):
                for inner in value:
                    check_known(str(inner), _known(key, old), f"{path}.{key}")
            result[key] = _merge(old, value, f"{path}.{key}")
        else:
            result[key] = value
    return result


_SECTIONS = {
    "clip": Clip,
    "model": Model,
    "loss": Loss,
    "train": Train,
    "augment": Augment,
    "clips": Clips,
    "download": Download,
    "evaluate": Evaluate,
    **FAMILIES,
}


def _known(key: str, old: Mapping[str, Any]) -> list[str]:
    section = _SECTIONS.get(key)
    return [f.name for f in dataclasses.fields(section)] if section else list(old)


def _open(key: str) -> bool:
    return key in ("sets", "sources")  # dictionaries of the user's own names


def _named(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Read a mapping of user-chosen names that are also matrix axes and folder names."""
    value = raw.get(key)
    if not isinstance(value, Mapping) or not value:
        raise UserError(f"params.yaml: {key}: expected named entries, found {value!r}")
    for name in value:
        # DVC's matrix drops a numeric key silently, and names with hyphens can collide (spec/pipeline.md,
        # "params.yaml").
        if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)):
            raise UserError(f"params.yaml: {key}.{name}: a name is a-z, 0-9 and _, and starts with a letter")
    return {str(k): v for k, v in value.items()}


def _check_names(raw: Mapping[str, Any], config: Config) -> None:
    _named(raw, "benchmarks")
    active = raw.get("profile")
    if not isinstance(active, list) or not active:
        raise UserError(f"params.yaml: profile: expected a list such as [demo], found {active!r}")
    for name in active:
        check_known(str(name), _named(raw, "profiles"), "profile")
    check_sets(raw, config)
    check_baselines(config)
    check_known(config.report.benchmark, config.benchmarks, "report.benchmark")
    for comparison in config.report.comparisons:
        for method in (comparison.method, comparison.against):
            check_known(method, [*config.ablations, *config.baselines], "report.comparisons")


def _check_span(config: Config, name: str) -> None:
    offsets = config.clip.offsets
    if config.clip.task == "predict":
        check_learnt(config, name)
    elif config.train.other_sampling:
        if config.clip.frames % 2 == 0:
            raise UserError(
                f"params.yaml: ablations.{name}: train.other_sampling: an even window "
                f"({config.clip.frames} frames) has no dense form; set 0"
            )
        offsets = tuple(sorted({*offsets, *config.clip.other.offsets}))
    first, last = offsets[0], offsets[-1]
    if -first > config.clips.before or last > config.clips.after:
        raise UserError(
            f"params.yaml: ablations.{name}: needs frames from {first} to +{last}, but clips.before: "
            f"{config.clips.before} and clips.after: {config.clips.after} store fewer; raise those two"
        )


def _check_model(config: Config, name: str) -> None:
    """Refuse what the model cannot do, in the ablation's own window and in those that benchmarks force."""
    where = f"ablations.{name}"
    check_ability(config.model, config.loss, config.clip.offsets, where, config.clip.task)
    for benchmark in config.benchmarks.values():
        if benchmark.sampling is not None and config.clip.task == "interpolate":
            offsets = window(config.clip.before, config.clip.after, benchmark.sampling)
            check_ability(config.model, config.loss, offsets, where)


def _check_freeze(config: Config) -> None:
    frozen = [i for i, phase in enumerate(config.train.phases) if phase.freeze]
    ability = ABILITIES.get(config.model.name)
    if frozen and ability is not None and ability.encoder and config.model.start is None:
        raise UserError(
            f"params.yaml: train.phases[{frozen[0]}].freeze: the encoder starts from random weights, "
            f"which must not be frozen; set model.pretrained to a weights file, or freeze: false"
        )
