"""docs/model.md: its shapes are those of the code, and its figures are what its script draws from them."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lift.config import load
from lift.models.registry import build

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "model.md").read_text(encoding="utf-8")
SIZES = {"B": 2, "T": 14, "H": 64, "W": 128}  # multiples of 64: RIFE pads to them
OFFSETS = (*range(-8, 0), *range(1, 7))


def load_script():
    spec = importlib.util.spec_from_file_location("draw_model", ROOT / "docs" / "draw_model.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


SCRIPT = load_script()


def rows(heading):
    """List a table's rows: tensor, shape in symbols, module, "in" or "out", which one."""
    (text,) = (part for part in re.split(r"^## ", PAGE, flags=re.M) if part.startswith(heading + "\n"))
    found = re.findall(
        r"^\| ([^|]+) \| [^|]+ \| ([^|]+) \| `([\w.]+(?:\(\))?)` (in|out) (\d) \|$", text, re.M
    )
    assert len(found) == sum(line.startswith("|") for line in text.splitlines()) - 2, "a row has another form"
    return found


def evaluate(shape):
    """Turn "2·B, 32, H/4, W/4" into numbers."""
    result = []
    for term in shape.split(", "):
        times, symbol, over = re.fullmatch(r"(?:(\d+)·)?([BTHW]|\d+)(?:/(\d+))?", term).groups()
        value = SIZES[symbol] if symbol in SIZES else int(symbol)
        result.append(int(times or 1) * value // int(over or 1))
    return tuple(result)


def watched(function, keep):
    def call(*arguments, **named):
        result = function(*arguments, **named)
        keep(None, arguments, result)
        return result

    return call


def record(model, names, patch):
    """Run the model; collect the shapes of its parts' arguments and results, each at its first call."""
    seen = {}

    def hook(name):
        def keep(_, inputs, output):
            outputs = (output,) if isinstance(output, torch.Tensor) else tuple(output)
            for way, tensors in (("in", inputs), ("out", outputs)):
                for i, tensor in enumerate(tensors):
                    if isinstance(tensor, torch.Tensor):
                        seen.setdefault((name, way, i), tuple(tensor.shape))

        return keep

    modules = dict(model.named_modules()) | {"model": model}
    for name in names:
        if name.endswith("()"):  # `window.share()`: the function that the module's file calls by this name
            owner, function = name[:-2].rsplit(".", 1)
            file = sys.modules[type(modules[owner]).__module__]
            patch.setattr(file, function, watched(getattr(file, function), hook(name)))
        else:
            modules[name].register_forward_hook(hook(name))
    generator = torch.Generator().manual_seed(0)
    frames = torch.rand(SIZES["B"], SIZES["T"], 3, SIZES["H"], SIZES["W"], generator=generator)
    offsets = torch.tensor(OFFSETS).float().repeat(SIZES["B"], 1)
    with torch.no_grad():
        model.eval()(frames, offsets, torch.ones_like(offsets).bool())
    return seen


MODELS = {"LIFT": {}, "LIFT on RIFE": {"flow": "rife", "refinement": "aligned"}}


@pytest.mark.parametrize("heading", MODELS)
def test_the_tables_shapes_are_those_of_the_code(heading, monkeypatch):
    model = load(ROOT / "params.yaml", "thesis").model
    table = rows(heading)
    built = build(replace(model, pretrained=None, **MODELS[heading]))
    seen = record(built, {row[2] for row in table}, monkeypatch)
    said = {name: evaluate(shape) for name, shape, *_ in table}
    assert said == {name: seen[module, way, int(i)] for name, _, module, way, i in table}


@pytest.mark.parametrize("name", SCRIPT.FIGURES)
def test_the_figures_are_what_the_script_draws(name):
    heading, draw = SCRIPT.FIGURES[name]
    drawn = draw(SCRIPT.read_shapes(PAGE, heading))
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == drawn
    assert f"]({name})" in PAGE
