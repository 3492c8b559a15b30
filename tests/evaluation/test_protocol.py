import dataclasses
import json

import pytest

from lift.config import Benchmark
from lift.errors import UserError
from lift.evaluation.results import fingerprint, write_protocol

RULES = Benchmark(title="DAVIS", sampling=None, horizons=0, protocol="whole frames")


def test_every_rule_and_every_byte_of_the_manifest_counts(tmp_path):
    manifest = tmp_path / "clips.csv"
    manifest.write_text("clip\na\n")
    found = [
        fingerprint(RULES, manifest),
        fingerprint(dataclasses.replace(RULES, sampling="uniform"), manifest),
        fingerprint(dataclasses.replace(RULES, protocol="cropped"), manifest),
        fingerprint(dataclasses.replace(RULES, horizons=3), manifest, ahead=True),
        fingerprint(dataclasses.replace(RULES, horizons=4), manifest, ahead=True),
    ]
    manifest.write_text("clip\nb\n")
    found.append(fingerprint(RULES, manifest))
    assert len({json.dumps(one) for one in found}) == len(found)
    write_protocol(tmp_path, {"davis": found[0]})
    assert json.loads((tmp_path / "protocol.json").read_text()) == {"davis": found[0]}


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(UserError, match=r"clips\.csv: not found"):
        fingerprint(RULES, tmp_path / "clips.csv")
