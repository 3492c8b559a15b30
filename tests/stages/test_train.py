"""Stage train as a cluster runs it: several processes under SLURM, stopped, requeued and finished."""

import csv
import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch

from lift.config import load, yaml12
from lift.data.stored.archive import entry_name, write_archive, write_truth
from lift.data.stored.manifest import ClipRow, write_manifest
from lift.errors import UserError
from lift.scenes import make
from lift.training import loop
from stages import train
from tests import params as files

ROOT = Path(__file__).resolve().parents[2]
# A stand-in for SLURM's srun with two tasks on one node: the same variables, its exit code the highest of
# theirs; and like `--signal=USR1@300` it sends SIGUSR1 to every task, where the file `limit` is, once the
# training logs.
SRUN = r"""#!/bin/bash
while [[ "$1" == --* ]]; do shift; done
export SLURM_NTASKS=2 SLURM_NTASKS_PER_NODE=2 SLURM_NNODES=1 SLURM_NODEID=0 SLURM_JOB_NAME=lift
export SLURM_NODELIST=127.0.0.1
export MASTER_ADDR=127.0.0.1 SLURM_STEP_ID=0
for rank in 0 1; do SLURM_PROCID=$rank SLURM_LOCALID=$rank "$@" & tasks+=($!); done
if [ -e limit ]; then
  until ls data/demo/logs/*/events* > /dev/null 2>&1 || ! kill -0 ${tasks[0]}; do sleep 0.1; done
  kill -USR1 "${tasks[@]}"
fi
worst=0
for task in "${tasks[@]}"; do wait $task; code=$?; (( code > worst )) && worst=$code; done
exit $worst
"""


def write_clips(folder, count):
    scene = make(3, "plain", (64, 64), (0.5, 2.0))
    frames = [(entry_name("made/a", number, "png"), png(scene.render(float(number)))) for number in range(15)]
    row = {
        "source": "made",
        "video": "a",
        "group": "a",
        "step": 1,
        "kind": "",
        "motion": 1.0,
        "height": 64,
        "width": 64,
    }
    rows = [
        ClipRow(clip=f"made/a@{target}", target=target, offsets=(-1, 1), extension="png", **row)
        for target in range(1, count + 1)
    ]
    write_archive(folder / "frames.zip", frames)
    write_manifest(folder / "clips.csv", rows)
    write_truth(folder / "truth.zip", [])


def png(pixels):
    return cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Stand in a folder with two clip sets, a small params.yaml, and SLURM's commands; give `sbatch`."""
    raw = yaml12.read(ROOT / "params.yaml")
    raw["train"].update(
        samples_per_epoch=12, batch=1, accumulate=2, threads=1, warmup=1, log_every=1, checkpoint_every=100
    )
    raw["train"]["phases"][0].update(epochs=2)
    raw["loss"]["lpips"] = 0.0
    monkeypatch.chdir(tmp_path)
    files.resolved(raw, "demo")
    for name, count in (("train", 12), ("validation", 3)):
        write_clips(tmp_path / "data" / "demo" / "clips" / name, count)
    commands = tmp_path / "commands"
    commands.mkdir()
    for name, text in (("srun", SRUN), ("scontrol", '#!/bin/bash\necho "$@" >> requeued\n')):
        (commands / name).write_text(text)
        (commands / name).chmod(0o755)
    path = f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "SLURM_JOB_ID": str(os.getpid())}

    def sbatch(*arguments):
        script = ["bash", str(ROOT / "slurm" / "train.sbatch"), *arguments]
        return subprocess.run(
            script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )

    return tmp_path, sbatch


@pytest.mark.parametrize(
    "raised",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 …\nMore"),
        RuntimeError("CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_too_little_memory_for_a_step_is_one_line_and_the_checkpoint_stays(
    cluster, monkeypatch, raised, capfd
):
    place, _ = cluster
    raw = yaml12.read(place / "params.yaml")
    raw["train"].update(checkpoint_every=2, resident=True)
    files.resolved(raw, "demo")
    whole, steps = train.Losses.forward, []

    def short(*arguments):
        steps.append(raised)
        if len(steps) > 3 * raw["train"]["accumulate"]:
            raise raised
        return whole(*arguments)

    monkeypatch.setattr(train.Losses, "forward", short)
    with pytest.raises(UserError) as refused:
        train.main("demo", "ctx3")
    said = str(refused.value)
    assert str(raised).splitlines()[0].rstrip(".") in said
    for key in (
        "train.batch",
        "train.phases",
        "train.resident: false",
        "train.recompute: [encoder, transformer]",
    ):
        assert key in said
    assert "\n" not in said
    (begun,) = place.glob("data/demo/scratch/ctx3-seed7-*/state.pt")
    clip_norm, raw["train"]["clip_norm"] = (
        raw["train"]["clip_norm"],
        2.0,
    )  # another training does not go on from there, and says so
    files.resolved(raw, "demo")
    with pytest.raises(UserError):
        train.main("demo", "ctx3")
    assert f"{begun.parent.name}: begun with other values, not continued" in capfd.readouterr().err
    raw["train"]["clip_norm"] = clip_norm
    assert begun.is_file()
    # As it says: without the frames in the GPU's memory it goes on from there.
    monkeypatch.setattr(train.Losses, "forward", whole)
    raw["train"]["resident"] = False
    files.resolved(raw, "demo")
    found, load_state = [], loop.load_state

    def noted(*given):
        state = load_state(*given)
        found.append(state.step)
        return state

    monkeypatch.setattr(loop, "load_state", noted)
    train.main("demo", "ctx3")
    assert found == [2]


@pytest.mark.usefixtures("cluster")
def test_another_error_of_pytorch_s_is_left_as_it_is(monkeypatch):
    def broken(*arguments):
        raise RuntimeError("shapes do not match")

    monkeypatch.setattr(train.Losses, "forward", broken)
    with pytest.raises(RuntimeError, match="shapes do not match"):
        train.main("demo", "ctx3")


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_job_whose_time_is_up_is_requeued_and_then_finishes(cluster):
    place, sbatch = cluster
    (place / "limit").touch()
    first = sbatch("demo", "ctx3")
    assert first.returncode == 75, first.stderr
    assert (place / "requeued").read_text() == f"requeue {os.getpid()}\n"
    assert first.stderr.count("run again to continue") == 1
    (place / "limit").unlink()
    second = sbatch("demo", "ctx3")
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("steps_per_second") == 1
    assert sorted(path.name for path in (place / "data/demo/models/ctx3").iterdir()) == [
        "about.json",
        "best.safetensors",
        "last.safetensors",
    ]
    rows = list(csv.DictReader((place / "data/demo/training/ctx3/curves.csv").read_text().splitlines()))
    assert [int(row["step"]) for row in rows if row["loss"]] == list(range(1, 13))
    assert [path.name for path in (place / "data/demo/scratch").iterdir() if path.is_dir()] == []


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_torchrun_trains_and_a_mistake_is_one_line(cluster):
    place, _ = cluster
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]

    def torchrun():
        arguments = [*command, "-m", "stages.train", "demo", "ctx3"]
        return subprocess.run(
            arguments, cwd=place, env=environment, capture_output=True, text=True, check=False
        )

    raw = yaml12.read(place / "params.yaml")
    raw["train"]["accumulate"] = 3
    files.resolved(raw, "demo")
    refused = torchrun()
    assert refused.returncode != 0
    assert refused.stderr.count("error: params.yaml: train.accumulate: 3 forward passes") == 1
    raw["train"]["accumulate"] = 2
    files.resolved(raw, "demo")
    done = torchrun()
    assert done.returncode == 0, done.stderr
    assert (place / "data/demo/models/ctx3/best.safetensors").is_file()


def test_a_run_has_a_name_of_its_own_for_other_values_clips_and_code(cluster, monkeypatch):
    place, _ = cluster
    config, data = load(place / "params.yaml", "demo", "ctx3"), place / "data" / "demo"

    def other(**changed):
        return train.run_name(dataclasses.replace(config, **changed), data)

    name = other()
    assert name.startswith("ctx3-seed7-")
    assert name == other()
    seeds = dataclasses.replace(config.train, seeds=(7, 8))
    assert other(train=seeds) == name  # another training beside it changes nothing of this one
    names = [name, other(seed=8), other(loss=dataclasses.replace(config.loss, l1=0.5))]
    monkeypatch.setattr(train.imports, "digests", lambda path: {"stages/train.py": "edited"})
    names.append(other())
    write_clips(data / "clips" / "validation", 4)
    names.append(other())
    assert len(set(names)) == len(names)
