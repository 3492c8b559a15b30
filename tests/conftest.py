"""Fixtures for all tests."""

import os
from pathlib import Path
from types import ModuleType

# One test a core, and one thread a test: two would wait for each other. What tests start inherits it.
os.environ["OMP_NUM_THREADS"] = "1"

import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Fix the thread count: the order of floating-point sums depends on it, and stages change it."""
    torch.set_num_threads(1)


@pytest.fixture
def shared() -> Path:
    """Give the folder of real footage and weights, or skip the test where it does not exist."""
    if not SHARED.is_dir():
        pytest.skip("no ../shared folder with real footage and weights on this machine")
    return SHARED


@pytest.fixture(scope="session")
def made() -> ModuleType:
    """Give the writers of layouts by source name, and the helpers around them."""
    from tests import official

    return official
