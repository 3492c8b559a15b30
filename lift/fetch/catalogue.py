"""What can be brought: the data sets and weights of catalogue.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lift.config.yaml12 import read


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One file."""

    name: str
    """The official file name."""
    page: str
    """Where a person gets it."""
    urls: tuple[str, ...] = ()
    """Addresses, the official one first, then mirrors; none: only a person can get it (a login, a form)."""
    about: int | None = None
    """Published size in bytes, rounded; None: nobody states it."""
    sha256: str = ""
    """Hexadecimal digest or its first digits, where they are known."""
    expands: float = 1.5
    """Bytes unpacked over bytes packed, at most: footage is compressed before it is packed."""
    into: str = "."
    """Folder within the data set's to unpack to."""
    holds: tuple[str, ...] = ()
    """What lies directly in `into` in the end; folders that the archive puts around it are taken off."""

    @property
    def kind(self) -> str:
        """By its name: zip, tar.gz, rar, or pth (PyTorch's weights, not unpacked)."""
        return "tar.gz" if self.name.endswith(".tar.gz") else self.name.rpartition(".")[2]


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set as its authors offer it."""

    title: str
    licence: str
    files: tuple[Remote, ...]


def _remote(values: Mapping[str, Any]) -> Remote:
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return Remote(**plain)


_READ: dict[str, Any] = read(Path(__file__).with_suffix(".yaml"))
CATALOGUE = {
    name: Dataset(**{**dataset, "files": tuple(map(_remote, dataset["files"]))})
    for name, dataset in _READ["datasets"].items()
}
CONTEXTNET, VGG19 = _remote(_READ["contextnet"]), _remote(_READ["vgg19"])
