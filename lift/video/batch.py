"""Several inputs into one folder: one bar over all, and a stop loses no more than the output at hand.

An output appears under its name only when it is whole. So whatever ended the work, a further run finds what
is done and makes what is missing.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lift.clips.sequence import natural, visible
from lift.errors import UserError
from lift.progress import bar
from lift.video.choose import Chosen
from lift.video.codecs import CONTAINERS
from lift.video.folder import PICTURES
from lift.video.job import SIGNALLED, Job, Stopped
from lift.video.run import opened, run

VIDEOS = frozenset((*CONTAINERS, ".mpg", ".mpeg", ".vob", ".m2ts", ".mts", ".wmv", ".flv", ".3gp", ".apng"))
"""Suffixes by which the videos of a folder are found."""
OTHERWISE = ".mp4"
"""The kind of output of an input whose own kind is not written here."""


def inputs_of(given: Sequence[Path]) -> list[Path]:
    """Return what there is to do: a folder without pictures stands for the sequences and videos in it."""
    found: list[Path] = []
    for path in given:
        if not path.is_dir() or visible(path, PICTURES):
            found.append(path)
            continue
        inner = [
            entry
            for entry in sorted(path.iterdir(), key=lambda entry: natural(entry.name))
            if not entry.name.startswith(".")
            and (visible(entry, PICTURES) if entry.is_dir() else entry.suffix.lower() in VIDEOS)
        ]
        found += inner or [path]  # which is refused then, by name
    return found


def is_batch(given: Sequence[Path]) -> bool:
    """Return whether outputs go into a folder, each under its input's name."""
    return len(given) > 1 or inputs_of(given) != list(given)


def jobs_of(inputs: Sequence[Path], folder: Path, like: Job) -> list[Job]:
    """Plan the outputs.

    Args:
        inputs: Videos and folders of pictures.
        folder: Where outputs go; made where missing.
        like: All else that the jobs have in common.

    Raises:
        UserError: Two outputs would have the same name, or the folder is in the way.
    """
    if folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: several inputs go into a folder, and this is a file")
    if like.report is not None:
        raise UserError("--report: is of one input; leave it out, or give the inputs one by one")
    jobs = [replace(like, input=path, output=folder / _name(path)) for path in inputs]
    first: dict[Path, Path] = {}
    for job in jobs:
        other = first.setdefault(job.output, job.input)
        if other is not job.input:
            raise UserError(f"{job.output}: both {other} and {job.input} would become it; rename one of them")
    return jobs


def run_all(jobs: Sequence[Job], chosen: Chosen, say: Callable[[str], None]) -> int:
    """Do what is not done yet and name what could not be; return the exit status.

    An input that is refused costs the others nothing; it is named before any work, and again at the end.
    """
    waiting = [job for job in jobs if job.force or not job.output.exists()]
    if len(waiting) < len(jobs):
        say(f"{len(jobs) - len(waiting)} of {len(jobs)} are there already (--force makes them anew)")
    total, failed = 0, []
    for job in list(waiting):
        try:
            with opened(job, chosen) as given:
                total += given.shown or 0
        except UserError as error:
            say(f"error: {error}")
            waiting.remove(job)
            failed.append(job)
    with bar(title="smoothing", unit="frame", total=total or None) as progress:
        for place, job in enumerate(waiting):
            try:
                outcome = run(
                    job, chosen, lambda line, job=job: say(f"{job.input.name}: {line}"),  # type: ignore[misc]
                    progress=progress, partial=False,
                )  # fmt: skip
            except UserError as error:
                say(f"error: {error}")
                failed.append(job)
                continue
            except Stopped as stop:
                missing = [*failed, *waiting[place:]]
                say(
                    f"stopped; {len(jobs) - len(missing)} of {len(jobs)} are whole; missing: "
                    f"{_names(missing)}; run the same command again to go on"
                )
                return SIGNALLED + stop.number
            if outcome.trouble:
                say(f"error: {outcome.trouble}; {job.output} holds what could be read")
                failed.append(job)
    say(f"{len(jobs) - len(failed)} of {len(jobs)} done" + (f"; not: {_names(failed)}" if failed else ""))
    return 1 if failed else 0


def _name(path: Path) -> str:
    if path.is_dir():
        return path.name or path.resolve().name
    return path.name if path.suffix.lower() in CONTAINERS else f"{path.stem}{OTHERWISE}"


def _names(jobs: Sequence[Job]) -> str:
    return ", ".join(str(job.output) for job in jobs)
