"""Trust on first use."""

import json

import pytest

from lift.errors import UserError
from lift.fetch.transfer import Identity, identify, record, recorded

ONE = Identity(size=1, sha256="a" * 64)
TWO = Identity(size=2, sha256="b" * 64)


def test_the_file_is_sorted_and_does_not_depend_on_the_order_of_downloads(tmp_path):
    texts = []
    for name, order in (("x", "ab"), ("y", "ba")):
        for key in order:
            record(tmp_path / f"{name}.json", key, ONE)
        texts.append((tmp_path / f"{name}.json").read_text())
    assert texts[0] == texts[1]
    assert list(json.loads(texts[0])) == ["a", "b"]
    assert texts[0].endswith("}\n")


def test_what_is_recorded_is_known_to_the_next_run(tmp_path):
    record(tmp_path / "m.json", "a", ONE)
    assert recorded(tmp_path / "m.json") == {"a": ONE}


def test_recording_the_same_again_writes_nothing(tmp_path):
    path = tmp_path / "m.json"
    record(path, "a", ONE)
    path.chmod(0o444)
    before = path.stat()
    record(path, "a", ONE)
    assert path.stat() == before


def test_another_file_is_refused_with_both_digests_and_the_first_stays(tmp_path):
    manifest = tmp_path / "m.json"
    record(manifest, "a", ONE)
    with pytest.raises(UserError, match=f"{TWO['sha256']}.*m.json.*{ONE['sha256']}"):
        record(manifest, "a", TWO)
    assert recorded(manifest) == {"a": ONE}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1}', '{"a": {"size": 1}}', '{"a": {"size": "x", "sha256": ""}}']
)
def test_a_damaged_manifest_is_named(tmp_path, text):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"m\.json.*restore it from git"):
        recorded(path)


def test_the_digest_is_sha256(tmp_path, make):
    path = tmp_path / "f"
    path.write_bytes(make.noise(3_000_000))
    assert identify(path) == Identity(size=3_000_000, sha256=make.sha256(make.noise(3_000_000)))
