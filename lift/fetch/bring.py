"""Data sets from their official archives: room, download in parallel, unpack beside, rename, record.

Archives lie in `<archives>/<data set>/`, where a file placed by hand is found as well. The unpacked folder
appears as a whole, with `brought.json` in it: with that, a later run needs neither network nor archives.
"""

import json
import shutil
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import CATALOGUE, Dataset, Remote
from lift.fetch.fetch import fetch, part_of
from lift.fetch.manifest import Identity, Manifest
from lift.fetch.transfer import size_of
from lift.fetch.unpack import beside, contents
from lift.files import full_disk_explained
from lift.progress import bar

BROUGHT = "brought.json"


def bring_all(
    folders: Mapping[str, Path],
    manifest: Path,
    *,
    archives: Path,
    settings: Download,
    catalogue: Mapping[str, Dataset] = CATALOGUE,
) -> dict[str, dict[str, Any]]:
    """Bring data sets; what can be had is had, before the first problem of another ends the run.

    Args:
        folders: Where each data set is to lie.
        manifest: File of sizes and digests at first use; git keeps it.
        archives: Folder of archives.
        settings: Attempts, time limits, files at once.
        catalogue: The data sets that can be brought.

    Returns:
        By data set: its origin, licence and files with size and digest.

    Raises:
        UserError: Not all could be brought: every reason in one line, with what to do.
    """
    known = Manifest(manifest)
    brought: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    todo: dict[str, Dataset] = {}
    for name, folder in folders.items():
        try:
            if folder.exists():
                brought[name] = _already(name, folder, known)
            else:
                todo[name] = _dataset(name, catalogue)
        except UserError as error:
            problems.append(str(error))
    if todo:
        with _alone(archives):
            _check_room(todo, folders, archives)
            found, failed = _fetch_all(todo, archives, known, settings)
            problems += failed
            for name, files in found.items():
                try:
                    brought[name] = _install(todo[name], folders[name], archives / name, files, known)
                    if not settings.keep_archives:
                        shutil.rmtree(archives / name)
                except UserError as error:
                    problems.append(str(error))
    if problems:
        raise UserError(" | ".join(problems))
    return brought


def _already(name: str, folder: Path, manifest: Manifest) -> dict[str, Any]:
    """Read what an earlier run brought.

    Raises:
        UserError: The folder is not one that was brought, or was unpacked from other files.
    """
    try:
        done: dict[str, Any] = json.loads((folder / BROUGHT).read_text())
        for file, value in done["files"].items():
            manifest.record(f"{name}/{file}", Identity(**value))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder}: was not brought by this stage; to use what lies there set sources.{name}.path to it "
            f"(best after moving it elsewhere), otherwise remove it"
        ) from error
    return done


def _dataset(name: str, catalogue: Mapping[str, Dataset]) -> Dataset:
    if name not in catalogue:
        raise UserError(
            f"{name}: nothing to download under this name (there are: {', '.join(sorted(catalogue))}); "
            f"set sources.{name}.path to the folder that holds it"
        )
    return catalogue[name]


def _alone(archives: Path) -> AbstractContextManager[object]:
    """Keep a second run away from the same parts."""
    with full_disk_explained(archives):
        archives.mkdir(parents=True, exist_ok=True)
        try:
            return FileLock(archives / ".lock", timeout=0).acquire()
        except Timeout as error:
            raise UserError(f"{archives}: another download is under way there; wait for its end") from error


def _check_room(todo: Mapping[str, Dataset], folders: Mapping[str, Path], archives: Path) -> None:
    """Refuse to start what cannot end: archives and unpacked files lie side by side for a while.

    Unpacked footage is as large as packed, being compressed itself.

    Raises:
        UserError: Too little is free, by the published sizes.
    """
    needs: dict[int, tuple[Path, int]] = {}  # by disk
    for name, dataset in todo.items():
        for remote in dataset.files:
            size, path = remote.size or remote.about or 0, archives / name / remote.name
            if not remote.urls and not path.exists():
                continue  # that it must be got by hand is the better message
            here = size_of(path) or size_of(part_of(path))
            for place, needed in ((archives, max(size - here, 0)), (folders[name], size)):
                existing = next(p for p in (place, *place.absolute().parents) if p.exists())
                disk = existing.stat().st_dev
                needs[disk] = (existing, needs.get(disk, (existing, 0))[1] + needed)
    for place, needed in needs.values():
        free = shutil.disk_usage(place).free
        if needed > free:
            raise UserError(
                f"{place.absolute()}: {', '.join(todo)} need {needed / 1e9:.0f} GB (archives and unpacked "
                f"files), {free / 1e9:.0f} GB are free; free some, or let `data` be a link to a larger disk"
            )


def _fetch_all(
    todo: Mapping[str, Dataset], archives: Path, manifest: Manifest, settings: Download
) -> tuple[dict[str, dict[str, Identity]], list[str]]:
    """Fetch all files, several at once, with one bar.

    Returns:
        What the files are of each data set that is whole; and what went wrong with the others.
    """
    files = {archives / name / r.name: (name, r) for name, dataset in todo.items() for r in dataset.files}
    sizes = [remote.size or remote.about for path, (_, remote) in files.items() if not path.exists()]
    found: dict[str, dict[str, Identity]] = {name: {} for name in todo}
    problems: list[str] = []
    stop, lock = threading.Event(), threading.Lock()
    with (
        bar(
            title="downloading",
            unit="B",
            total=sum(filter(None, sizes)) if all(sizes) else None,
            initial=sum(size_of(part_of(path)) for path in files),
            scale=True,
        ) as progress,
        ThreadPoolExecutor(settings.parallel) as pool,
    ):

        def advance(count: int) -> None:
            with lock:
                progress.update(count)

        def one(path: Path, name: str, remote: Remote) -> Identity:
            return fetch(remote, path, f"{name}/{remote.name}", manifest, settings, advance, stop)

        tasks = {pool.submit(one, path, *file): file for path, file in files.items()}
        try:
            for task in as_completed(tasks):
                name, remote = tasks[task]
                try:
                    found[name][remote.name] = task.result()
                except UserError as error:
                    problems.append(str(error))
                    progress.write(f"error: {error}", file=sys.stderr)  # now, not after hours of other files
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    whole = {name: there for name, there in found.items() if len(there) == len(todo[name].files)}
    return whole, problems


def _install(
    dataset: Dataset, folder: Path, archives: Path, files: Mapping[str, Identity], manifest: Manifest
) -> dict[str, Any]:
    """Unpack a data set's archives beside `folder`, then rename."""
    with beside(folder) as new:
        for remote in dataset.files:
            archive, target = archives / remote.name, new / remote.into
            alone = contents(archive, remote, new, files[remote.name])
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted(alone.iterdir()):
                if (target / path.name).exists():
                    raise UserError(
                        f"{archive}: holds {path.name}, and another archive of the data set does too"
                    )
                path.rename(target / path.name)
            alone.rmdir()
        done = {
            "origin": "download",
            "title": dataset.title,
            "licence": dataset.licence,
            "files": {file: asdict(what) for file, what in sorted(files.items())},
        }
        (new / BROUGHT).write_text(json.dumps(done, indent=1, sort_keys=True) + "\n")
        new.rename(folder)
    # Only now: a truncated archive must not become what everybody else's is compared with.
    for file, what in files.items():
        manifest.record(f"{archives.name}/{file}", what)
    return done
