"""Pretrained weights that a run needs, brought to where the code looks for them.

RIFE's ContextNet lies at `model.pretrained`; VGG-19 in PyTorch's own cache, which all projects of a user
share.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from lift.config import Download
from lift.errors import UserError
from lift.fetch.catalogue import CONTEXTNET, VGG19, Remote
from lift.fetch.fetch import fetch
from lift.fetch.manifest import Identity, Manifest, identify
from lift.fetch.unpack import beside, contents
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
    if not path.is_file():
        archive = archives / "weights" / remote.name
        try:
            identity = _fetch(remote, archive, known, settings)
        except UserError as error:
            raise UserError(f"{error}; or put its {member} at {path}") from error
        with beside(path) as folder:
            (contents(archive, remote, folder, identity) / member).replace(path)
        known.record(f"weights/{remote.name}", identity)
    return _described(known, member, identify(path))


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
    return _described(known, remote.name, _fetch(remote, folder / remote.name, known, settings))


def _fetch(remote: Remote, path: Path, known: Manifest, settings: Download) -> Identity:
    with bar(title=f"downloading {remote.name}", unit="B", scale=True, total=remote.about) as progress:
        return fetch(remote, path, f"weights/{remote.name}", known, settings, progress.update)


def _described(known: Manifest, name: str, identity: Identity) -> dict[str, Any]:
    known.record(f"weights/{name}", identity)
    return {"origin": "download", "file": f"weights/{name}", **asdict(identity)}
