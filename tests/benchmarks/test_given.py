"""What a reference run refuses to go on with, or to begin with: one line each, and nothing is lost."""

import runpy
import shutil
import sys

import pytest

from benchmarks.reference import profile
from benchmarks.reference.__main__ import begin
from lift.errors import UserError


@pytest.fixture
def begun(tiny, footage, tmp_path):
    """Begin a run with CLIPS and REAL of its own; give the two, OUT, and a function that begins again."""
    clips, real = tmp_path / "clips", tmp_path / "real"
    shutil.copytree(footage / "clips", clips)
    shutil.copytree(footage / "real", real)

    def again(clips=clips):
        begin("tiny", ["lift15"], profile.settings("tiny"), clips, real, tiny)

    again()
    return clips, real, tiny, again


def held(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refused(begun, match, **other):
    before = held(begun[2])
    with pytest.raises(UserError, match=match) as error:
        begun[3](**other)
    assert "\n" not in str(error.value)
    assert held(begun[2]) == before


def test_changed_footage_is_named_and_the_old_goes_on(begun):
    clips, _, _, again = begun
    picture = sorted(clips.glob("walks/*/*.jpg"))[3]
    whole = picture.read_bytes()
    picture.write_bytes(whole[:-1])
    refused(begun, r"other footage: of CLIPS, 1 changed \(walks-.*\)\. .* an empty OUT for the new")
    picture.write_bytes(whole)
    again()


def test_another_folder_of_clips_is_refused_and_the_same_elsewhere_goes_on(begun, tmp_path):
    clips, _, out, again = begun
    other = tmp_path / "elsewhere"
    clips.rename(other)
    again(clips=other)
    links = [path for path in (out / "footage/train").iterdir() if path.name.startswith("walks")]
    assert [path.resolve().is_relative_to(other) for path in links] == [True]
    (other / "walks").rename(other / "runs")
    refused(begun, r"of CLIPS, 1 no longer there \(walks-.*\), 1 new \(runs-.*\)", clips=other)
    shutil.copytree(other / "drives", other / "ucf101", dirs_exist_ok=True)  # a kind that is left out
    (other / "runs").rename(other / "walks")
    again(clips=other)


def test_changed_test_footage_is_refused(begun):
    picture = sorted(begun[1].glob("DAVIS/JPEGImages/480p/*/*.jpg"))[0]
    picture.write_bytes(picture.read_bytes()[:-1])
    refused(begun, r"of REAL, 1 changed \(davis/.*\)")


def test_other_scenes_to_learn_from_are_refused(begun, monkeypatch):
    rules = profile.settings("tiny")
    rules["scenes"]["speed"] = [1.0, 2.0]
    monkeypatch.setattr(profile, "settings", lambda size: rules)
    refused(begun, "of rendered scenes, 1 changed")


def test_a_run_of_an_older_version_goes_on_and_says_so(begun, capsys):
    (begun[2] / "given.json").unlink()
    begun[3]()
    assert "CLIPS and REAL are taken to be what it had" in capsys.readouterr().out
    assert (begun[2] / "given.json").is_file()


MAIN, EXPORT, PICTURE = (f"benchmarks.reference{name}" for name in ("", ".export", ".picture"))


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        (MAIN, ["tiny", "nowhere", "real", "fresh"], "CLIPS: .*nowhere: no such folder"),
        (MAIN, ["tiny", "clips", "nowhere", "fresh"], "REAL: .*nowhere: no such folder"),
        (MAIN, ["tiny", "other", "real", "fresh"], "CLIPS: .*: no <kind>/<sequence>/"),
        (MAIN, ["tiny", "clips", "other", "fresh"], "other.*is not Vimeo-90K.*expected vimeo_septuplet"),
        (MAIN, ["tiny", "real/DAVIS", "real", "fresh"], "one holds the other, and what tests must not train"),
        (MAIN, ["tiny", "clips", "real", "file"], "file: a file stands there"),
        (MAIN, ["tiny", "clips", "real", "file/below"], "below: a file stands there, or above it"),
        (MAIN, ["tiny", "clips", "real", "other"], r"other/params\.yaml: not of a reference run"),
        (EXPORT, ["nowhere", "weights"], r"nowhere: no reference run: it has no params\.yaml"),
        (EXPORT, ["begun", "weights"], "reference_tiny/models: no trained model"),
        (PICTURE, ["nowhere"], r"nowhere: no reference run: it has no params\.yaml"),
        (PICTURE, ["begun"], "begun: no model lift15, which is shown"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(tiny, footage, monkeypatch, module, arguments, said):
    here = tiny.parent
    monkeypatch.chdir(here)
    for name in ("clips", "real"):
        (here / name).symlink_to(footage / name)
    (here / "file").write_text("x")
    (here / "other").mkdir()
    (here / "other/params.yaml").write_bytes((profile.ROOT / "params.yaml").read_bytes())
    rules = profile.settings("tiny")
    (here / "begun").mkdir()
    wanted = profile.parameters("tiny", rules["trains"], rules, footage / "real", here / "begun/footage")
    profile.write_parameters(here / "begun/params.yaml", wanted)
    monkeypatch.setattr(sys, "argv", [module, *arguments])
    with pytest.raises(SystemExit, match=said) as end:
        runpy.run_module(module, run_name="__main__")
    assert str(end.value.code).startswith("error: ")  # text: exit code 1
    assert "\n" not in str(end.value.code)
    assert not any((here / "fresh").rglob("*"))
