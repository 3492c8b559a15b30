"""The ablations of docs/usage.md, pasted into params.yaml as they stand there."""

import re
from pathlib import Path

import pytest

from lift.config import load

ROOT = Path(__file__).resolve().parents[1]
USAGE, PARAMS = ((ROOT / name).read_text(encoding="utf-8") for name in ("docs/usage.md", "params.yaml"))
# An indented block: a name, then what lies under it.
BLOCKS = {name: name + rest for name, rest in re.findall(r"\n\n    ([a-z]\w*)(:\n(?:      .+\n)+)", USAGE)}


def test_there_is_an_example_of_each_kind():
    assert sorted(BLOCKS) == ["ifrvp_third", "rife_wide", "wide_flow"]


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("profile", ["demo", "thesis"])
def test_an_example_is_taken_as_it_stands_and_its_model_learns_all_its_parts(tmp_path, name, profile):
    lines = [line.removeprefix("    ") for line in BLOCKS[name].splitlines()]
    pasted = "ablations:" + "".join(f"\n  {line}" for line in lines)
    path = tmp_path / "params.yaml"
    (tmp_path / "weights").symlink_to(ROOT / "weights")
    path.write_text(PARAMS.replace("\nablations:", f"\n{pasted}", 1), encoding="utf-8")
    config = load(path, profile, name)
    assert config != load(ROOT / "params.yaml", profile)
    for part in config.model.family.auxiliary:
        assert getattr(config.loss, part) > 0, part
