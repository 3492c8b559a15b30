"""What an archive may not do: leave its folder, make links or devices, or unpack to more than it should."""

import re
from pathlib import Path, PurePosixPath

from lift.errors import UserError

BLOCK = 4096  # bytes that even an empty file takes: a million of them is a bomb as well


class Guard:
    """Checks every entry of one archive before it is written."""

    def __init__(self, archive: Path, most: int) -> None:
        """Guard the unpacking of `archive` to `most` bytes at most."""
        self._archive, self._most, self._taken = archive, most, 0

    def place(self, name: str) -> PurePosixPath:
        """Return an entry's relative path, which stays in the folder.

        Raises:
            UserError: It is absolute, climbs with `..`, or is no file name.
        """
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or re.match(r"[A-Za-z]:", name) or ".." in path.parts or "\0" in name:
            raise UserError(
                f"{self._archive}: refused, its entry {name!r} leads out of the folder; get the archive from "
                f"its authors again"
            )
        return path

    def take(self, name: str, size: int) -> None:
        """Count an entry of `size` bytes.

        Raises:
            UserError: Now it is more than the archive may hold.
        """
        self._taken += max(size, BLOCK)
        if self._taken > self._most:
            raise UserError(
                f"{self._archive}: refused, it unpacks to more than the {self._most} bytes that it may hold "
                f"(at {name!r}); get the archive from its authors again"
            )

    def refuse(self, name: str, what: str) -> UserError:
        """Make the error for an entry that is neither file nor folder."""
        return UserError(
            f"{self._archive}: refused, its entry {name!r} is {what}; get the archive from its authors again"
        )

    def damaged(self, reason: object) -> UserError:
        """Make the error for an archive that cannot be read to its end."""
        return UserError(f"{self._archive}: truncated or damaged ({reason}); remove it and download it again")
