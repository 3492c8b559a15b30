"""Which files of this repository a module runs: itself, what it imports, and what those read beside them.

The stage `resolve` writes down a digest of each for every stage, and the stages depend on these lists: an
edit runs again what runs the edited file, and nothing else.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
OURS = ("lift", "stages")
BESIDE = (".css", ".j2", ".js", ".mplstyle", ".yaml")
"""Kinds of files that packages read from their own folder."""
LOADING = tuple(
    ROOT / "lift" / "config" / f"{name}.py"
    for name in ("checks", "data", "load", "parse", "resolved", "yaml12")
) + tuple(sorted((ROOT / "lift" / "models").glob("*/options.py")))
"""What reads and checks params.yaml: its whole effect is in the values that `resolve` writes down, so that an
edit which changes none of them runs nothing again.
"""

BY_NAME = {"lift/models/registry.py": "lift/models/*/interpolator.py"}
"""What a file imports by a name that it puts together."""


def digests(start: Path, root: Path = ROOT) -> dict[str, str]:
    """Return the SHA-256 of every file that running `start` runs or reads, by its path below `root`."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(reached(start, root))
    }


def reached(start: Path, root: Path = ROOT) -> set[Path]:
    """Return `start` and each file of `root` that it imports, however indirectly or late, but LOADING.

    Nor those, packages' mostly, that hold no more than a docstring.
    """
    seen: set[Path] = set()
    known: set[str] = set()
    todo = [start]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            names = _imported(path, root) - known
            known |= names
            todo += [file for name in names for file in _files(name, root)]
            if pattern := BY_NAME.get(path.relative_to(root).as_posix()):
                todo += root.glob(pattern)
    folders = {path.parent for path in seen} - {root}
    beside = {file for folder in folders for file in folder.iterdir() if file.suffix in BESIDE}
    return {path for path in seen - set(LOADING) if does_something(path)} | beside


def does_something(path: Path) -> bool:
    """Whether a Python file holds more than a docstring."""
    return _parsed(path.read_bytes()).acts


def _imported(path: Path, root: Path) -> set[str]:
    """Return the dotted names that a file imports from this repository."""
    package, names = path.parent.relative_to(root).parts, set()
    for node in _parsed(path.read_bytes()).imports:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        else:
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module or ""]))
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.split(".")[0] in OURS}


class _Parsed(NamedTuple):
    """A file's imports, and whether it holds more than a docstring."""

    imports: tuple[ast.Import | ast.ImportFrom, ...]
    acts: bool


@cache  # the stages run much the same files
def _parsed(source: bytes) -> _Parsed:
    tree = ast.parse(source)
    found = tuple(node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return _Parsed(found, not all(isinstance(node, ast.Expr) for node in tree.body))


def _files(name: str, root: Path) -> list[Path]:
    """Return the files that importing a dotted name runs, those of its packages included."""
    found, at = [], root
    for part in name.split("."):
        at = at / part
        found += [file for file in (at.with_suffix(".py"), at / "__init__.py") if file.is_file()]
    return found
