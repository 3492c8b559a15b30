"""Who may import whom: the direction that keeps every part usable on its own (docs/architecture.md)."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEAVES = {"errors"}
BASE = {
    "digest",
    "errors",
    "files",
    "png",
    "seeds",
    "progress",
    "config",
    "header",
    "lock",
    "options",
    "threads",
}
ALLOWED = {
    "errors": set(),
    "options": set(),
    "files": {"errors"},
    "lock": {"errors", "files"},
    "seeds": set(),
    "threads": set(),
    "png": set(),
    "digest": {"errors", "files", "progress"},
    "progress": set(),
    "header": {"errors"},
    "imports": set(),
    "weights": {"errors", "files", "config", "header"},
    "config": {"errors", "files", "header", "options"},
    "environment": set(),
    "ops": {"errors"},
    "models": BASE | {"ops"},
    "losses": BASE | {"ops"},
    "metrics": BASE | {"ops"},
    "data": BASE | {"ops"},
    "clips": BASE | {"data"},
    "fetch": BASE,
    "scenes": BASE | {"ops"},
    "training": BASE | {"ops", "weights"},
    "evaluation": BASE | {"ops", "metrics", "data"},
    "report": BASE | {"environment"},
    "video": BASE | {"ops", "weights", "data", "clips", "models", "metrics", "evaluation"},
}
FILES = sorted((ROOT / "lift").rglob("*.py"))


def package(path: Path) -> str:
    parts = path.relative_to(ROOT / "lift").parts
    return "options" if parts[-1] == "options.py" else parts[0].removesuffix(".py")


def part(name: str) -> str:
    """Return the part of lift that a dotted name is of; a family's options are one of their own."""
    parts = name.split(".")
    return "options" if "options" in parts else parts[1]


def imported(path: Path) -> set[str]:
    """List the parts of lift, and outside packages, that a file imports anywhere, late imports too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    here = package(path)
    if here == "__init__":
        return
    parts = {part(name) for name in imported(path) if name.startswith("lift.")}
    assert parts - {here} <= ALLOWED[here]
    assert not any(name.split(".")[0] == "stages" for name in imported(path))


@pytest.mark.parametrize("room", ["stages", "benchmarks", "docs"])
def test_what_uses_lift_is_used_by_nobody(room):
    others = {"stages", "benchmarks", "docs", "tests"} - {room}
    for path in (ROOT / room).glob("*.py"):
        assert not {name.split(".")[0] for name in imported(path)} & others, path


@pytest.mark.parametrize(
    "path", [p for p in FILES if package(p) in ("report", "scenes", "config", "options")], ids=str
)
def test_report_scenes_and_parameters_run_without_torch(path):
    assert not {name.split(".")[0] for name in imported(path)} & {"torch", "torchvision", "lpips"}


SHARED = {path.stem for path in (ROOT / "lift" / "models").glob("*.py")}
STANDS_ON = {
    "lift": {"matching", "lift_rife"},
    "matching": {"lift"},
    "lift_rife": {"lift", "matching", "rife_v4"},
}
"""Families of models of which others are made; all else is a room of its own."""


@pytest.mark.parametrize("path", sorted((ROOT / "lift" / "models").rglob("*.py")), ids=str)
def test_a_family_of_models_is_a_room(path):
    family = path.parent.name
    used = {name.split(".")[2] for name in imported(path) if re.match(r"lift\.models\.\w+", name)}
    assert used - SHARED - {family} <= (set() if family == "models" else STANDS_ON.get(family, set()))


def test_the_architecture_page_says_what_is_allowed():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`lift/.+?) \| .+ \| ?(.*) \|$", page, re.M)
    none = {"", "nothing"} | BASE
    said = {n: set(parts.split(", ")) - none for names, parts in rows for n in re.findall(r"/(\w+)`", names)}
    rooms = {path.parent.name for path in (ROOT / "lift").glob("*/__init__.py")}
    assert said == {room: ALLOWED[room] - BASE for room in rooms}
