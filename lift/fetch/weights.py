"""Pretrained weights that a run needs, brought to where the code looks for them.

RIFE's ContextNet lies at `model.pretrained`; VGG-19 in PyTorch's own cache, which all projects of a user
share.
"""

import shutil
from pathlib import Path
from typing import Any

from lift.config import Download
from lift.errors import UserError
from lift.fetch.archives import settle, unpack
from lift.fetch.catalogue import CONTEXTNET, VGG19, Remote
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


def bring_vgg19(
    manifest: Path, settings: Download, *, folder: Path | None = None, remote: Remote = VGG19
) -> dict[str, Any]:
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
    return _described(known, f"weights/{remote.name}", _fetch(remote, folder / remote.name, known, settings))


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
