"""What the training tests share."""

import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tiny.py also serves the processes that the tests start

from tiny import make_job

from lift.training.step import Stepper


@pytest.fixture
def job(tmp_path):
    """Give a function that makes a fresh job in a folder of this test."""

    def make(folder="run", **settings):
        return make_job(tmp_path / folder, **settings)

    return make


@pytest.fixture
def stop_after(monkeypatch):
    """Give a function that lets runs receive SIGTERM during a step (0-based), until the result is called."""

    def at_step(step):
        original = Stepper._pass

        def passing(self, wrapped, batch, at, number):
            if at == step:
                os.kill(os.getpid(), signal.SIGTERM)
            return original(self, wrapped, batch, at, number)

        monkeypatch.setattr(Stepper, "_pass", passing)
        return lambda: monkeypatch.setattr(Stepper, "_pass", original)

    return at_step
