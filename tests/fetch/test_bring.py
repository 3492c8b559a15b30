"""Whole data sets: several archives, one folder, one manifest."""

import dataclasses
import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torchvision
from filelock import FileLock

from lift.clips.sources import SOURCES
from lift.errors import UserError
from lift.fetch import CATALOGUE, Dataset, bring_all, bring_contextnet, bring_vgg19
from lift.fetch.bring import _check_room
from lift.fetch.catalogue import VGG19
from lift.fetch.transfer import MAGIC


def bring(name, folder, manifest, **options):
    return bring_all({name: folder}, manifest, **options)[name]


@pytest.fixture
def place(tmp_path, settings, server, make):
    """A catalogue of one set `films` of two archives on the server, and a way to bring it."""

    class Place:
        frames = make.zipped({"around/videos/a.avi": make.noise(50_000)})
        lists = make.tarred({"lists/train.txt": b"a\n" * 1000})
        folder, archives, manifest = (
            tmp_path / "raw" / "films",
            tmp_path / "archives",
            tmp_path / "manifest.json",
        )
        files = (
            make.remote(server.serve("/films.zip", frames), name="films.zip", holds=("videos",)),
            make.remote(
                server.serve("/lists.tar.gz", lists), name="lists.tar.gz", into="official",
                holds=("train.txt",), expands=1000.0,
            ),
        )  # fmt: skip

        def __init__(self):
            self.catalogue = {"films": Dataset(title="Films", licence="none", files=self.files)}

        def bring(self, **changes):
            return bring(
                "films", self.folder, self.manifest, archives=self.archives,
                settings=dataclasses.replace(settings, **changes), catalogue=self.catalogue,
            )  # fmt: skip

    return Place()


def test_archives_become_one_folder_and_are_recorded(place, make):
    brought = place.bring()
    assert (place.folder / "videos" / "a.avi").read_bytes() == make.noise(50_000)
    assert (place.folder / "official" / "train.txt").stat().st_size == 2000
    recorded = json.loads(place.manifest.read_text())
    assert recorded["films/films.zip"] == {"sha256": make.sha256(place.frames), "size": len(place.frames)}
    assert {f"films/{name}": value for name, value in brought["files"].items()} == recorded
    assert brought["origin"] == "download"
    assert sorted(path.name for path in place.folder.parent.iterdir()) == ["films"]
    assert sorted(path.name for path in place.folder.iterdir()) == ["brought.json", "official", "videos"]


def test_rate_and_share_are_shown(place, capfd):
    place.bring()
    shown = capfd.readouterr().err
    for word in ("downloading", "unpacking films.zip", "B/s"):
        assert word in shown


def test_a_second_run_needs_neither_network_nor_archives(place, server):
    first = place.bring(keep_archives=False)
    assert not (place.archives / "films").exists()
    server.files.clear()
    server.requests.clear()
    assert place.bring() == first
    assert not server.requests


def test_archives_placed_by_hand_are_used_without_network(place, server):
    (place.archives / "films").mkdir(parents=True)
    (place.archives / "films" / "films.zip").write_bytes(place.frames)
    (place.archives / "films" / "lists.tar.gz").write_bytes(place.lists)
    place.bring()
    assert not server.requests


def test_a_truncated_archive_leaves_no_folder_and_is_not_trusted(place, server):
    """X4K1000FPS's archives are known to arrive truncated where the server gives no length."""
    server.serve("/films.zip", place.frames[:30_000])
    with pytest.raises(UserError, match=r"films\.zip: truncated or damaged"):
        place.bring()
    assert not place.folder.exists()
    assert not place.manifest.exists()
    server.serve("/films.zip", place.frames)
    (place.archives / "films" / "films.zip").unlink()
    place.bring()


def test_a_later_different_file_is_refused(place, make, server):
    place.bring(keep_archives=False)
    (place.folder).rename(place.folder.with_name("elsewhere"))
    # as long as the first, so that only the digest tells
    other = make.zipped({"around/videos/a.avi": make.noise(50_000, 1)})
    assert len(other) == len(place.frames)
    server.serve("/films.zip", other)
    with pytest.raises(UserError) as error:
        place.bring()
    assert make.sha256(place.frames) in str(error.value)
    assert make.sha256(other) in str(error.value)
    assert not place.folder.exists()


def test_what_can_be_had_is_had_before_the_problem_of_another_is_told(place, make, settings, server):
    catalogue = {
        **place.catalogue,
        "gone": Dataset(title="", licence="", files=(make.remote(server.url("/gone")),)),
        "login": Dataset(title="", licence="", files=(make.remote(name="city.zip", about=10**18),)),
    }
    folders = {name: place.folder.with_name(name) for name in ("gone", "login", "films", "typo")}
    with pytest.raises(UserError) as error:
        bring_all(folders, place.manifest, archives=place.archives, settings=settings, catalogue=catalogue)
    message = str(error.value)
    assert "\n" not in message
    assert "HTTP 404" in message
    assert f"put it at {place.archives / 'login' / 'city.zip'}" in message
    assert "typo: nothing to download" in message
    assert (place.folder / "videos").is_dir()
    assert "films/films.zip" in json.loads(place.manifest.read_text())


def test_leftovers_of_a_killed_unpacking_are_replaced(place):
    leftover = place.folder.with_name(".films.partial")
    leftover.mkdir(parents=True)
    (leftover / "half").write_text("")
    place.bring()
    assert not leftover.exists()
    assert not (place.folder / "half").exists()


def test_a_folder_of_other_origin_is_never_touched(place, server):
    place.folder.mkdir(parents=True)
    (place.folder / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match=r"films: was not brought by this stage.*sources\.films\.path"):
        place.bring()
    assert (place.folder / "mine.txt").read_text() == "mine"
    assert not server.requests


def test_too_little_room_is_said_before_anything_is_asked_for(place, make, server):
    huge = dataclasses.replace(place.files[0], about=10**18)
    place.catalogue = {"films": Dataset(title="", licence="", files=(huge,))}
    with pytest.raises(UserError, match="films need 2000000000 GB"):
        place.bring()
    assert not server.requests


def test_a_disk_that_is_mounted_twice_is_one_disk(place, monkeypatch):
    """As by a bind mount: archives alone have room, and with the unpacked files have not."""
    mounted = place.archives, place.folder.parent
    for folder in mounted:
        folder.mkdir()
    monkeypatch.setattr(Path, "is_mount", lambda path: path in mounted)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=3 * 10**9))
    large = dataclasses.replace(place.files[0], about=2 * 10**9)
    catalogue = {"films": Dataset(title="", licence="", files=(large,))}
    with pytest.raises(UserError, match="films need 4 GB"):
        _check_room(catalogue, {"films": place.folder}, place.archives)


def test_what_has_arrived_needs_no_more_room(place, tmp_path):
    _check_room(place.catalogue, {"films": place.folder}, tmp_path)


def test_two_downloads_at_once_are_refused(place, server):
    place.archives.mkdir()
    with FileLock(place.archives / ".lock"), pytest.raises(UserError, match="another download is under way"):
        place.bring()
    assert not server.requests


def test_a_cut_and_a_stall_in_parallel_end_well(place, server):
    server.files["/films.zip"].cuts = [100, 100, 100]
    server.files["/lists.tar.gz"].stall = 10
    place.bring(parallel=2)
    assert (place.folder / "official").is_dir()


def test_the_catalogue_names_official_files_and_their_pages():
    assert set(SOURCES) - set(CATALOGUE) == {"folder", "scenes"}
    for name, dataset in CATALOGUE.items():
        names = [remote.name for remote in dataset.files]
        assert len(set(names)) == len(names) > 0, name
        for remote in dataset.files:
            assert remote.page.startswith("http")
            assert remote.kind in MAGIC


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_that_cannot_be_had_says_where_to_get_it_and_where_to_put_it(
    name, tmp_path, server, settings
):
    """The links of those that can be downloaded are dead here."""
    archives, catalogue = tmp_path / "archives", {}
    for key, dataset in CATALOGUE.items():
        files = [
            dataclasses.replace(remote, urls=(server.url("/gone"),) if remote.urls else (), about=1)
            for remote in dataset.files
        ]
        catalogue[key] = dataclasses.replace(dataset, files=tuple(files))
    with pytest.raises(UserError) as caught:
        bring(
            name, tmp_path / "raw" / name, tmp_path / "manifest.json",
            archives=archives, settings=settings, catalogue=catalogue,
        )  # fmt: skip
    message = str(caught.value)
    assert "\n" not in message
    if name in CATALOGUE:
        for remote in CATALOGUE[name].files:
            assert f"get {remote.name}" in message
            assert f"from {remote.page} and put it at {archives / name / remote.name}" in message
            assert ("only a person can get it" if not remote.urls else "HTTP 404") in message
    else:
        assert f"set sources.{name}.path to the folder" in message


@pytest.mark.parametrize("name", ["ucf101_dvf", "ucf101_qvi"])
def test_subsets_placed_by_hand_are_unpacked_to_what_their_source_reads(tmp_path, make, settings, name):
    inner = CATALOGUE[name].files[0].name.removesuffix(".zip")
    frames = {f"{inner}/{v}/{frame}": make.noise(9000) for v in (1, 11) for frame in SOURCES[name].numbers}
    place = tmp_path / "archives" / name / f"{inner}.zip"
    place.parent.mkdir(parents=True)
    place.write_bytes(make.zipped(frames))
    bring(
        name, tmp_path / "raw" / name, tmp_path / "m.json", archives=tmp_path / "archives", settings=settings
    )
    found = SOURCES[name].videos(tmp_path / "raw" / name, "test", 15)
    assert [video.name for video in found] == ["1", "11"]


def test_cityscapes_asks_for_a_login(tmp_path, settings):
    with pytest.raises(UserError) as error:
        bring("cityscapes", tmp_path / "c", tmp_path / "m.json", archives=tmp_path / "a", settings=settings)
    message = str(error.value)
    assert "www.cityscapes-dataset.com" in message
    assert str(tmp_path / "a" / "cityscapes" / "leftImg8bit_sequence_trainvaltest.zip") in message


def test_contextnet_comes_out_of_its_archive(tmp_path, server, make, settings):
    archive = make.zipped({"train_log/contextnet.pkl": b"\x80weights", "train_log/flownet.pkl": b"\x80"})
    remote = make.remote(
        server.serve("/rife.zip", archive), name="rife.zip", holds=("contextnet.pkl",), expands=1e3
    )
    path, manifest = tmp_path / "weights" / "contextnet.pkl", tmp_path / "m.json"
    bring_contextnet(path, manifest, settings, archives=tmp_path / "a", remote=remote)
    assert path.read_bytes() == b"\x80weights"
    recorded = json.loads(manifest.read_text())
    assert sorted(recorded) == ["weights/contextnet.pkl", "weights/rife.zip"]
    assert recorded["weights/contextnet.pkl"]["sha256"] == make.sha256(b"\x80weights")
    server.files.clear()
    bring_contextnet(path, manifest, settings, archives=tmp_path / "b", remote=remote)
    path.write_bytes(b"\x80other")
    with pytest.raises(UserError, match=r"weights/contextnet\.pkl: is another file"):
        bring_contextnet(path, manifest, settings, archives=tmp_path / "a", remote=remote)


def test_contextnet_that_cannot_be_had_may_be_placed_by_hand(tmp_path, server, make, settings):
    remote = make.remote(server.url("/gone"), name="rife.zip", holds=("contextnet.pkl",))
    with pytest.raises(UserError, match=r"HTTP 404.*or put its contextnet\.pkl at .*c\.pkl"):
        bring_contextnet(
            tmp_path / "c.pkl", tmp_path / "m.json", settings, archives=tmp_path / "a", remote=remote
        )


def test_vgg_is_torchvisions_and_held_to_the_digits_in_its_name(
    tmp_path, server, make, settings, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / "checkpoints" / VGG19.name
    address = torchvision.models.VGG19_Weights.IMAGENET1K_V1.url
    assert VGG19.urls == (address,)
    assert address.endswith(f"-{VGG19.sha256}.pth")
    other = dataclasses.replace(VGG19, urls=(server.serve("/v.pth", make.zipped({"a": b""})),), about=None)
    with pytest.raises(UserError, match="dcbb9e9d is known to be right"):
        bring_vgg19(tmp_path / "m.json", settings, remote=other)
    assert not path.exists()
    right = dataclasses.replace(other, sha256=make.sha256(make.zipped({"a": b""}))[:8])
    bring_vgg19(tmp_path / "m.json", settings, remote=right)
    assert path.is_file()
    assert list(json.loads((tmp_path / "m.json").read_text())) == ["weights/vgg19-dcbb9e9d.pth"]
    nowhere = dataclasses.replace(right, urls=(server.url("/gone"),))
    bring_vgg19(tmp_path / "m.json", settings, remote=nowhere)  # it is there
