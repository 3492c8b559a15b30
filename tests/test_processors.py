"""What is rendered is equal to the byte on every processor: here with its vector units and without."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from lift.scenes.layouts import LAYOUTS

ROOT = Path(__file__).resolve().parents[1]


def without_vectors():
    """Give the variables that forbid each library what not every processor has."""
    internals = np._core._multiarray_umath
    present = [name for name in internals.__cpu_dispatch__ if internals.__cpu_features__[name]]
    return {
        "NPY_DISABLE_CPU_FEATURES": " ".join(present),
        "OPENCV_CPU_DISABLE": "SSE4.1,SSE4.2,AVX,AVX2,FP16,FMA3,AVX512_SKX",
        "OPENCV_IPP": "disabled",
        "OPENBLAS_CORETYPE": "Prescott",
        "ATEN_CPU_CAPABILITY": "default",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "JSIMD_FORCENONE": "1",  # libjpeg-turbo
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable",  # sin, exp and their like
    }


def test_rendered_footage_and_its_clips_are_equal_with_and_without_vector_units():
    variables = {"PYTHONPATH": str(ROOT)}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.processor_runner", how],
            cwd=ROOT, env=os.environ | variables | extra, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for how, extra in (("full", {}), ("plain", without_vectors()))
    ]  # fmt: skip
    ended = [process.communicate() for process in running]
    for process, (_, errors) in zip(running, ended, strict=True):
        assert process.returncode == 0, errors
    full, plain = (json.loads(output.splitlines()[-1]) for output, _ in ended)
    assert plain["used"] == {"numpy": [], "opencv": []}  # or nothing is shown here
    assert {name.split()[0] for name in full["written"]} == set(LAYOUTS)
    differ = [name for name, digest in full["written"].items() if plain["written"].get(name) != digest]
    assert not differ
    assert full["written"].keys() == plain["written"].keys()
