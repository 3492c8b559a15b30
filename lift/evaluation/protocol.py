"""protocol.json: under which rules results were measured, so that a report can refuse to mix different ones.

The values are kept readable: two methods that differ are told in what. A method's own window and sampling
are no part of it, for they are what is compared; a sampling that the benchmark forces is.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from lift.config import Benchmark
from lift.errors import UserError
from lift.files import atomic

DIGITS = 16  # of the manifest's SHA-256: 64 bits tell any two manifests apart


def fingerprint(benchmark: Benchmark, manifest: Path, *, ahead: bool = False) -> dict[str, str]:
    """Describe how a benchmark was measured.

    Args:
        benchmark: Its rules in params.yaml.
        manifest: Its clips.csv, which names every clip and frame.
        ahead: Whether frames were predicted, up to the benchmark's horizon.

    Returns:
        clips (start of the manifest's SHA-256), protocol and sampling ("its own": the method's); of
        prediction the horizon as well.

    Raises:
        UserError: There is no manifest.
    """
    try:
        digest = hashlib.sha256(manifest.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        raise UserError(f"{manifest}: not found; run `dvc repro` to build the clips") from error
    return {
        "clips": digest[:DIGITS],
        "protocol": benchmark.protocol,
        "sampling": benchmark.sampling or "its own",
        **({"horizons": str(benchmark.horizons)} if ahead else {}),
    }


def write_protocol(folder: Path, by_benchmark: Mapping[str, Mapping[str, str]]) -> None:
    """Write protocol.json beside a method's results.

    Raises:
        UserError: The disk is full or the folder cannot be written.
    """
    with atomic(folder / "protocol.json") as temporary:
        text = json.dumps(by_benchmark, indent=1, sort_keys=True, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
