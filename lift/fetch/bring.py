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
from pathlib import Path
from typing import Any

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import CATALOGUE, CONTEXTNET, VGG19, Dataset, Remote
from lift.fetch.transfer import Identity, Transfer, identify, part_of, record, recorded, size_of
from lift.fetch.unpack import unpack
from lift.files import atomic_folder, full_disk_explained, write_json
from lift.lock import locked
from lift.progress import bar

BROUGHT = "brought.json"
DEPTH = 3  # folders that archives are seen to put around what they hold, and the innermost


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
    recorded(manifest)  # a damaged one is refused before hours of downloading
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
                brought[name] = _already(name, folder, manifest)
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
            for name, files in _fetch_all(todo, archives, manifest, settings, problems).items():
                with kept():
                    brought[name] = _install(todo[name], folders[name], archives / name, files, manifest)
                    if not settings.keep_archives:
                        shutil.rmtree(archives / name)
    if problems:
        raise UserError(" | ".join(problems))
    return brought


def _already(name: str, folder: Path, manifest: Path) -> dict[str, Any]:
    """Read what an earlier run brought; a folder that was not, or from other files, is refused."""
    try:
        done: dict[str, Any] = json.loads((folder / BROUGHT).read_text())
        for file, value in done["files"].items():
            record(manifest, f"{name}/{file}", Identity(size=value["size"], sha256=value["sha256"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{folder}: was not brought by this stage; to use what lies there set sources.{name}.path to it "
            f"(best after moving it elsewhere), otherwise remove it"
        ) from error
    return done


def _check_room(todo: Mapping[str, Dataset], folders: Mapping[str, Path], archives: Path) -> None:
    """Refuse what cannot end, by the published sizes: archives and unpacked files lie side by side."""
    needs, places = Counter[int](), dict[int, Path]()  # by disk: one may be mounted at several places
    for name, dataset in todo.items():
        for remote in dataset.files:
            size, path = remote.about or 0, archives / name / remote.name
            if not remote.urls and not path.exists():
                continue  # that it must be got by hand is the better message
            missing = max(size - (size_of(path) or size_of(part_of(path))), 0)
            for place, needed in ((archives, missing), (folders[name], size)):
                there = next(p for p in (place, *place.absolute().parents) if p.exists())
                disk = there.stat().st_dev
                places[disk] = there
                needs[disk] += needed
    for disk, needed in needs.items():
        free = shutil.disk_usage(places[disk]).free
        if needed > free:
            raise UserError(
                f"{places[disk].absolute()}: {', '.join(todo)} need {needed / 1e9:.0f} GB (archives and "
                f"unpacked files), {free / 1e9:.0f} GB are free; free some, or let `data` be a link to a "
                f"larger disk"
            )


def _fetch_all(
    todo: Mapping[str, Dataset], archives: Path, manifest: Path, settings: Download, problems: list[str]
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
            unit_scale=True,
        ) as progress,
        ThreadPoolExecutor(settings.parallel) as pool,
    ):

        def advance(count: int) -> None:
            with lock:
                progress.update(count)

        def fetch(path: Path) -> None:
            name, remote = files[path]
            try:
                found[name][remote.name] = Transfer(
                    remote=remote, path=path, key=f"{name}/{remote.name}", manifest=manifest,
                    settings=settings, advance=advance, stop=stop,
                ).fetch()  # fmt: skip
            except UserError as error:
                problems.append(str(error))
                progress.write(f"error: {error}", file=sys.stderr)  # now, not after hours of other files

        tasks = [pool.submit(fetch, path) for path in files]
        try:
            for task in as_completed(tasks):
                task.result()  # a fault of the program ends it at once
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
    return {name: had for name, had in found.items() if len(had) == len(todo[name].files)}


def _install(
    dataset: Dataset, folder: Path, archives: Path, files: Mapping[str, Identity], manifest: Path
) -> dict[str, Any]:
    """Unpack a data set's archives beside `folder`, then rename."""
    done = {
        "origin": "download",
        "title": dataset.title,
        "licence": dataset.licence,
        "files": dict(files),
    }
    with atomic_folder(folder) as new:
        for remote in dataset.files:
            archive, target = archives / remote.name, new / remote.into
            with _unpacked(archive, remote, new) as inner:
                target.mkdir(parents=True, exist_ok=True)
                for path in sorted(inner.iterdir()):
                    if (target / path.name).exists():
                        raise UserError(
                            f"{archive}: holds {path.name}, and another archive of the data set does too"
                        )
                    path.rename(target / path.name)
        write_json(new / BROUGHT, done)
    # Only now: a truncated archive must not become what everybody else's is compared with.
    for file, what in files.items():
        record(manifest, f"{archives.name}/{file}", what)
    return done


@contextmanager
def _unpacked(archive: Path, remote: Remote, near: Path) -> Iterator[Path]:
    """Unpack one archive for the time of the block, and yield the folder that holds what it is to hold."""
    size = archive.stat().st_size
    with (
        tempfile.TemporaryDirectory(dir=near) as folder,
        bar(title=f"unpacking {remote.name}", unit="B", total=size, unit_scale=True) as progress,
    ):
        unpack(archive, remote.kind, Path(folder), int(size * remote.expands), progress.update)
        yield innermost(Path(folder), remote.holds, archive)


def innermost(folder: Path, holds: tuple[str, ...], archive: Path) -> Path:
    """Return the folder in which all of `holds` lie: archives put folders around what they hold.

    Raises:
        UserError: It is nowhere in `folder`.
    """
    level = [folder]
    for _ in range(DEPTH):
        for inner in level:
            if all((inner / name).exists() for name in holds):
                return inner
        level = [child for parent in level for child in sorted(parent.iterdir()) if child.is_dir()]
    found = ", ".join(sorted(path.name for path in folder.iterdir())[:5]) or "nothing"
    raise UserError(
        f"{archive}: not the expected archive: no {' with '.join(holds)} in it (found: {found}); get it "
        f"from its authors again"
    )


def bring_contextnet(
    path: Path, manifest: Path, settings: Download, *, archives: Path, remote: Remote = CONTEXTNET
) -> None:
    """Bring RIFE's ContextNet to `path`, out of the archive of the whole model; a file there is accepted.

    Raises:
        UserError: It cannot be had, or the file at `path` is another than was first used.
    """
    (member,) = remote.holds
    if not path.is_file():
        archive = archives / "weights" / remote.name
        try:
            identity = _weights(remote, archive, manifest, settings)
        except UserError as error:
            raise UserError(f"{error}; or put its {member} at {path}") from error
        with full_disk_explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _unpacked(archive, remote, path.parent) as inner:
                (inner / member).replace(path)
        record(manifest, f"weights/{remote.name}", identity)
    record(manifest, f"weights/{member}", identify(path))


def bring_vgg19(manifest: Path, settings: Download, *, remote: Remote = VGG19) -> None:
    """Bring VGG-19's weights to PyTorch's cache; a file of their name there is checked and accepted.

    Raises:
        UserError: They cannot be had, or those that lie there are others.
    """
    import torch  # late: seconds

    path = Path(torch.hub.get_dir()) / "checkpoints" / remote.name  # where `loss.perceptual` looks for them
    record(manifest, f"weights/{remote.name}", _weights(remote, path, manifest, settings))


def _weights(remote: Remote, path: Path, manifest: Path, settings: Download) -> Identity:
    with bar(title=f"downloading {remote.name}", unit="B", unit_scale=True, total=remote.about) as progress:
        return Transfer(
            remote=remote, path=path, key=f"weights/{remote.name}", manifest=manifest, settings=settings,
            advance=progress.update,
        ).fetch()  # fmt: skip
