"""What the training tests share."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))  # tiny.py also serves the processes that the tests start

from tiny import make_job


@pytest.fixture(autouse=True)
def _one_thread(_two_threads):
    """Tensors of a few numbers: a second thread would only wait for the first."""
    torch.set_num_threads(1)


@pytest.fixture
def job(tmp_path):
    """Give a function that makes a fresh job in a folder of this test."""

    def make(folder="run", **settings):
        return make_job(tmp_path / folder, **settings)

    return make
