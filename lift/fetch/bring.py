"""Data sets from their official archives: room, download in parallel, unpack beside, rename, record; weights.

Archives lie in `<archives>/<data set>/`, where a file placed by hand is found as well. The unpacked folder
appears as a whole, with `brought.json` in it: with that, a later run needs neither network nor archives.
Pretrained weights lie where the code looks for them: RIFE's ContextNet at `model.pretrained`; VGG-19 in
PyTorch's own cache, which all projects of a user share.
"""

import json
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import CATALOGUE, CONTEXTNET, VGG19, Dataset, Remote
from lift.fetch.identity import Identity, Manifest, identify
from lift.fetch.transfer import fetch, part_of, size_of
from lift.fetch.unpack import contents
from lift.files import atomic_folder, full_disk_explained
from lift.lock import locked
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

    @contextmanager
    def kept() -> Iterator[None]:
        try:
            yield
        except UserError as error:
            problems.append(str(error))

    for name, folder in folders.items():
        with kept():
            if folder.exists():
                brought[name] = _already(name, folder, known)
            elif name in catalogue:
                todo[name] = catalogue[name]
            else:
                raise UserError(
                    f"{name}: nothing to download under this name (there are: "
                    f"{', '.join(sorted(catalogue))}); set sources.{name}.path to the folder that holds it"
                )
    if todo:
        with locked(archives / ".lock", "another download is under way there; wait for its end"):
            _check_room(todo, folders, archives)
            for name, files in _fetch_all(todo, archives, known, settings, problems).items():
                with kept():
                    brought[name] = _install(todo[name], folders[name], archives / name, files, known)
                    if not settings.keep_archives:
                        shutil.rmtree(archives / name)
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


def _check_room(todo: Mapping[str, Dataset], folders: Mapping[str, Path], archives: Path) -> None:
    """Refuse to start what cannot end: archives and unpacked files, as large, lie side by side for a while.

    Raises:
        UserError: Too little is free, by the published sizes.
    """
    needs, places = Counter[int](), dict[int, Path]()  # by disk
    for name, dataset in todo.items():
        for remote in dataset.files:
            size, path = remote.about or 0, archives / name / remote.name
            if not remote.urls and not path.exists():
                continue  # that it must be got by hand is the better message
            here = size_of(path) or size_of(part_of(path))
            for place, needed in ((archives, max(size - here, 0)), (folders[name], size)):
                there = next(p for p in (place, *place.absolute().parents) if p.exists())
                places[there.stat().st_dev] = there
                needs[there.stat().st_dev] += needed
    for disk, place in places.items():
        free = shutil.disk_usage(place).free
        if needs[disk] > free:
            raise UserError(
                f"{place.absolute()}: {', '.join(todo)} need {needs[disk] / 1e9:.0f} GB (archives and "
                f"unpacked files), {free / 1e9:.0f} GB are free; free some, or let `data` be a link to a "
                f"larger disk"
            )


def _fetch_all(
    todo: Mapping[str, Dataset], archives: Path, manifest: Manifest, settings: Download, problems: list[str]
) -> dict[str, dict[str, Identity]]:
    """Fetch all files, several at once, with one bar; add to `problems` what went wrong.

    Returns:
        What the files are of each data set that is whole.
    """
    files = {archives / name / r.name: (name, r) for name, dataset in todo.items() for r in dataset.files}
    sizes = [remote.about for path, (_, remote) in files.items() if not path.exists()]
    found: dict[str, dict[str, Identity]] = {name: {} for name in todo}
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

        tasks = {
            pool.submit(fetch, remote, path, f"{name}/{remote.name}", manifest, settings, advance, stop): path
            for path, (name, remote) in files.items()
        }
        try:
            for task in as_completed(tasks):
                name, remote = files[tasks[task]]
                try:
                    found[name][remote.name] = task.result()
                except UserError as error:
                    problems.append(str(error))
                    progress.write(f"error: {error}", file=sys.stderr)  # now, not after hours of other files
        except BaseException:
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {name: there for name, there in found.items() if len(there) == len(todo[name].files)}


def _install(
    dataset: Dataset, folder: Path, archives: Path, files: Mapping[str, Identity], manifest: Manifest
) -> dict[str, Any]:
    """Unpack a data set's archives beside `folder`, then rename."""
    done = {
        "origin": "download",
        "title": dataset.title,
        "licence": dataset.licence,
        "files": {file: asdict(what) for file, what in sorted(files.items())},
    }
    with atomic_folder(folder) as new:
        for remote in dataset.files:
            archive, target = archives / remote.name, new / remote.into
            alone = contents(archive, remote, new)
            target.mkdir(parents=True, exist_ok=True)
            for path in sorted(alone.iterdir()):
                if (target / path.name).exists():
                    raise UserError(
                        f"{archive}: holds {path.name}, and another archive of the data set does too"
                    )
                path.rename(target / path.name)
            alone.rmdir()
        (new / BROUGHT).write_text(json.dumps(done, indent=1, sort_keys=True) + "\n")
    # Only now: a truncated archive must not become what everybody else's is compared with.
    for file, what in files.items():
        manifest.record(f"{archives.name}/{file}", what)
    return done


def bring_contextnet(
    path: Path, manifest: Path, settings: Download, *, archives: Path, remote: Remote = CONTEXTNET
) -> None:
    """Bring RIFE's ContextNet to `path`, out of the archive of the whole model; a file there is accepted.

    Raises:
        UserError: It cannot be had, or the file at `path` is another than was first used.
    """
    known, (member,) = Manifest(manifest), remote.holds
    if not path.is_file():
        archive = archives / "weights" / remote.name
        try:
            identity = _fetch(remote, archive, known, settings)
        except UserError as error:
            raise UserError(f"{error}; or put its {member} at {path}") from error
        with full_disk_explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as folder:
                (contents(archive, remote, Path(folder)) / member).replace(path)
        known.record(f"weights/{remote.name}", identity)
    known.record(f"weights/{member}", identify(path))


def bring_vgg19(
    manifest: Path, settings: Download, *, folder: Path | None = None, remote: Remote = VGG19
) -> None:
    """Bring VGG-19's weights to PyTorch's cache; a file of their name there is checked and accepted.

    Args:
        manifest: As in `bring_all`.
        settings: As in `bring_all`.
        folder: Where to; None: the cache's folder of weights, where `loss.perceptual` looks for them.
        remote: What to bring.

    Raises:
        UserError: They cannot be had, or those that lie there are others.
    """
    import torch  # late: seconds

    folder = folder or Path(torch.hub.get_dir()) / "checkpoints"
    known = Manifest(manifest)
    known.record(f"weights/{remote.name}", _fetch(remote, folder / remote.name, known, settings))


def _fetch(remote: Remote, path: Path, known: Manifest, settings: Download) -> Identity:
    with bar(title=f"downloading {remote.name}", unit="B", scale=True, total=remote.about) as progress:
        return fetch(remote, path, f"weights/{remote.name}", known, settings, progress.update)
