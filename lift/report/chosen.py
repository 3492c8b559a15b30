"""The few numbers that `dvc exp show` and `dvc metrics diff` list: one for a method and benchmark."""

from collections.abc import Mapping
from pathlib import Path

from lift.config import Config
from lift.config.abilities import predicts
from lift.files import write_json
from lift.report.reading import read_json

SCENES = "scenes"


def write_chosen(path: Path, config: Config, configs: Mapping[str, Config], data: Path) -> None:
    """Write the mean PSNR (dB) of chosen methods where the question is asked, and on scenes.

    Chosen are those of the methods trained here that the declared comparisons name; all of them, where these
    name none.

    Args:
        path: The JSON file: method -> benchmark -> PSNR; of prediction that of the next frame.
        config: The profile's, without a method.
        configs: Those of its methods that have a model.
        data: data/<profile>.

    Raises:
        UserError: A file of results is broken, or the disk is full.
    """
    named = {name for c in config.report.comparisons for name in (c.method, c.against)}
    methods = [name for name in config.ablations if name in named] or config.ablations
    found: dict[str, dict[str, float]] = {}
    for name in methods:
        means = data / "results" / name / "metrics.json"
        if not means.is_file():
            continue
        stated, key = read_json(means), "psnr_1" if predicts(configs[name], name) else "psnr"
        benchmarks = dict.fromkeys((config.report.benchmark, SCENES))
        found[name] = {b: round(stated[b][key], 3) for b in benchmarks if key in stated.get(b, {})}
    write_json(path, found, sort=False)
