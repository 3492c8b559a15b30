"""Check a model: `python -m lift.models [NAME …] [--profile demo] [--size 256x256] [--batch 2]`.

Builds the model of a method (without NAME: the first that the profile trains; `all`: every ablation and what
is released), prints its parameters, by stage and as phases freeze them, the shape of every output, memory and
time; exits with 1 where a shape is not the specification's, a value is not finite, or a parameter would never
learn.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from lift.config import Config, load, load_all
from lift.config.checks import named
from lift.config.parse import check_known
from lift.config.yaml12 import read
from lift.errors import UserError
from lift.models.registry import build
from lift.models.selfcheck import report
from lift.models.shapes import clip_of

PARAMS = Path(__file__).resolve().parents[2] / "params.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks that the command line asks for; return the exit status."""
    asked = _parser().parse_args(arguments)
    try:
        base, _ = load_all(PARAMS, asked.profile)
        known = (*named(read(PARAMS), "ablations"), *base.released)
        names = known if asked.names == ["all"] else asked.names or base.ablations[:1]
        for name in names:
            check_known(name, known, "ablations")
        faults = sum(_check(load(PARAMS, asked.profile, name), asked) for name in names)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    told = "all shapes are the specification's" if not faults else f"faults: {faults}"
    sys.stdout.write(f"models checked: {len(names)}; {told}\n")
    return int(faults > 0)


def _check(config: Config, asked: argparse.Namespace) -> int:
    start = config.model.start
    model = build(
        config.model,
        task=config.clip.task,
        seed=config.seed,
        pretrained=start is not None and start.is_file(),
    ).to(asked.device)
    multiple = model.multiple
    size = tuple(multiple * -(-side // multiple) for side in asked.size)
    clip = {
        key: value.to(asked.device) for key, value in clip_of(config, asked.batch, (size[0], size[1])).items()
    }
    faults = 0
    for line in report(config, model, clip, measure=not asked.quick):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
        faults += line.startswith("FAULT")
    return faults


def _parser() -> argparse.ArgumentParser:
    first = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m lift.models", description=first[2])
    add = parser.add_argument
    add(
        "names",
        nargs="*",
        metavar="NAME",
        help="a method of params.yaml; all: every one (default: the first that the profile trains)",
    )
    add("--profile", default="demo", help="whose widths (default demo; thesis: the specification's)")
    add(
        "--size",
        type=_size,
        default=(256, 256),
        help="HxW of the frames (default 256x256), rounded up to what the model pads to",
    )
    add("--batch", type=int, default=2, help="clips (default 2)")
    add("--quick", action="store_true", help="neither memory nor time")
    add(
        "--device",
        type=torch.device,
        default="cuda" if torch.cuda.is_available() else "cpu",
        help="cpu or cuda",
    )
    return parser


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    if not (height.isdigit() and width.isdigit() and min(int(height), int(width)) > 0):
        raise argparse.ArgumentTypeError(f"{text}: expected height x width, such as 256x448")
    return int(height), int(width)


if __name__ == "__main__":
    sys.exit(main())
