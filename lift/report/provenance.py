"""With what a report was made: parameters, environment, data, and the files that it was read from.

No commit: the report is committed with its results, so its bytes cannot hold their own commit's name. Hashes
of the parameters and of the report's own code stand in its place; dvc.lock holds those of all stages.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lift.environment import describe as describe_environment
from lift.report import measured
from lift.report.results import Results

DIGITS = 16  # of a SHA-256
CODE = Path("resolved/code/report.json")
"""Below data/<profile>: digests of the files that make a report, as the stage `resolve` wrote them."""
NAMES = ("clips.csv", "metrics.json", "protocol.json", "made_from.json", "alpha.csv", "probes.csv")
"""What evaluation leaves of each method for the report."""
_SECTIONS = ("clip", "model", "loss", "train", "evaluate", "report", "benchmarks", "clips")
_OTHERS = ("profile", "method", "seed", "sources", "baselines", "ablations", "released")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the page says about how it was made."""

    environment: Mapping[str, str]
    parameters: str
    parameters_digest: str
    code_digest: str
    inputs: Sequence[tuple[str, str]]
    """Path below data/<profile> (of benchmarks: the repository's), and the start of its SHA-256."""


def describe(results: Results, others: Sequence[str] = ()) -> Provenance:
    """Collect it; equal inputs on equal machines give equal values.

    Args:
        results: What the report is made from.
        others: Methods whose files were read as well: those that predict.
    """
    known = dataclasses.asdict(results.config)
    by_method = [dataclasses.asdict(config) for _, config in sorted(results.configs.items())]
    everything = [{key: config[key] for key in (*_SECTIONS, *_OTHERS)} for config in (known, *by_method)]
    return Provenance(
        environment=describe_environment(),
        parameters=json.dumps(
            {key: known[key] for key in _SECTIONS}, indent=1, sort_keys=True, ensure_ascii=False
        ),
        parameters_digest=_digest(json.dumps(everything, sort_keys=True).encode()),
        code_digest=_digest((results.data / CODE).read_bytes()),
        inputs=_inputs(results, (*results.methods, *others)),
    )


def brief(sources: Sequence[str]) -> str:
    """Write stage outputs shortly: `results/{a,b}/clips.csv` for two methods' files of one name."""
    groups: dict[tuple[str, str], list[str]] = {}
    for source in sources:
        top, *method, name = source.split("/")
        groups.setdefault((top, name), []).extend(method)
    told = [
        "/".join((top, *([f"{{{','.join(methods)}}}"] if len(methods) > 1 else methods), name))
        for (top, name), methods in groups.items()
    ]
    return "; ".join(told)


def _inputs(results: Results, methods: Sequence[str]) -> list[tuple[str, str]]:
    paths = [results.data / "clips" / name / "summary.json" for name in results.procedural]
    for method in methods:
        own = results.data / "results" / method
        paths += [*(own / name for name in NAMES), results.data / "training" / method / "curves.csv"]
    found = [(path.relative_to(results.data).as_posix(), path) for path in paths]
    found += [(path.as_posix(), path) for path in sorted(measured.FOLDER.glob("*.*"))]
    return [(name, _digest(path.read_bytes())) for name, path in found if path.is_file()]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:DIGITS]
