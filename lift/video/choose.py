"""Which model makes the frames, with which weights, where and how precisely."""

import difflib
from pathlib import Path

import torch

from lift import header
from lift import weights as weights_file
from lift.config.load import PARAMS, Reader, restore
from lift.config.schema import Model, window
from lift.errors import UserError
from lift.evaluation.baselines import BASELINES
from lift.files import ROOT
from lift.models.interface import Interpolator
from lift.models.lift.interpolator import Lift
from lift.models.registry import build
from lift.video.methods import Baseline, Computing, Method, Network, Predicting

WEIGHTS = ROOT / "weights"
"""Released weights, part of the repository (the stage `release`)."""
TRAINED = ROOT / "data" / "demo" / "models"
"""Where the pipeline leaves the demo's models, for those that have no reference weights."""
RELEASED = ("lift_rife", "rife_v4")
"""Those of `released` in params.yaml that stand on others' weights (weights/LICENSES.md)."""
RIFE_V4 = "rife_v4.25.safetensors"
DEFAULT_MODEL = "lift_rife"
"""The best of them on footage that it has not seen (docs/video.md)."""
CONTEXT = (-3, -1, 1, 3)
"""The window of a released model that takes context: farther frames changed nothing (docs/experiments.md)."""
HALVES = {"32": None, "bf16": torch.bfloat16, "16": torch.float16}
FLOAT = 4  # bytes


def choose(
    name: str | None = None, weights: Path | None = None, *, device: str = "auto", precision: str = "32"
) -> Method:
    """Make a method from the command line's words.

    Args:
        name: repeat, average or dis; rife_v4; or a trained model of weights/ or, where it is not there, of
            data/demo/models; None: from `weights`, or the default model.
        weights: A file written by lift.weights.
        device: auto, cpu, cuda, cuda:1, mps ...
        precision: 32, bf16 or 16.

    Raises:
        UserError: No such model, weights or device; or weights of another model.
    """
    if name in BASELINES:
        if weights is not None:
            raise UserError(
                f"--weights {weights}: {name} has no weights; leave it out, or name a trained model"
            )
        return Baseline(str(name))
    name = DEFAULT_MODEL if name is None and weights is None else name
    if weights is None and name in RELEASED:  # on weights that are used as their authors released them
        model = Reader(PARAMS, "demo").released(name).model
        module = build(model, pretrained=False)
        module.load_pretrained(WEIGHTS / RIFE_V4)
        return of_model(module, CONTEXT, name, model, device=device, precision=precision)
    path = weights or _trained(str(name))
    found = weights_file.read_config(path)
    method = str(found.get("method"))
    clip, model = restore(path, found)
    if weights is not None and name not in (None, model.name, method):
        raise UserError(
            f"{path}: weights of the model {method} ({model.name}), not of {name}; "
            f"leave --model out, or give the weights of {name}"
        )
    module = build(model, task=clip.task, pretrained=False)
    weights_file.load(path, module, found)
    title = f"{method} ({model.name}), weights {path}"
    if clip.task == "predict":
        return Predicting(module, method, title, clip, _computing(device, precision))
    offsets = window(clip.before, clip.after, "uniform")
    return of_model(module, offsets, method, model, title=title, device=device, precision=precision)


def of_model(
    module: Interpolator,
    offsets: tuple[int, ...],
    name: str,
    model: Model | None = None,
    *,
    title: str | None = None,
    device: str = "auto",
    precision: str = "32",
) -> Method:
    """Make a method of a built model.

    Args:
        module: The model, with its weights.
        offsets: The window that it is given, ascending, where its family does not know one alone.
        name: By which messages call it.
        model: Its configuration, from which memory is estimated; None: it is never tiled by itself.
        title: Its name and where its weights are from, for the user; None: the name alone.
        device: As for `choose`.
        precision: As for `choose`.
    """
    if model is not None:
        offsets = model.family.only() or offsets
    method = Network(module, name, title or name, offsets, _computing(device, precision))
    if model is not None:
        method.whole, method.tiled = _bytes(model, offsets, cached=isinstance(module, Lift))
    return method


def _trained(name: str) -> Path:
    """Return the weights of a model: LIFT's own released ones, those of many files by their common name."""
    there = {path.parent.name: path for path in sorted(TRAINED.glob("*/best.safetensors"))}
    stems = (path.stem.split("-")[0] for path in sorted(WEIGHTS.glob("*.safetensors")))
    released = {stem: WEIGHTS / f"{stem}{header.SUFFIX}" for stem in stems}
    there |= {stem: path for stem, path in released.items() if header.plain(path, weights_file.CONFIG)}
    if name in there:
        return there[name]
    known = [*RELEASED, *there, *BASELINES]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    raise UserError(f"--model {name}: no such model; {hint}known here: {', '.join(known)}")


def _computing(name: str, precision: str) -> Computing:
    """Return where and in which type of numbers to compute."""
    device = torch.device("cpu")
    if name != "auto":
        try:
            device = torch.device(name)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(
                f"--device {name}: not usable on this machine ({reason}); use auto or cpu"
            ) from error
    elif torch.cuda.is_available() or torch.backends.mps.is_available():
        device = torch.device("cuda" if torch.cuda.is_available() else "mps")
    if precision == "16" and device.type == "cpu":
        raise UserError("--precision 16: half precision needs a GPU; on a CPU use bf16 or 32")
    return Computing(device, HALVES[precision])


def _bytes(model: Model, offsets: tuple[int, ...], *, cached: bool) -> tuple[float, float]:
    """Estimate bytes per pixel, whole and per tile.

    The working set is the refiner's: references' features with and without position, and four maps of its
    width; twice that, since convolutions on a CPU keep copies in a layout of their own. The whole frame's
    cache holds pyramids of all frames ahead and of both references. With the demo's widths at 720p that is
    1.2 GiB; 1.3 GiB were measured. `refinement: aligned` also holds references and features side by side,
    warped and blended. Other models are taken to need as much as LIFT of the same configuration.
    """
    c1, c2, c4, c8, c16 = model.widths
    pyramid = c1 + c4 / 16 + c8 / 64 + c16 / 256 + (c2 / 4 if model.flow == "matching" else 0)
    working = 2 * pyramid + 2 * c1 + 4 * model.refiner_widths[0] + 3 * len(offsets)
    if model.refinement == "aligned":
        working += 3 * 2 * (3 + c1)
    ahead = sum(offset > 0 for offset in offsets) + 2
    return FLOAT * (2 * working + (ahead * pyramid if cached else 0)), FLOAT * (2 * working + 2 * pyramid)
