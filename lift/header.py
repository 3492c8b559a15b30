"""The header of a safetensors file, read without PyTorch: what weights are, before anything is made of them.

Format: 8 bytes, the header's length N as a little-endian integer; N bytes of JSON, from a tensor's name to
its type, shape and place, and `__metadata__`, a mapping of texts; then the tensors' bytes, without gaps
(https://github.com/huggingface/safetensors, "Format").

A file over the limit of the repository stands as shards, `<name>-<k>-of-<n>.safetensors`, each with the same
metadata.
"""

import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from lift.errors import UserError

SUFFIX = ".safetensors"
CONTENT = "content"
"""Key of the metadata under which a file of ours names the SHA-256 of its tensors."""
_SHARD = re.compile(r"(?P<name>.+)-(?P<number>\d+)-of-(?P<count>\d+)")


def files(path: Path) -> list[Path]:
    """Return the files of which weights consist: `path` itself, or its shards in order.

    Raises:
        UserError: There is neither, or a shard is missing.
    """
    if path.is_file():
        return [path]
    found = {}
    for shard in sorted(path.parent.glob(f"{path.stem}-*-of-*{SUFFIX}")):
        match = _SHARD.fullmatch(shard.stem)
        if match and match["name"] == path.stem:
            found[int(match["number"])] = (shard, int(match["count"]))
    if not found:
        raise UserError(f"{path}: no weights there")
    count = max(count for _, count in found.values())
    for number in range(1, count + 1):
        if number not in found or found[number][1] != count:
            raise UserError(
                f"{path.stem}-{number}-of-{count}{SUFFIX}: missing; restore it: git checkout -- weights"
            )
    return [found[number][0] for number in range(1, count + 1)]


def plain(path: Path, key: str) -> dict[str, Any] | None:
    """Return a JSON object of the metadata of a file or of its shards; None: there is none of that name.

    Raises:
        UserError: A file is missing, or is no safetensors file or a truncated one.
    """
    metadata = {name: text for file in files(path) for name, text in _metadata(file).items()}
    value = json.loads(metadata.get(key, "null"))
    return dict(value) if isinstance(value, dict) else None


def check(path: Path) -> None:
    """Refuse files whose tensors are not those that were written, as far as their header says which.

    Raises:
        UserError: One is damaged.
    """
    for file in files(path):
        written = _metadata(file).get(CONTENT)
        if written is not None and written != content(file.read_bytes()):
            raise UserError(f"{file}: damaged: not the tensors that its header names")


def ordered(whole: bytes) -> bytes:
    """Return a file's bytes with its metadata in one order: the library writes them in any."""
    (length,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # tensors start at a multiple of 8 bytes
    return struct.pack("<Q", len(text)) + text + whole[8 + length :]


def content(whole: bytes) -> str:
    """Return the SHA-256 of a file's tensors, the header left out."""
    (length,) = struct.unpack("<Q", whole[:8])
    return hashlib.sha256(whole[8 + length :]).hexdigest()


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, or of its shards one after the other."""
    total = hashlib.sha256()
    for file in files(path):
        total.update(file.read_bytes())
    return total.hexdigest()


def _metadata(path: Path) -> dict[str, str]:
    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise UserError(f"{path}: damaged, or no safetensors file ({error})") from error
