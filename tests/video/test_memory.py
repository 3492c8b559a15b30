"""Memory of a process that smooths 100 frames and of one that smooths 3,000."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import resource, sys
from lift.video.__main__ import main
status = main([*sys.argv[1:], "--model", "average", "--codec", "ffv1"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def peak(given, output):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, given, output], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.slow
def test_thirty_times_as_many_frames_take_no_more_memory(tmp_path, video):
    short = peak(video(tmp_path / "100.mkv", count=100), tmp_path / "short.mkv")
    long = peak(video(tmp_path / "3000.mkv", count=3000), tmp_path / "long.mkv")
    assert long < 1.1 * short
