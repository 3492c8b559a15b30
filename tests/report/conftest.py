"""Made-up results, read once; a report of them, written once by a process of its own."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from lift.config import load_all
from lift.report.comparisons import Findings
from lift.report.reading import read
from tests.report import fake


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "data" / "demo"
    fake.write(folder, size=(48, 64), kept=("ucf101", "scenes"))
    return folder


@pytest.fixture(scope="session")
def configs():
    return fake.configs()


@pytest.fixture(scope="session")
def results(data, configs):
    return read(*configs, data)


@pytest.fixture(scope="session")
def planned():
    return load_all(fake.params(), "thesis")


@pytest.fixture(scope="session")
def found(results, planned):
    return Findings(results=results, predicted=fake.nothing(results), planned=planned)


@pytest.fixture(scope="session")
def tests(found):
    return found.tests


@pytest.fixture
def own(tmp_path, configs):
    """Write results of three methods to be damaged; give their folder and a configuration of these alone."""
    base, by_name = configs
    folder = tmp_path / "data"
    fake.write(
        folder, ("lift15", "ctx3", "repeat"), size=(32, 32), kept=("ucf101", "scenes"), ranks=("worst1",)
    )
    config = dataclasses.replace(base, ablations=("lift15", "ctx3"), released=(), baselines=("repeat",))
    return folder, config, {name: by_name[name] for name in config.ablations}


@pytest.fixture(scope="session")
def written(data):
    """Write the report of made-up results as the stage does: without torch, and with warnings as errors.

    It takes seconds: what needs it stands in one file, so that one worker of pytest makes it.
    """
    out = data.parents[1] / "reports" / "demo"
    code = (
        "import sys; from pathlib import Path; from lift import report\n"
        "from lift.config import load_all\n"
        "config, configs = load_all(sys.argv[3], 'demo')\n"
        "planned = load_all(sys.argv[3], 'thesis')\n"
        "report.write(config, Path(sys.argv[1]), Path(sys.argv[2]), configs, planned)\n"
        "assert 'torch' not in sys.modules"
    )
    command = [sys.executable, "-W", "error", "-c", code, str(data), str(out), str(fake.params())]
    subprocess.run(command, cwd=Path(__file__).resolve().parents[2], check=True)
    return out
