"""Data sets from their official archives: room, download in parallel, unpack beside, rename, record.

Archives lie in `<archives>/<data set>/`, where a file placed by hand is found as well. The unpacked folder
appears as a whole, with `brought.json` in it: with that, a later run needs neither network nor archives.
"""

import json
import shutil
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from lift.config import Download
from lift.errors import UserError
from lift.fetch.archives import settle, unpack
from lift.fetch.catalogue import CATALOGUE, Dataset, Remote
from lift.fetch.fetch import fetch, part_of
from lift.fetch.manifest import Identity, Manifest
from lift.files import full_disk_explained
from lift.progress import bar

BROUGHT = "brought.json"


def bring(
    name: str,
    folder: Path,
    manifest: Path,
    *,
    archives: Path,
    settings: Download,
    catalogue: Mapping[str, Dataset] = CATALOGUE,
) -> dict[str, Any]:
    """Bring one data set; see `bring_all`."""
    everything = bring_all(
        {name: folder}, manifest, archives=archives, settings=settings, catalogue=catalogue
    )
    return everything[name]


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
            done = _already(name, folder, known)
            if done is not None:
                brought[name] = done
            else:
                todo[name] = _dataset(name, folder, catalogue)
        except UserError as error:
            problems.append(str(error))
    if todo:
        with _alone(archives):
            _check_room(todo, folders, archives)
            files, failed = _fetch_all(todo, archives, known, settings)
            problems += failed
            for name, dataset in todo.items():
                if name in files:
                    try:
                        brought[name] = _install(name, dataset, folders[name], archives, files[name], known)
                        if not settings.keep_archives:
                            shutil.rmtree(archives / name)
                    except UserError as error:
                        problems.append(str(error))
    if problems:
        raise UserError(" | ".join(problems))
    return brought


def _already(name: str, folder: Path, manifest: Manifest) -> dict[str, Any] | None:
    """Read what an earlier run brought; None: nothing.

    Raises:
        UserError: The folder is not one that was brought, or was unpacked from other files.
    """
    if not folder.exists():
        return None
    try:
        done: dict[str, Any] = json.loads((folder / BROUGHT).read_text())
        for file, value in done["files"].items():
            manifest.record(f"{name}/{file}", Identity(size=value["size"], sha256=value["sha256"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{folder}: was not brought by this stage; to use what lies there set sources.{name}.path to it "
            f"(best after moving it elsewhere), otherwise remove it"
        ) from error
    return done


def _dataset(name: str, folder: Path, catalogue: Mapping[str, Dataset]) -> Dataset:
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
        lock = FileLock(archives / ".lock", timeout=0)
        try:
            return lock.acquire()
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
            here = next((p.stat().st_size for p in (path, part_of(path)) if p.exists()), 0)
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
        The data sets of which every file is there; and what went wrong with the others.
    """
    files = [(name, remote) for name, dataset in todo.items() for remote in dataset.files]
    paths = {(name, remote.name): archives / name / remote.name for name, remote in files}
    parts = [part_of(path) for path in paths.values()]
    have = sum(part.stat().st_size for part in parts if part.exists())
    missing = [r for n, r in files if not paths[n, r.name].exists()]
    sizes = [remote.size or remote.about for remote in missing]
    total = sum(filter(None, sizes)) if all(sizes) else None
    stop, lock = threading.Event(), threading.Lock()
    found: dict[str, dict[str, Identity]] = {name: {} for name in todo}
    problems: list[str] = []
    with (
        bar(title="downloading", unit="B", total=total, initial=have, scale=True) as progress,
        ThreadPoolExecutor(settings.parallel) as pool,
    ):

        def advance(count: int) -> None:
            with lock:
                progress.update(count)

        def one(name: str, remote: Remote) -> Identity:
            key = f"{name}/{remote.name}"
            return fetch(remote, paths[name, remote.name], key, manifest, settings, advance, stop)

        tasks: dict[Future[Identity], tuple[str, Remote]] = {
            pool.submit(one, name, remote): (name, remote) for name, remote in files
        }
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
    whole = {n: there for n, there in found.items() if len(there) == len(todo[n].files)}
    return whole, problems


def _install(
    name: str,
    dataset: Dataset,
    folder: Path,
    archives: Path,
    files: Mapping[str, Identity],
    manifest: Manifest,
) -> dict[str, Any]:
    """Unpack a data set's archives beside `folder`, then rename."""
    beside = folder.with_name(f".{folder.name}.unpacking")
    shutil.rmtree(beside, ignore_errors=True)  # of a run that was killed
    try:
        with full_disk_explained(folder):
            beside.mkdir(parents=True)
            for remote in dataset.files:
                _unpack_one(archives / name / remote.name, remote, beside, files[remote.name])
            done = {
                "origin": "download",
                "title": dataset.title,
                "licence": dataset.licence,
                "files": {
                    file: {"sha256": what.sha256, "size": what.size} for file, what in sorted(files.items())
                },
            }
            (beside / BROUGHT).write_text(json.dumps(done, indent=1, sort_keys=True) + "\n")
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    # Only now: a truncated archive must not become what everybody else's is compared with.
    for file, what in files.items():
        manifest.record(f"{name}/{file}", what)
    return done


def _unpack_one(archive: Path, remote: Remote, folder: Path, identity: Identity) -> None:
    """Unpack one archive by itself, then put what it holds with the others'."""
    alone = folder / ".alone"
    alone.mkdir()
    with bar(title=f"unpacking {remote.name}", unit="B", total=identity.size, scale=True) as progress:
        unpack(archive, remote.kind, alone, int(identity.size * remote.expands), progress.update)
    settle(alone, remote.holds, archive)
    target = folder / remote.into
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(alone.iterdir()):
        if (target / path.name).exists():
            raise UserError(f"{archive}: holds {path.name}, and another archive of the data set does too")
        path.rename(target / path.name)
    alone.rmdir()
