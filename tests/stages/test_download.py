"""The stage `download` on its own: each origin of a source, in one run."""

import dataclasses
import functools
import hashlib
import http.server
import io
import json
import threading
import zipfile
from pathlib import Path

import pytest

from lift.clips.plan import source_folder
from lift.config import load, yaml12
from lift.errors import UserError
from lift.fetch import CATALOGUE, Dataset, Remote, bring_vgg19
from lift.fetch.catalogue import VGG19
from stages import download
from tests import params as files


@pytest.fixture
def params(tmp_path, monkeypatch):
    """Give a function that writes params.yaml with other sources of the demo into an empty working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine").mkdir()

    def write(**sources):
        raw = files.read()
        profile = raw["profiles"]["demo"]
        render = {**profile["sources"]["scenes"]["render"], "test": 1, "size": [32, 32]}
        for name in raw["sources"]:
            profile["sources"][name] = {"path": "mine", "render": None, "optional": False}
        profile["sources"]["scenes"] = {"path": None, "render": render, "optional": False}
        profile["sources"].update(sources)
        files.resolved(raw, "demo")

    return write


@pytest.fixture
def served(tmp_path_factory):
    """Give a folder that is served on the loopback interface, and its address."""
    folder = tmp_path_factory.mktemp("served")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_sources_are_downloaded_used_in_place_or_rendered(params, served, monkeypatch):
    folder, address = served
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("DAVIS/JPEGImages/480p/bear/00000.jpg", "x" * 5000)
        file.writestr("DAVIS/ImageSets/2017/val.txt", "bear\n")
    (folder / "davis.zip").write_bytes(buffer.getvalue())
    remote = Remote(
        name="davis.zip",
        page="",
        urls=(f"{address}/davis.zip",),
        holds=("JPEGImages",),
        expands=9.0,
    )
    monkeypatch.setitem(CATALOGUE, "davis", Dataset(title="DAVIS", licence="", files=(remote,)))
    params(
        davis={"path": None, "render": None, "optional": False},
        snu_film={"path": None, "render": None, "optional": True},
    )
    download.main("demo")
    made = json.loads(Path("data/demo/raw/sources.json").read_text())
    assert {name: value["origin"] for name, value in made.items()} == {
        "vimeo90k": "local copy",
        "ucf101": "local copy",
        "davis": "download",
        "snu_film": "not given",
        "cityscapes": "local copy",
        "folder": "local copy",
        "gopro": "local copy",
        "x4k1000fps": "local copy",
        "scenes": "procedural stand-in",
    }
    assert Path("data/demo/raw/davis/JPEGImages/480p/bear/00000.jpg").is_file()
    assert list(json.loads(Path("data/manifest.json").read_text())) == ["davis/davis.zip"]
    (folder / "davis.zip").unlink()
    download.main("demo")  # again, without the server's file
    assert json.loads(Path("data/demo/raw/sources.json").read_text()) == made
    Path("data/demo/raw/davis/JPEGImages/480p/bear/00000.jpg").write_text("other")
    download.main("demo")  # what cuts clips is to notice
    again = json.loads(Path("data/demo/raw/sources.json").read_text())
    assert again["davis"]["unpacked"] != made["davis"]["unpacked"]
    assert {**again, "davis": None} == {**made, "davis": None}


def test_vggs_weights_come_where_a_loss_needs_them_and_not_elsewhere(params, served, monkeypatch, tmp_path):
    folder, address = served
    with zipfile.ZipFile(folder / "vgg.pth", "w") as file:
        file.writestr("weights", "x" * 5000)
    digest = hashlib.sha256((folder / "vgg.pth").read_bytes()).hexdigest()
    remote = dataclasses.replace(VGG19, urls=(f"{address}/vgg.pth",), sha256=digest[:8], about=None)
    monkeypatch.setattr(download, "bring_vgg19", functools.partial(bring_vgg19, remote=remote))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    there = tmp_path / "torch/hub/checkpoints" / VGG19.name
    params()
    download.main("demo")
    assert not there.exists()
    raw = yaml12.read(Path("params.yaml"))
    raw["ablations"]["lift15"] = {"loss": {"perceptual": 0.1}}
    files.resolved(raw, "demo")
    download.main("demo")
    assert there.is_file()


def test_a_tilde_in_a_path_is_the_home_folder(params, monkeypatch):
    monkeypatch.setenv("HOME", str(Path("mine").resolve()))
    there = Path("mine/sets/davis")
    there.mkdir(parents=True)
    params(davis={"path": "~/sets/davis", "render": None, "optional": False})
    download.main("demo")
    made = json.loads(Path("data/demo/raw/sources.json").read_text())
    assert made["davis"]["path"] == "~/sets/davis"
    assert str(Path("mine").resolve()) not in json.dumps(made)  # no home in what is kept
    config = load("params.yaml", "demo")
    assert source_folder(config, "davis", Path("raw")) == there.resolve()
    params(davis={"path": "~nobody_of_this_name/davis", "render": None, "optional": False})
    with pytest.raises(UserError, match=r"davis\.path: no folder ~nobody_of_this_name/davis"):
        download.main("demo")


def test_a_tilde_in_the_place_of_weights_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    model = load(files.SOURCE, "demo").model
    for changed in (
        dataclasses.replace(model, pretrained="~/contextnet.pkl"),
        dataclasses.replace(
            model, name="rife", rife=dataclasses.replace(model.rife, pretrained="~/contextnet.pkl")
        ),
    ):
        assert changed.start == Path("/home/me/contextnet.pkl")


def test_a_path_that_is_not_there_is_named_by_its_key(params):
    params(davis={"path": "mien", "render": None, "optional": False})
    with pytest.raises(UserError, match=r"profiles\.demo\.sources\.davis\.path: no folder mien"):
        download.main("demo")
