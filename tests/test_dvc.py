"""DVC on a small copy of the project: experiments in trees of their own, and trainings on a cluster."""

import contextlib
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import params
from tests.test_end_to_end import small

ROOT = Path(__file__).resolve().parents[1]
TRAINED = ("ctx3", "lift15")
TRACKED = (
    "lift",
    "stages",
    "slurm",
    "weights",
    "benchmarks",
    ".dvc/config",
    "dvc.yaml",
    ".gitignore",
    ".dvcignore",
)
# Stand-ins for a cluster's programs: the tasks of an array at the same time, each as a job of its own, which
# starts again when it was requeued; and a step that ends by its time limit when first run.
PROGRAMS = {
    "sbatch": r"""#!/bin/bash
while [[ "$1" == --* ]]; do
  [[ "$1" == --array=* ]] && range=${1#--array=}
  shift
done
for task in $(seq "${range%-*}" "${range#*-}"); do
  (
    export SLURM_ARRAY_TASK_ID=$task SLURM_JOB_ID=10$task
    until bash "$@" || [ ! -e "requeued.$SLURM_JOB_ID" ]; do rm "requeued.$SLURM_JOB_ID"; done
  ) &
done
wait
""",
    "scontrol": r"""#!/bin/bash
[ "$1" = requeue ] && touch "requeued.$2"
""",
    "srun": r"""#!/bin/bash
while [[ "$1" == --* ]]; do shift; done
[ -e "ran.$SLURM_JOB_ID" ] || { touch "ran.$SLURM_JOB_ID"; exit 75; }
exec "$@"
""",
}


@pytest.fixture
def checkout(tmp_path):
    """Give a repository with this code and a small params.yaml, and a way to call programs in it."""
    place = tmp_path / "checkout"
    for name in TRACKED:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, place / name)
    raw = params.methods(small(params.read()), "demo", TRAINED, (), ("average",))
    raw["train"].update(samples_per_epoch=240, checkpoint_every=1)
    params.write(raw, place)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in PROGRAMS.items():
        (programs / name).write_text(text)
        (programs / name).chmod((programs / name).stat().st_mode | stat.S_IXUSR)
    (place / ".venv").symlink_to(ROOT / ".venv")
    environment = {**os.environ, "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environment |= {
        f"GIT_{who}_{what}": "t@t" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }

    def call(*command, check=True):
        done = subprocess.run(
            command, cwd=place, env=environment, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout
        return done.stdout

    call("git", "init", "--quiet")
    call("git", "add", ".")
    call("git", "commit", "--quiet", "--message", "small")
    call.place, call.environment = place, environment
    return call


def training(place):
    """Give the processes that train in a tree below `place`."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended since, or is another user's
            words = (process / "cmdline").read_bytes().split(b"\0")
            here = (process / "cwd").readlink()
            if b"stages.train" in words and words[0].endswith(b"python") and here.is_relative_to(place):
                found.append(int(process.name))
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds the training's process in /proc")
def test_an_experiment_in_its_own_tree_finds_footage_and_continues_where_it_was_stopped(checkout):
    checkout("dvc", "repro", "clips@demo-train", "clips@demo-validation")
    checkout("git", "add", ".")
    checkout("git", "commit", "--quiet", "--message", "clips")
    command = ("dvc", "exp", "run", "--temp", "-S", "train.warmup=2", "train@demo-ctx3")
    running = subprocess.Popen(
        command, cwd=checkout.place, env=checkout.environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    scratch = checkout.place / "data/demo/scratch"
    while not list(scratch.glob("ctx3-*/state.pt")):
        assert running.poll() is None, running.stdout.read()
        time.sleep(0.05)
    for process in training(checkout.place):
        os.kill(process, signal.SIGTERM)
    told, _ = running.communicate()
    assert running.returncode != 0, told
    assert "render" not in told
    assert not (checkout.place / "data/demo/models").exists()
    kept = list(scratch.glob("ctx3-*/state.pt"))
    assert len(kept) == 1
    told = checkout(*command)
    assert "render" not in told
    assert re.search(r"continues after step \d+ of 120", told), told
    assert not kept[0].exists()
    assert "Ran experiment" in told


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_dvc_takes_over_what_an_array_of_a_cluster_has_trained(checkout):
    told = checkout("slurm/array.sh", "demo", "--time=1:00:00")
    assert "2 of 2 trainings: train@demo-ctx3 train@demo-lift15" in told
    assert sorted(path.name for path in checkout.place.glob("ran.*")) == ["ran.100", "ran.101"]
    assert "up to date" in checkout("dvc", "status", *(f"train@demo-{name}" for name in TRAINED))
    weights = [checkout.place / "data/demo/models" / name / "best.safetensors" for name in TRAINED]
    made = [path.stat().st_mtime_ns for path in weights]
    told = checkout("dvc", "repro", "--single-item", "train@demo-ctx3")
    assert "Stage 'train@demo-ctx3' didn't change, skipping" in told
    assert "all 2 trainings are up to date" in checkout("slurm/array.sh", "demo")
    assert [path.stat().st_mtime_ns for path in weights] == made
    told = checkout("slurm/array.sh", "none", check=False)
    assert told.startswith("error: none: no trainings")
    assert len(told.splitlines()) == 1
