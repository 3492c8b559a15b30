"""Which files of this repository a module runs: itself, what it imports, and what those read beside them.

The stage `resolve` writes down a digest of each for every stage, and the stages depend on these lists: an
edit runs again what runs the edited file, and nothing else.
"""

import ast
import hashlib
from functools import cache
from modulefinder import ModuleFinder
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BESIDE = (".css", ".j2", ".js", ".mplstyle", ".yaml")
"""Kinds of files that packages read from their own folder."""
LOADING = tuple(
    ROOT / "lift" / "config" / f"{name}.py"
    for name in ("checks", "data", "load", "parse", "resolved", "yaml12")
) + tuple(sorted((ROOT / "lift" / "models").glob("*/options.py")))
"""What reads and checks params.yaml: its whole effect is in the values that `resolve` writes down, so that an
edit which changes none of them runs nothing again.
"""
BY_NAME = {"lift.models.registry": "lift/models/*/interpolator.py"}
"""What a module imports by a name that it puts together."""


def digests(start: Path) -> dict[str, str]:
    """Return the SHA-256 of every file that running `start` runs or reads, by its path below ROOT."""
    return {
        path.relative_to(ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(reached(start))
    }


@cache
def reached(start: Path) -> frozenset[Path]:
    """Return `start` and each file of ROOT that it imports, however indirectly or late, but LOADING.

    Nor those, packages' mostly, that hold no more than a docstring.
    """
    finder = ModuleFinder([str(ROOT)])  # so packages from elsewhere are not found, and not followed
    finder.run_script(str(start))  # which reads it, and runs nothing
    for module, pattern in BY_NAME.items():
        for path in ROOT.glob(pattern) if module in finder.modules else ():
            finder.import_hook(".".join(path.relative_to(ROOT).with_suffix("").parts))
    names = (getattr(module, "__file__", None) for module in finder.modules.values())
    seen = {Path(name) for name in names if name}  # Python's own have none
    beside = {file for path in seen for file in path.parent.iterdir() if file.suffix in BESIDE}
    return frozenset({path for path in seen - set(LOADING) if does_something(path)} | beside)


def does_something(path: Path) -> bool:
    """Whether a Python file holds more than a docstring."""
    return not all(isinstance(node, ast.Expr) for node in ast.parse(path.read_bytes()).body)
