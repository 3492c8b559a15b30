"""Minutes of a GPU, on two cores with tiny sizes: every part, errors, kills, and going on."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from lift import header, weights
from lift.config import yaml12
from lift.scenes import make
from lift.training.state import State
from stages import clips, download, evaluate
from stages.quarter_data import unpack
from tests import params

ROOT = Path(__file__).resolve().parents[1]
METHODS = ("lift_rife_fusion", "lift_rife_fusion_3", "lift15", "ctx3")


def small(raw):
    """Shrink profile `quarter` to a processor's seconds."""
    own, demo = raw["profiles"]["quarter"], raw["model"]
    sizes = ("widths", "flow_widths", "flow_blocks", "context_width", "refiner_widths", "refiner_blocks")
    own["model"] = {key: demo[key] for key in sizes} | {"pretrained": None}
    own["model"]["matching"] = {key: demo["matching"][key] for key in ("widths", "fine_width")}
    own["train"].update(batch=2, warmup=2, threads=1, log_every=2)
    own["train"]["phases"][0].update(crop=[64, 64])
    own["sources"]["scenes"]["render"].update(train=20, frames=17, size=[72, 96], camera=None)
    own["clips"]["sets"]["validation"] = {"max_sequences": 2}
    own["clips"]["sets"]["train"]["spacing"] = 4
    raw = params.methods(raw, "quarter", METHODS, ("rife_v4",), ("average",))
    groups = [
        {"methods": ["lift_rife_fusion", "lift_rife_fusion_3"], "share": 0.5},
        {"methods": ["lift15", "ctx3"], "share": 0.5},
    ]
    raw["quarter"].update(groups=groups, render=4, speed=25, finish=3, write=6, every=2, left_out=1, timed=1)
    return raw


@pytest.fixture
def place(tmp_path):
    """Give a folder with a small params.yaml and two recordings."""
    params.write(small(params.read()), tmp_path)
    (tmp_path / "footage").mkdir()
    for seed in (1, 2, 3):
        film(tmp_path / "footage" / f"recording{seed}.mp4", seed)
    return tmp_path


def film(path, seed, count=20):
    scene = make(seed, "plain", (96, 128), (0.5, 2.0))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = 96, 128, "yuv420p"
        for number in range(count):
            frame = np.ascontiguousarray(scene.render(float(number)))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))


def begin(place, minutes, *more):
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        "SLURM_SUBMIT_DIR": str(place),
        "OMP_NUM_THREADS": "1",
        "LIFT_COMMIT": "c0ffee",
    }
    return subprocess.Popen(
        ["bash", str(ROOT / "slurm" / "quarter.sh"), str(minutes), "out", *more],
        env=environment,
        process_group=0,
        stdout=subprocess.DEVNULL,
    )


def results(place):
    return json.loads((place / "out" / "results.json").read_text())


def loadable(place):
    """Read all weights in OUT, and give the steps after which each is."""
    found = {}
    for path in sorted((place / "out").glob("*.safetensors")):
        tensors = weights.read_tensors(path)
        assert all(bool(tensor.isfinite().all()) for tensor in tensors.values())
        assert weights.read_config(path)["method"] == path.stem
        found[path.stem] = header.plain(path, weights.ABOUT)["steps"]
    return found


def test_a_machine_without_pyav_cuts_clips_of_pictures_renders_and_trains():
    without = (
        "import sys; sys.modules['av'] = None\n"
        "import stages.quarter, stages.quarter_data, stages.quarter_train, benchmarks.speed"
    )
    done = subprocess.run(
        [sys.executable, "-c", without], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_footage_that_was_brought_along_becomes_pictures_for_training(place, tmp_path):
    (place / "footage" / "broken.mp4").write_bytes(b"no video")
    assert unpack(place / "footage", tmp_path / "raw", 48) == 3 * 20
    assert sorted(path.name for path in (tmp_path / "raw" / "train").iterdir()) == [
        "recording1", "recording2", "recording3",
    ]  # fmt: skip
    assert (tmp_path / "raw" / "test").is_dir()
    frame = (tmp_path / "raw" / "train" / "recording1" / "000019.jpg").read_bytes()
    assert frame.startswith(b"\xff\xd8")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_three_minutes_leave_weights_that_evaluate_takes_and_go_on_when_run_again(place, monkeypatch):
    began = time.monotonic()
    assert begin(place, 3, "footage").wait() == 0
    assert time.monotonic() - began < 180
    found, files = results(place), [path for path in (place / "out").iterdir() if path.is_file()]
    assert len(files) <= 8
    assert all(path.stat().st_size <= 16 * 2**20 for path in files)
    assert found["data"]["real"]["train"]["videos"] == 2
    assert found["data"]["clips"]["train"]["clips"] > found["data"]["real"]["train"]["clips"]
    methods = found["training"]["methods"]
    # On a busy machine a method is stopped before its last step, and the next one then takes no more.
    assert all(methods[name]["status"] in ("trained", "stopped") for name in METHODS)
    assert methods["lift15"]["steps"] >= methods["ctx3"]["steps"] > 0
    ended = [known for known in methods.values() if known["status"] == "trained"]
    assert all({"folder", "scenes"} == set(known["before"]) == set(known["after"]) for known in ended)
    assert "rife_v4" in {row["method"] for row in found["speed"]["rows"]}
    assert loadable(place) == {name: methods[name]["steps"] for name in METHODS}
    assert "done" in (place / "out" / "log.txt").read_text()

    # As released weights they are measured as they are.
    raw = yaml12.read(place / "params.yaml")
    raw["released"]["tried"] = {}
    raw = params.methods(raw, "demo", (), ("tried", "rife_v4"), ("average",))
    raw["profiles"]["demo"]["sources"]["scenes"]["render"].update(test=3, size=[64, 64])
    (place / "weights").unlink()
    shutil.copytree(ROOT / "weights", place / "weights")
    shutil.copy(place / "out" / "lift15.safetensors", place / "weights" / "tried.safetensors")
    monkeypatch.chdir(place)
    params.resolved(raw, "demo")
    download.main("demo")
    clips.main("demo", "scenes")
    evaluate.main("demo", "tried", "scenes")
    measured = json.loads(next(Path("data/demo/scratch/scenes/tried").glob("metrics.json")).read_text())
    assert measured["scenes"]["psnr"] > 10

    # With what came back alone, and with no method over, it goes on from the weights and the optimiser.
    before = {name: methods[name]["steps"] for name in METHODS}
    shutil.rmtree(place / "data" / "quarter" / "scratch")
    (place / "data" / "quarter" / "notes" / "training.json").unlink()
    (place / "out" / "ctx3.state.pt").unlink(missing_ok=True)  # there was no room for it in any case
    assert begin(place, 2).wait() == 0
    methods = results(place)["training"]["methods"]
    assert methods["lift_rife_fusion"]["done_before"] == before["lift_rife_fusion"]
    assert methods["lift_rife_fusion"]["steps"] > before["lift_rife_fusion"]
    assert methods["ctx3"]["from_weights"] == before["ctx3"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_at_a_random_moment_it_leaves_files_that_load(place):
    rng = random.Random(int(time.time()))
    for number in (signal.SIGTERM, signal.SIGKILL):
        run = begin(place, 3, "footage")
        while not list((place / "out").glob("*.safetensors")):
            assert run.poll() is None
            time.sleep(0.2)
        wait = rng.uniform(0, 20)
        time.sleep(wait)
        os.killpg(run.pid, number)
        run.wait()
        time.sleep(5)  # what it started notices that it is alone
        assert loadable(place)
        assert results(place)["training"]["methods"]
        states = list((place / "data" / "quarter" / "scratch").glob("*-quarter/state.pt"))
        assert all(State(**torch.load(path, weights_only=True)).step > 0 for path in states)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_error_of_one_model_costs_the_next_one_nothing(place):
    raw = yaml12.read(place / "params.yaml")
    raw["ablations"]["lift15"] = {"train": {"phases": [{**raw["profiles"]["quarter"]["train"]["phases"][0]}]}}
    raw["ablations"]["lift15"]["train"]["phases"][0].update(crop=[512, 512])  # larger than any frame
    raw["quarter"].update(speed=0)
    params.write(raw, place)
    assert begin(place, 2).wait() == 0
    methods = results(place)["training"]["methods"]
    assert methods.pop("lift15")["status"] == "failed"
    assert all(known["status"] in ("trained", "stopped") for known in methods.values())
    assert set(loadable(place)) == set(METHODS) - {"lift15"}
