"""What `pip install .` gives: the command with its weights, without the pipeline's packages."""

import importlib.metadata as metadata
import re
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).resolve().parents[2]
MOST = 30 * 2**20  # bytes of the wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build it from what git has, so that nothing that lies about gets in."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(["git", "clone", "-q", str(ROOT), str(folder / "clone")], check=True)
    built = ["--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", "wheel", *built, "-w", str(folder), str(folder / "clone")]
    subprocess.run(command, check=True)
    (file,) = folder.glob("*.whl")
    return file


def closure(names):
    """Give the distributions that these need, they themselves among them, as far as they are installed."""
    found, waiting = {}, list(names)
    while waiting:
        name = re.split(r"[ ;<>=!~\[(]", waiting.pop())[0].lower().replace("_", "-")
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform
        if name not in found:
            found[name] = distribution
            waiting += [need for need in distribution.requires or () if "extra ==" not in need]
    return found


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """Make one with the wheel and what it says that it needs: links to this environment's files."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    venv.create(folder, with_pip=False)
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    for distribution in closure(needed).values():
        for top in {
            file.parts[0] for file in distribution.files or () if file.parts[0] not in ("..", "__pycache__")
        }:
            origin = Path(str(distribution.locate_file(top)))
            if origin.exists() and not (site / top).exists():
                (site / top).symlink_to(origin)
    pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    offline = ["--no-deps", "--no-index", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", *offline, str(wheel)], check=True)
    return folder / "bin"


@pytest.mark.slow
def test_the_wheel_is_small_and_has_the_weights_and_their_licence(wheel):
    assert wheel.stat().st_size < MOST
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {"lift/shipped/weights/rife_v4.25.safetensors", "lift/shipped/weights/LICENSES.md"} <= names
    assert not any(name.startswith(("tests/", "stages/", "benchmarks/", "lift/training/")) for name in names)


@pytest.mark.slow
def test_the_command_runs_without_the_pipelines_packages(environment, tmp_path, video, planes, picture):
    def call(*command):
        return subprocess.run(
            [str(part) for part in command], cwd=tmp_path, capture_output=True, text=True, check=False
        )

    for absent in ("dvc", "lightning_fabric", "tensorboard", "pandas", "scipy", "matplotlib", "stages"):
        assert call(environment / "python", "-c", f"import {absent}").returncode == 1
    given = video(tmp_path / "in.mp4", count=4, codec="libx264")
    done = call(environment / "lift-video", given, "out.mp4", "--factor", "3")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert len(planes(tmp_path / "out.mp4")[0]) == 10
    assert call(environment / "lift-video", "none.mp4", "out2.mp4").returncode == 1
    for k in range(3):
        cv2.imwrite(str(tmp_path / f"{k}.png"), picture(k))
    code = "import cv2, lift.video as v; frames = [cv2.imread(f'{k}.png') for k in range(3)]; "
    code += "print(len(list(v.interpolate(frames))))"
    assert call(environment / "python", "-c", code).stdout.strip() == "5"
