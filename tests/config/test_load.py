"""Resolution of params.yaml: precedence, and one clear line for every mistake."""

from pathlib import Path

import pytest
import yaml

from lift.config import load, load_all, window, yaml12
from lift.errors import UserError

WIDTH = {"family": "width", "method": "lift15", "against": "ctx3"}
PREDICT = {"task": "predict", "frames": 3, "shift": 1}
CANNOT = ["ablations.x.clip.task", "cannot predict", "models that can: lift, ifrnet"]
SETS, METHODS = "profiles.demo.clips.sets", "profiles.demo.methods"
ASKED = "profiles.demo.report.comparisons"
SOURCE = Path(__file__).resolve().parents[2] / "params.yaml"


@pytest.fixture
def params(tmp_path):
    """Give a function that writes a changed copy of params.yaml: params({"a.b": value})."""

    def write(changes):
        raw = yaml12.read(SOURCE)
        for key, value in changes.items():
            *path, last = key.split(".")
            at = raw
            for part in path:
                at[part] = dict(at.get(part) or {})  # not what an alias shares with it
                at = at[part]
            at[last] = value
        path = tmp_path / "params.yaml"
        if not (tmp_path / "weights").exists():
            (tmp_path / "weights").symlink_to(SOURCE.parent / "weights")
        path.write_text(yaml.dump(raw, Dumper=yaml.CSafeDumper, sort_keys=False))
        return path

    return write


def test_precedence_is_top_then_profile_then_ablation(params):
    path = params(
        {
            "model.layers": 2,
            "profiles.demo.model": {"layers": 3, "heads": 4},
            "ablations.lift15": {"model": {"layers": 5}},
        }
    )
    model = load(path, "demo", "lift15").model
    assert (model.layers, model.heads) == (5, 4)
    assert load(path, "demo", "no_s1").model.layers == 3
    assert load(path, "thesis", "no_s1").model.layers == 2


def test_all_ablations_at_once_are_those_one_by_one():
    base, configs = load_all(SOURCE, "thesis")
    assert base == load(SOURCE, "thesis")
    assert list(configs) == list(base.models)
    for name in ("lift64", "rife"):
        assert configs[name] == load(SOURCE, "thesis", name)


def test_a_further_seed_leaves_a_training_as_it_is_and_its_own_is_another(params):
    one, two = (load(params({"train.seeds": seeds}), "demo", "lift15") for seeds in ([7], [7, 8]))
    assert one.seeded(7).digestible() == two.seeded(7).digestible()
    assert two.seeded(7).digestible() != two.seeded(8).digestible()


def test_a_part_of_the_loss_that_is_off_decides_no_weights(params):
    one, two = (load(params({"loss.census": weight}), "demo", "lift15").digestible() for weight in (0.0, 0.5))
    assert "census" not in one["loss"]
    assert two["loss"] == {**one["loss"], "census": 0.5}


def test_a_key_that_stands_twice_is_named_by_its_line(tmp_path):
    (tmp_path / "params.yaml").write_text("seed: 1\nablations: {}\nablations: {x: {}}\n")
    with pytest.raises(
        UserError, match=r'params\.yaml: not valid YAML: line 3: found duplicate key "ablations"$'
    ):
        load(tmp_path / "params.yaml", "demo")


def test_the_search_decides_the_weights_where_motion_is_found_by_it(params):
    for name, same in (("lift15", True), ("rife", True), ("matched", False)):
        one, two = (
            load(params({"model.matching.smooth": value}), "thesis", name).digestible() for value in (3, 5)
        )
        assert (one == two) is same, name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model.use_s2": True}, ["model.use_s2", "use_s1"]),
        ({"modle": {}}, ["modle", "model"]),
        ({"profiles.demo.train.btach": 3}, ["btach", "batch"]),
        ({"ablations.lift15": {"model": {"layer": 1}}}, ["ablations.lift15.model.layer", "layers"]),
        ({"ablations.lift15": {"evaluate": {}}}, ["ablations.lift15.evaluate"]),
        ({"ablations.lift15": 3}, ["ablations.lift15"]),
        ({"model.layers": "three"}, ["model.layers", "whole number", "'three'"]),
        ({"model.layers": 2.5}, ["model.layers", "whole number"]),
        ({"model.layers": True}, ["model.layers", "whole number"]),
        ({"model.layers": 0}, ["model.layers", "range"]),
        ({"train.weight_decay": float("nan")}, ["train.weight_decay", "range"]),
        ({"model.widths": [8, 16]}, ["model.widths", "5 values"]),
        ({"model.widths": [8, 16, 24, 32, 44]}, ["model", "heads"]),
        ({"model.flow_widths": [44, 32]}, ["flow_widths", "GroupNorm"]),
        ({"model.attention": "windwed"}, ["model.attention", "'windowed'"]),
        ({"clip.sampling": "sparse"}, ["clip.sampling", "dense"]),
        ({"clip.frames": 14}, ["clip", "14", "uniform"]),
        ({"ablations.ctx3": {"clip": {"frames": 3, "shift": 3}}}, ["clip", "frames: 3", "shift: 3"]),
        ({"ablations.wide": {"clip": {"frames": 129}}}, ["ablations.wide", "clips.before"]),
        (
            {"profiles.demo.clips.sets.davis.before": 64},
            ["clips.sets.davis", "before: 64", "clips.before: 63"],
        ),
        ({"ablations.no-s1": {}}, ["ablations.no-s1", "a-z"]),
        ({"ablations.odd": {"loss": {"lpips": -1.0}}}, ["params.yaml: ablations.odd.loss.lpips", "range"]),
        ({"loss.l1": 0.0, "loss.lpips": 0.0}, ["loss", "weights"]),
        ({"clips.sets.more": {"sources": ["ucf101"]}}, ["clips.sets.more", "every benchmark"]),
        ({f"{SETS}.more": {"sources": ["ucf101"]}}, ["clips.sets.more", "every benchmark"]),
        ({"profiles.demo": "x"}, ["profiles.demo", "'x'"]),
        ({"profiles.demo.clips": 3}, ["profiles.demo.clips: expected a mapping"]),
        ({"sources": 3}, ["sources: expected a mapping, found 3"]),
        ({"sources.davis": 3}, ["sources.davis: expected a mapping, found 3"]),
        ({"clips.sets.train": "x"}, ["clips.sets.train: expected a mapping, found 'x'"]),
        ({f"{SETS}.davis": None}, [f"{SETS}.davis: expected a mapping, found None"]),
        ({"profiles.demo.sources.davis": None}, ["profiles.demo.sources.davis: expected a mapping"]),
        ({"profiles.thesis": None}, ["profiles.thesis", "None"]),
        ({f"{METHODS}.baselines": ["averag"]}, ["baselines.averag", "did you mean 'average'?"]),
        ({f"{METHODS}.baselines": ["repeat", "dis", "repeat"]}, ["baselines", "repeat stands twice"]),
        ({f"{METHODS}.trained": ["lift15", "nos1"]}, ["trained.nos1: no such method", "'no_s1'?"]),
        ({f"{METHODS}.trained": ["lift15", "lift15"]}, ["methods.trained", "lift15 stands twice"]),
        ({f"{METHODS}.trained": None}, ["demo.methods.trained", "a list of names"]),
        ({f"{METHODS}.released": ["matchd"]}, ["methods.released.matchd", "did you mean 'matched'?"]),
        (
            {f"{METHODS}.trained": ["lift15", "matched"]},
            ["matched is to be trained and measured as released"],
        ),
        ({f"{METHODS}.more": []}, ["demo.methods.more", "unknown key"]),
        ({"released.matched": {"loss": {}}}, ["released.matched.loss", "unknown key"]),
        ({"released.matched": {"weights": 3}}, ["released.matched.weights", "found 3"]),
        ({"released.matched": {"weights": "none"}}, ["none.safetensors: no weights there"]),
        ({"released.matched": {"weights": ["matched", 3]}}, ["released.matched.weights", "['matched', 3]"]),
        ({"released.matched": {"weights": []}}, ["released.matched.weights", "found []"]),
        (
            {"released.matched": {"weights": ["matched", "matched"]}},
            ["matched.safetensors", "has seed 7, as", "has"],
        ),
        (
            {"released.matched": {"weights": ["matched", "matched_ctx3"]}},
            ["matched_ctx3.safetensors: trained otherwise than", "clip, method differ"],
        ),
        (
            {"released.rife_v4": {"weights": ["rife_v4.25", "rife_v4.25"]}},
            ["rife_v4.25.safetensors: says no seed"],
        ),
        ({"released.matched": {"clip": {"frame": 3}}}, ["released.matched.clip.frame", "'frames'"]),
        ({f"{SETS}.ucf101.sources": []}, ["clips.sets.ucf101.sources", "empty"]),
        ({f"{SETS}.ucf101.sources": ["ucf"]}, ["clips.sets.ucf101.sources.ucf: not under", "'ucf101'"]),
        ({"benchmarks.more": {"title": "More", "protocol": "ours"}}, ["clips.sets.more: missing"]),
        ({f"{SETS}.ucf101.sources": ["ucf101", "ucf101"]}, ["clips.sets.ucf101.sources", "stands twice"]),
        ({f"{SETS}.train.part": "test"}, ["clips.sets.train.part: test", "set train"]),
        ({f"{SETS}.train.part": "validation"}, ["clips.sets.train.part: validation", "set train"]),
        ({f"{SETS}.validation.part": "test"}, ["clips.sets.validation.part: test", "set validation"]),
        ({f"{SETS}.davis.part": "train"}, ["clips.sets.davis.part: train", "trained on; set test"]),
        ({f"{SETS}.ucf101.part": "validation"}, ["clips.sets.ucf101.part: validation", "weights are chosen"]),
        ({"profile": ["demo"]}, ["profile", "a list for each profile"]),
        ({"profile.demmo": []}, ["demmo", "demo"]),
        ({"profile.demo": ["thesis"]}, ["profile.demo", "[demo]", "['thesis']"]),
        ({"profiles.demo.base": ["tesis"]}, ["demo.base.tesis", "'thesis'"]),
        ({"profiles.demo.base": "thesis"}, ["demo.base", "a list"]),
        ({"profiles.demo.base": ["quarter"], "profiles.study.base": ["demo"]}, ["stands on itself"]),
        ({"seed": None}, ["seed"]),
        ({"profiles.demo.sources.davis.path": "x"}, ["sources.davis", "render"]),
        ({"defaults.render.size": [8, 8], "defaults.sets": {}}, ["defaults.sets", "'set'"]),
        ({"defaults.set.strid": 1}, ["strid", "'stride'"]),
        ({"profiles.demo.sources.davis.optional": True}, ["sources.davis", "optional", "render"]),
        ({"report.benchmark": "ucf"}, ["report.benchmark", "ucf101"]),
        ({"ablations.dis": {}}, ["dis", "a method without training"]),
        ({"released.dis": {"weights": "matched"}}, ["dis", "a method without training"]),
        ({"train.phases": []}, ["train", "phases"]),
        ({"train.seeds": []}, ["train", "seeds", "distinct"]),
        ({"train.seeds": [7, 7]}, ["train", "seeds", "[7, 7]"]),
        ({"train.seeds": 7}, ["train.seeds", "list"]),
        ({"ablations.x": {"model": {"name": "rife"}}}, ["ablations.x.clip", "rife", "clip.frames: 3"]),
        ({"ablations.x": {"model": {"ifrnet": {"width": 3}}}}, ["ifrnet.width", "widths"]),
        ({"model.ifrnet.first_kernel": 4}, ["model.ifrnet", "first_kernel: 4"]),
        ({"model.flavr.inputs": 3}, ["model.flavr", "inputs: 3"]),
        ({"model.name": "lifd"}, ["model.name", "'lifd'"]),
        ({"clip.task": "extrapolate"}, ["clip.task", "interpolate"]),
        ({"ablations.x": {"clip": {"task": "predict"}}}, ["wholly in the past", "shift: 7"]),
        ({"ablations.x": {"clip": PREDICT | {"sampling": "uniform"}}}, ["sampling: dense"]),
        ({"ablations.x": {"clip": PREDICT | {"horizons": [1, 2]}}}, ["horizons: [1, 2]", "recurrent"]),
        ({"ablations.x": {"clip": PREDICT | {"mode": "arbitrary"}}}, ["horizons: [1]", "arbitrary"]),
        (
            {"ablations.x": {"clip": PREDICT | {"mode": "independent", "horizons": [5]}}},
            ["ablations.x", "clip.horizons: [5]", "clips.sets.train", "4 frames before"],
        ),
        (
            {"ablations.x": {"clip": PREDICT | {"mode": "independent", "horizons": [6]}}},
            ["horizons: [6]", "benchmarks.ucf101.horizons: 5"],
        ),
        (
            {"ablations.x": {"clip": PREDICT, "model": {"flow": "matching", "refinement": "aligned"}}},
            ["ablations.x.clip.task", "matching cannot predict", "flow: plain"],
        ),
        ({"ablations.x": {"clip": PREDICT, "model": {"name": "rife"}}}, CANNOT),
        ({"ablations.x": {"clip": PREDICT, "model": {"name": "flavr"}}}, CANNOT),
        (
            {"ablations.x": {"clip": {"task": "predict", "shift": 7}, "model": {"name": "ifrnet"}}},
            ["ifrnet takes frames at offsets -2, -1 alone", "clip.shift: 1", "take this window: lift"],
        ),
        ({"ablations.x": {"clip": PREDICT, "train": {"other_sampling": 0.5}}}, ["other_sampling", "set 0"]),
        ({"benchmarks.snu_film.horizons": 2}, ["benchmarks.snu_film", "uniform"]),
        ({"benchmarks.ucf101.horizons": 9}, ["ucf101.horizons: 9", "8 after", "clips.sets.ucf101"]),
        (
            {ASKED: [{"family": "a", "method": "lift15", "against": "shift0"}]},
            ["report.comparisons: shift0 is not a method of profile demo", "profiles.demo.methods"],
        ),
        (
            {ASKED: [{"family": "a", "method": "lift15", "against": "shift1"}]},
            ["report.comparisons.shift1", "'shift"],
        ),
        (
            {ASKED: [{"family": "a", "method": "lift15", "against": "ifrvp"}]},
            ["report.comparisons", "ifrvp predicts"],
        ),
        (
            {ASKED: [{"family": "a", "method": "lift15", "against": "last"}]},
            ["report.comparisons", "last predicts"],
        ),
        ({ASKED: []}, ["report", "at least one"]),
        ({ASKED: [WIDTH | {"against": "lift15"}]}, ["comparisons", "with itself"]),
        ({ASKED: [WIDTH | {"family": "a/b"}]}, ["comparisons", "family: 'a/b'"]),
        ({ASKED: [WIDTH, WIDTH]}, ["lift15 and ctx3 stand twice in family width"]),
        (
            {ASKED: [WIDTH, WIDTH | {"method": "ctx3", "against": "lift15"}]},
            ["ctx3 and lift15 stand twice"],
        ),
        (
            {ASKED: [WIDTH | {"method": "repeat"}]},
            ["report.comparisons", "repeat comes first", "it has no model"],
        ),
    ],
)
def test_a_mistake_is_named_by_its_key_in_one_line(params, changes, words):
    with pytest.raises(UserError) as error:
        load(params(changes), "demo", "lift15")
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {
                "clips.sets.train.sources": ["ucf101"],
                "methods": {"trained": ["ctx7"], "released": ["matched"], "baselines": ["average"]},
                "report.comparisons": [WIDTH | {"method": "matched", "against": "average"}],
            },
            ["clips.sets: train", "(ucf101) is given"],
        ),
        (
            {"clips.sets.train.sources": ["davis"], "sources.davis.path": "/mine"},
            ["clips.sets.davis.part: all", "training list of davis is learnt from"],
        ),
        ({"sources.scenes.render.camera.zoom": [0.1, 0.0]}, ["render.camera", "zoom: [0.1, 0.0]"]),
        ({"sources.scenes.render.camera.blur": 1}, ["render.camera.blur", "unknown"]),
    ],
)
def test_what_needs_footage_that_is_not_given_is_refused(params, changes, words):
    with pytest.raises(UserError) as error:
        load(params({f"profiles.study.{key}": value for key, value in changes.items()}), "study")
    assert all(word in str(error.value) for word in words), error.value


def test_an_entry_of_the_user_s_own_may_say_nothing(params):
    assert load(params({"ablations.lift15": None}), "demo", "lift15").clip.frames == 15
    assert load(params({"profiles.study.sources.mine": None}), "study").sources["mine"].path is None


def test_a_path_gives_an_optional_source(params):
    config = load(SOURCE, "study")
    assert (config.given("davis"), config.given("scenes")) == ((), ("scenes",))
    config = load(params({"profiles.study.sources.davis.path": "/mine"}), "study")
    assert config.given("davis") == ("davis",)


@pytest.mark.parametrize("profile", ["demo", "thesis", "study", "quarter"])
def test_cityscapes_rule_is_declared_and_needs_only_a_path(profile, params):
    rule = load(SOURCE, profile).clips.sets["cityscapes"]
    assert (rule.part, rule.before, rule.resize, rule.max_clips) == ("validation", 4, (512, 1024), 1)
    config = load(params({f"profiles.{profile}.sources.cityscapes.path": "/mine"}), profile)
    assert config.given("cityscapes") == ("cityscapes",)
    assert config.benchmarks["cityscapes"].horizons == 5


def test_the_past_is_all_of_a_predicting_window_and_two_frames_suffice_an_ifrnet(params):
    assert load(params({}), "demo", "lift15_past").clip.offsets == tuple(range(-14, 0))
    assert load(params({}), "thesis", "ifrvp").clip.offsets == (-2, -1)
    assert load(params({}), "demo", "lift15").clip.learnt == (1,)


def test_ifrvps_training_is_a_matter_of_parameters(params):
    """Seeds, ifrvp.md: 300 epochs, cosine from 1e-4 to 1e-5, batches of 12 per GPU."""
    phase = {"epochs": 300, "crop": [64, 64], "rate": 1e-4, "final_rate": 1e-5}
    train = {"batch": 12, "phases": [phase | {"encoder_scale": 1.0, "freeze": False, "thaw": 0}]}
    clip = PREDICT | {"mode": "arbitrary", "horizons": [1, 2, 3]}
    own = {"clip": clip, "model": {"name": "ifrnet"}, "train": train}
    config = load(params({"ablations.own": own}), "demo", "own")
    assert (config.train.phases[0].epochs, config.train.phases[0].final_rate) == (300, 1e-5)
    assert config.train.batch == 12


def test_freezing_without_weights_is_refused(params):
    with pytest.raises(UserError, match=r"model\.pretrained"):
        load(params({"profiles.thesis.model.pretrained": None}), "thesis", "lift15")


def test_unknown_profile_and_ablation_name_the_nearest():
    with pytest.raises(UserError, match="'thesis'"):
        load(SOURCE, "tesis")
    with pytest.raises(UserError, match="'no_s1'"):
        load(SOURCE, "demo", "nos1")


def test_windows_of_the_specification():
    assert window(8, 6, "dense") == (-8, -7, -6, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)
    assert window(1, 1, "dense") == (-1, 1)
    assert window(2, 2, "uniform") == (-3, -1, 1, 3)
    lift64 = window(32, 32, "uniform")
    assert (len(lift64), lift64[0], lift64[31], lift64[32], lift64[-1]) == (64, -63, -1, 1, 63)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("no", "no"),
        ("010", 10),
        ("0o10", 8),
        ("1.0e-3", 1e-3),
        ("true", True),
        ("~", None),
        ("12:30", "12:30"),
    ],
)
def test_scalars_are_read_as_yaml_1_2(tmp_path, text, value):
    path = tmp_path / "p.yaml"
    path.write_text(f"key: {text}\n")
    assert yaml12.read(path)["key"] == value


@pytest.mark.parametrize("text", ["a: [", "a: 1\na: 2\n", "- 1\n", ""])
def test_what_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=r"p\.yaml"):
        yaml12.read(path)
