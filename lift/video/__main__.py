"""`python -m lift.video INPUT OUTPUT`: the command line of the video tool."""

import argparse
import sys
from dataclasses import fields
from fractions import Fraction
from functools import partial
from pathlib import Path

from lift.errors import UserError
from lift.video.batch import foresee_all, jobs_of, run_all
from lift.video.choose import DEFAULT_MODEL, HALVES, choose
from lift.video.codecs import CONTAINERS
from lift.video.job import SIGNALLED, Job, Outcome
from lift.video.methods import Method
from lift.video.pace import LEAST, UNCHANGED, Schedule, not_a_factor
from lift.video.run import run
from lift.video.settings import DEFAULTS
from lift.video.source import Span

SHORTENED = 2  # decimals from which a rate such as 23.98 is a shortened 24000/1001
FINEST = 1_000_000  # parts of a second that containers count in, at most


def main(arguments: list[str] | None = None) -> int:
    """Run the tool; gives the exit status."""
    parser = _parser()
    options = parser.parse_intermixed_args(arguments)
    if len(options.paths) < 2:
        parser.error("expected an input and an output")
    *inputs, output = options.paths
    try:
        method = choose(options.model, options.weights, device=options.device, precision=options.precision)
        job = _job(options, inputs[0], output, method)
        jobs = jobs_of(inputs, job)
        _say(f"using {method.title}")
        if options.dry_run:
            return foresee_all(jobs, method, _say)
        if jobs != [job]:
            return run_all(jobs, method, _say)
        outcome = run(job, method, _say)
    except UserError as error:
        _say(f"error: {error}")
        return 1
    _say(_summary(job, outcome))
    if outcome.trouble:
        until = f"up to {float(outcome.reached):.2f} s"
        _say(f"error: {outcome.trouble}; {job.output} holds what could be read, {until}")
        return 1
    return SIGNALLED + outcome.interrupted if outcome.interrupted else 0


def _summary(job: Job, outcome: Outcome) -> str:
    few = "; only two frames, so no context beyond them" if outcome.originals == 2 else ""
    stopped = "stopped; playable: " if outcome.interrupted else ""
    cuts = f"{outcome.cuts} cut{'' if outcome.cuts == 1 else 's'}"
    repeated = f", {outcome.stutters} of them repeated" if outcome.stutters else ""
    return f"{stopped}{job.output}: {outcome.shown} frames from {outcome.originals}{repeated}, {cuts}{few}"


def _job(options: argparse.Namespace, given: Path, output: Path, method: Method) -> Job:
    factor = options.factor
    if not method.interpolates and (options.fps is not None or factor not in (None, UNCHANGED)):
        raise UserError(
            f"{method.name} was trained to predict and makes no frame between two: leave --factor and "
            f"--fps out, or take a model that interpolates"
        )
    if factor is None:
        factor = LEAST if method.interpolates else UNCHANGED
    elif method.interpolates and factor < LEAST:
        raise UserError(not_a_factor(factor))
    own = {name: value for name, value in vars(options).items() if name in {f.name for f in fields(Job)}}
    schedule = Schedule(factor=factor, fps=options.fps, slow_motion=options.slow_motion)
    span = Span(start=options.start, end=options.end)
    return Job(**own, input=given, output=output, schedule=schedule, span=span)


def _parser() -> argparse.ArgumentParser:
    name = "python -m lift.video" if Path(sys.argv[0]).stem == "__main__" else Path(sys.argv[0]).name
    parser = argparse.ArgumentParser(
        prog=name,
        usage=f"{name} INPUT [INPUT ...] OUTPUT [options]",
        description="Raise the frame rate of videos.",
    )
    add, flag = parser.add_argument, partial(parser.add_argument, action="store_true")
    add(
        "paths",
        type=Path,
        nargs="+",
        metavar="INPUT ... OUTPUT",
        help="INPUT: a video that FFmpeg reads, a folder of pictures, or a folder of such. OUTPUT: a video "
        f"({' '.join(CONTAINERS)}); without a suffix: a folder of PNG, or of several inputs' outputs. What "
        "is there already of several is not made again",
    )
    rate = parser.add_mutually_exclusive_group()
    many = f"times as many frames (default {LEAST}; {UNCHANGED} with a model that predicts)"
    rate.add_argument("--factor", type=int, help=many)
    fixed = f"a fixed frame rate instead, such as 60 or 60000/1001, at most {DEFAULTS.fastest:g}"
    rate.add_argument("--fps", type=_rate, help=fixed)
    flag("--slow-motion", help="keep the frame rate, so that the video lasts --factor times longer")
    add(
        "--repeats",
        choices=("keep", "smooth"),
        help="frames that repeat the one before while the scene moves, as in animation on twos: keep them, "
        "or smooth the motion between distinct frames (default: smooth, where there are any)",
    )
    add("--start", type=_time, default=Fraction(0), help="where to begin: seconds or [h:]m:s")
    add("--end", type=_time, help="where to stop")
    known = f"repeat, average, dis, or a trained model of weights or the demo (default {DEFAULT_MODEL})"
    add("--model", help=known)
    add("--weights", type=Path, help="a weights file (default: the model's in weights or data/demo/models)")
    add("--device", default="auto", help="auto (default), cpu, cuda, cuda:1, mps")
    add("--precision", choices=sorted(HALVES), default="32", help="bits of the arithmetic (default 32)")
    budget = f"auto (default: {DEFAULTS.memory:g} GiB, or what the GPU has), off, or pixels"
    add("--tile", default="auto", help=budget)
    add("--codec", help="h264, h265, vp9, av1, ffv1 (lossless) or any encoder of FFmpeg")
    flag("--preview", help="show input and result side by side")
    add("--predict", type=int, default=0, metavar="N", help="append N frames, by a model that predicts")
    add("--report", type=Path, help="a CSV file: motion, cuts and α of each frame")
    add("--input-fps", type=_rate, default=Fraction(25), help="rate of a folder of pictures (default 25)")
    flag("--deinterlace", help="make whole pictures of an interlaced video's fields first")
    flag("--dry-run", help="say how many frames, seconds and bytes it would come to")
    flag("--force", help="overwrite the output")
    return parser


def _rate(text: str) -> Fraction:
    """Read a frame rate; 59.94 and its like mean 60000/1001, as they do on every label."""
    try:
        value = Fraction(text)
        if value <= 0:
            raise ValueError("not above 0")
    except (ValueError, ZeroDivisionError) as error:
        message = f"{text}: expected a number above 0, such as 60 or 60000/1001"
        raise argparse.ArgumentTypeError(message) from error
    digits = len(text.partition(".")[2]) if "/" not in text and "e" not in text.lower() else 0
    near = round(value * Fraction(1001, 1000)) * Fraction(1000, 1001)
    if digits >= SHORTENED and abs(near - value) <= Fraction(1, 2 * 10**digits):
        return near
    return value.limit_denominator(FINEST)


def _time(text: str) -> Fraction:
    """Read seconds, or [h:]m:s."""
    try:
        whole = "0:" * (2 - text.count(":")) + text
        hours, minutes, seconds = (Fraction(part) for part in whole.split(":"))
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"{text}: expected seconds or [h:]m:s") from error
    return 3600 * hours + 60 * minutes + seconds


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
