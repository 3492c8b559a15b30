"""Fixtures for all tests."""

from pathlib import Path
from types import ModuleType

import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def _two_threads() -> None:
    """Fix the thread count: the order of floating-point sums depends on it."""
    torch.set_num_threads(2)


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
