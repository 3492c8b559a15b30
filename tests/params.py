"""Copies of params.yaml with other values, in folders of their own, as stages and the loader find them."""

from pathlib import Path

import yaml

from lift.config import yaml12
from stages import resolve

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "params.yaml"


def read():
    """Read the project's own params.yaml, with no list or section shared between two places."""
    return yaml12.read(SOURCE)


def write(raw, folder="."):
    """Write params.yaml, and beside it the weights that the repository carries."""
    path = Path(folder) / "params.yaml"
    path.write_text(yaml.dump(raw, Dumper=yaml.CSafeDumper, sort_keys=False))
    if not (path.parent / "weights").exists():
        (path.parent / "weights").symlink_to(ROOT / "weights")
    return path


def methods(raw, profile, trained=(), released=(), baselines=()):
    """Let a profile have these methods, and declare one comparison that they allow."""
    lists = {"trained": list(trained), "released": list(released), "baselines": list(baselines)}
    raw["profiles"][profile]["methods"] = lists
    own, *others = (*trained, *released, *baselines)
    other = next((name for name in others if name in (*trained, *released)), others[0])
    comparison = {"family": "width", "method": own, "against": other}
    raw["profiles"][profile].setdefault("report", {})["comparisons"] = [comparison]
    return raw


def resolved(raw, profile):
    """Write params.yaml into the working folder and resolve it, as the first stage does."""
    write(raw)
    resolve.main(profile)
