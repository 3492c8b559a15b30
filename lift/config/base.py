"""`Config`: one run's parameters, resolved."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_type_hints

from lift.config.data import Benchmark, Clips, Download, Evaluate, Render, Report, Verify
from lift.config.parse import place
from lift.config.schema import Clip, Loss, Model, Train

Kind = Literal["base", "trained", "released", "baseline"]
SECTIONS = {name for name, kind in get_type_hints(Model).items() if dataclasses.is_dataclass(kind)}
"""Of `model`: those of LIFT's variants, and of the families that it is compared with."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a data set comes from: a local copy, rendered stand-ins, or a download."""

    path: str | None
    """Folder of a copy that the user has, in the official layout; nothing is downloaded or copied then. `~`
    is the user's home."""
    render: Render | None
    """Make a procedural stand-in where there is no path."""
    optional: bool
    """Without a path it is not downloaded: it is "not given", and benchmarks of it alone are empty."""

    def __post_init__(self) -> None:
        """Raise ValueError where what is rendered has a path or is optional."""
        if self.path is not None and self.render is not None:
            raise ValueError(
                "path and render exclude each other; set `render: null` to use the data set at `path`"
            )
        if self.optional and self.render is not None:
            raise ValueError("optional: what is rendered is always there; set false, or `render: null`")

    @property
    def folder(self) -> Path | None:
        """The folder that `path` names; None: there is no path."""
        return None if self.path is None else place(self.path)

    @property
    def given(self) -> bool:
        """Whether there is, or will be, any footage of it."""
        return not self.optional or self.path is not None


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that one method of a profile is made of; of the base, the profile without a method."""

    profile: str
    method: str
    """Its name; empty: the base."""
    kind: Kind
    weights: tuple[str, ...]
    """Of a released method: the names of its files in weights/, one for each training."""
    seed: int
    clip: Clip
    model: Model
    loss: Loss
    train: Train
    download: Download
    sources: dict[str, Source]
    clips: Clips
    benchmarks: dict[str, Benchmark]
    ablations: tuple[str, ...]
    """The profile's methods that are trained here."""
    released: tuple[str, ...]
    """Those whose weights the repository carries, measured as they are."""
    baselines: tuple[str, ...]
    """Those without training."""
    evaluate: Evaluate
    report: Report
    verify: Verify

    @property
    def models(self) -> tuple[str, ...]:
        """The profile's methods that have learnt something: trained here, or released."""
        return (*self.ablations, *self.released)

    @property
    def methods(self) -> tuple[str, ...]:
        """All methods of the profile."""
        return (*self.models, *self.baselines)

    def missing(self, source: str) -> int:
        """Return the number of the missing frame of each video of a source that is rendered around one.

        As many frames lie before it as any set of test clips that takes the source demands.
        """
        sets = self.clips.sets.values()
        return max((s.before for s in sets if source in s.sources and s.part in ("test", "all")), default=1)

    def given(self, name: str) -> tuple[str, ...]:
        """Return those sources of a clip set that there is footage of (`Source.optional`).

        None where it would be learnt from and nothing is.
        """
        if name in ("train", "validation") and not self.ablations:
            return ()
        return tuple(source for source in self.clips.sets[name].sources if self.sources[source].given)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of trainings that are measured one by one; none of a single model that was released."""
        apart = self.kind == "trained" or len(self.weights) > 1
        return self.train.seeds if apart else ()

    @property
    def anywhere(self) -> tuple[int, int] | None:
        """How many frames lie before and after a missing frame that training draws; None: it draws none."""
        rules = self.clips.sets.get("train")
        return (rules.before, rules.after) if rules is not None and rules.windows == "random" else None

    def seeded(self, seed: int) -> "Config":
        """Return the configuration of the one training with `seed`, a member of `train.seeds`."""
        return dataclasses.replace(self, seed=seed)

    def digestible(self) -> dict[str, Any]:
        """Return what decides a trained model's weights, as plain values: for digests and checkpoints.

        `seed` counts and the list `train.seeds` does not: another seed more leaves this training as it is.
        Nor do `train.resident`, as where the frames lie changes no bit of a batch, how often snapshots are
        written, and parts of the loss that are off, so that a new one leaves what is trained as it is.
        """
        keep = ("method", "profile", "seed", "clip", "model", "loss", "train")
        values = {key: value for key, value in dataclasses.asdict(self).items() if key in keep}
        # A model with a section of its own is made from that alone, and LIFT from all that is no section.
        own = {"name", *self.model.sections}
        if self.model.name not in SECTIONS:
            own |= set(values["model"]) - SECTIONS
        values["model"] = {key: value for key, value in values["model"].items() if key in own}
        for key in ("seeds", "resident", "snapshot_every", "snapshots"):
            del values["train"][key]
        values["loss"] = {part: weight for part, weight in values["loss"].items() if weight}
        if self.anywhere is not None:  # the manifest holds what fixed windows see
            values["anywhere"] = list(self.anywhere)
        return values

    def described(self) -> dict[str, Any]:
        """Return what a built model is: its window and itself, without the sections of other models."""
        values = self.digestible()
        return {key: values[key] for key in ("clip", "model")}
