"""Pretrained weights that a run needs, brought to where the code looks for them: `model.pretrained`."""

import shutil
from pathlib import Path
from typing import Any

from lift.config import Download
from lift.errors import UserError
from lift.fetch.archives import settle, unpack
from lift.fetch.catalogue import CONTEXTNET, Remote
from lift.fetch.fetch import fetch
from lift.fetch.manifest import Identity, Manifest, identify
from lift.files import full_disk_explained
from lift.progress import bar


def bring_contextnet(
    path: Path, manifest: Path, settings: Download, *, archives: Path, remote: Remote = CONTEXTNET
) -> dict[str, Any]:
    """Bring RIFE's ContextNet to `path`, out of the archive of the whole model; a file there is accepted.

    Raises:
        UserError: It cannot be had, or the file at `path` is another than was first used.
    """
    known = Manifest(manifest)
    (member,) = remote.holds
    key = f"weights/{member}"
    if not path.is_file():
        archive = archives / "weights" / remote.name
        try:
            identity = _fetch(remote, archive, known, settings)
        except UserError as error:
            raise UserError(f"{error}; or put its {member} at {path}") from error
        _take_out(archive, remote, path, identity)
        known.record(f"weights/{remote.name}", identity)
    return _described(known, key, identify(path))


def _fetch(remote: Remote, path: Path, known: Manifest, settings: Download) -> Identity:
    with bar(title=f"downloading {remote.name}", unit="B", scale=True, total=remote.about) as progress:
        return fetch(remote, path, f"weights/{remote.name}", known, settings, progress.update)


def _take_out(archive: Path, remote: Remote, path: Path, identity: Identity) -> None:
    beside = path.with_name(f".{path.name}.unpacking")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        with full_disk_explained(path):
            beside.mkdir(parents=True)
            unpack(archive, remote.kind, beside, int(identity.size * remote.expands))
            settle(beside, remote.holds, archive)
            (beside / remote.holds[0]).replace(path)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _described(known: Manifest, key: str, identity: Identity) -> dict[str, Any]:
    known.record(key, identity)
    return {"origin": "download", "file": key, "sha256": identity.sha256, "size": identity.size}
