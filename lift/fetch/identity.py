"""Trust on first use: size and sha256 of every file that was ever used, in one JSON file that git keeps.

Whoever runs the project later, or elsewhere, must get the same bytes, though nobody has published a checksum.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from lift.errors import UserError
from lift.files import write_json


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a file is."""

    size: int
    sha256: str


class Manifest:
    """`{"<data set>/<file>": {"sha256": …, "size": …}}`, sorted; an unchanged manifest is not written."""

    def __init__(self, path: Path) -> None:
        """Read the manifest; a missing file is an empty one.

        Raises:
            UserError: The file is no such manifest.
        """
        self._path = path
        try:
            raw = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
            self._known = {
                key: Identity(size=int(value["size"]), sha256=str(value["sha256"]))
                for key, value in raw.items()
            }
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"{path}: not a manifest of downloads ({error!r}); restore it from git"
            ) from error

    def get(self, key: str) -> Identity | None:
        """Return what is recorded of a file."""
        return self._known.get(key)

    def record(self, key: str, identity: Identity) -> None:
        """Record a file at its first use.

        Raises:
            UserError: Another identity is recorded, or the manifest cannot be written.
        """
        if problem := self.problem(key, identity):
            raise UserError(f"{key}: {problem}")
        if key not in self._known:
            self._known[key] = identity
            write_json(self._path, {key: asdict(known) for key, known in self._known.items()})

    def problem(self, key: str, found: Identity) -> str | None:
        """Return how a file differs from what is recorded, with both digests; None: it does not."""
        known = self.get(key)
        if known is None or known == found:
            return None
        return (
            f"is another file than the one first used: {found.size} bytes, sha256 {found.sha256}, where "
            f"{self._path} records {known.size} bytes, sha256 {known.sha256}; if the new one is right, "
            f"remove its entry there"
        )


def identify(path: Path) -> Identity:
    """Return a file's size and digest."""
    with path.open("rb") as file:
        return Identity(size=path.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())
