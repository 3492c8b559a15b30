"""Trust on first use."""

import json

import pytest

from lift.errors import UserError
from lift.fetch.identity import Identity, Manifest, identify

ONE = Identity(size=1, sha256="a" * 64)
TWO = Identity(size=2, sha256="b" * 64)


def test_the_file_is_sorted_and_does_not_depend_on_the_order_of_downloads(tmp_path):
    texts = []
    for name, order in (("x", "ab"), ("y", "ba")):
        manifest = Manifest(tmp_path / f"{name}.json")
        for key in order:
            manifest.record(key, ONE)
        texts.append((tmp_path / f"{name}.json").read_text())
    assert texts[0] == texts[1]
    assert list(json.loads(texts[0])) == ["a", "b"]
    assert texts[0].endswith("}\n")


def test_what_is_recorded_is_known_to_the_next_run(tmp_path):
    Manifest(tmp_path / "m.json").record("a", ONE)
    assert Manifest(tmp_path / "m.json").get("a") == ONE
    assert Manifest(tmp_path / "m.json").get("b") is None


def test_recording_the_same_again_writes_nothing(tmp_path):
    path = tmp_path / "m.json"
    Manifest(path).record("a", ONE)
    path.chmod(0o444)
    before = path.stat()
    Manifest(path).record("a", ONE)
    assert path.stat() == before


def test_another_file_is_refused_with_both_digests_and_the_first_stays(tmp_path):
    manifest = Manifest(tmp_path / "m.json")
    manifest.record("a", ONE)
    with pytest.raises(UserError, match=f"{TWO.sha256}.*m.json.*{ONE.sha256}"):
        manifest.record("a", TWO)
    assert Manifest(tmp_path / "m.json").get("a") == ONE


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1}', '{"a": {"size": 1}}', '{"a": {"size": "x", "sha256": ""}}']
)
def test_a_damaged_manifest_is_named(tmp_path, text):
    path = tmp_path / "m.json"
    path.write_text(text)
    with pytest.raises(UserError, match=r"m\.json.*restore it from git"):
        Manifest(path)


def test_the_digest_is_sha256(tmp_path, make):
    path = tmp_path / "f"
    path.write_bytes(make.noise(3_000_000))
    assert identify(path) == Identity(size=3_000_000, sha256=make.sha256(make.noise(3_000_000)))
