"""Which files of this repository a module runs: itself, what it imports, and what those read beside them.

The stage `resolve` writes down a digest of each for every stage, and the stages depend on these lists: an
edit runs again what runs the edited file, and nothing else.
"""

import ast
import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OURS = ("lift", "stages")
BESIDE = (".css", ".j2", ".js", ".mplstyle", ".yaml")
"""Kinds of files that packages read from their own folder."""
LOADING = tuple(
    ROOT / "lift" / "config" / f"{name}.py"
    for name in ("checks", "data", "load", "merge", "parse", "resolved", "sets", "yaml12")
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
    todo = [start]
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            todo += [file for name in _imported(path, root) for file in _files(name, root)]
            if pattern := BY_NAME.get(path.relative_to(root).as_posix()):
                todo += root.glob(pattern)
    folders = {path.parent for path in seen} - {root}
    beside = {file for folder in folders for file in folder.iterdir() if file.suffix in BESIDE}
    return {path for path in seen - set(LOADING) if does_something(path)} | beside


def does_something(path: Path) -> bool:
    """Whether a Python file holds more than a docstring."""
    return not all(isinstance(node, ast.Expr) for node in ast.parse(path.read_bytes()).body)


def _imported(path: Path, root: Path) -> set[str]:
    """Return the dotted names that a file imports from this repository."""
    package, names = path.parent.relative_to(root).parts, set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [base, node.module or ""]))
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return {name for name in names if name.split(".")[0] in OURS}


def _files(name: str, root: Path) -> list[Path]:
    """Return the files that importing a dotted name runs, those of its packages included."""
    found, at = [], root
    for part in name.split("."):
        at = at / part
        found += [file for file in (at.with_suffix(".py"), at / "__init__.py") if file.is_file()]
    return found
