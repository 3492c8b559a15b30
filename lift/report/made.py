"""Results of the configuration that params.yaml has now, and of no other.

Evaluation leaves beside its results what decided them (made_from.json, as the stage `resolve` wrote it). A
report of some methods with one configuration and others with another would compare what is not alike.
"""

from collections.abc import Mapping
from pathlib import Path

from lift.config import Config
from lift.config.resolved import evaluate, first_difference
from lift.errors import UserError
from lift.report.reading import read_json

FILE = "made_from.json"
WEIGHTS = Path("weights")


def check_made(config: Config, configs: Mapping[str, Config], data: Path, weights: Path = WEIGHTS) -> None:
    """Refuse results that were made from another configuration than today's.

    Args:
        config: The profile's, without a method.
        configs: Those of its methods that have a model.
        data: data/<profile>.
        weights: The folder of released weights.

    Raises:
        UserError: There are no results at all; or some are of another configuration, and the first key that
            differs, with both values, says which.
    """
    measured = [name for name in config.methods if (data / "results" / name / "clips.csv").is_file()]
    if not measured:
        raise UserError(
            f"{data / 'results'}: nothing is measured yet, so there is nothing to report; run `make repro`"
        )
    for name in measured:
        path = data / "results" / name / FILE
        difference = first_difference(read_json(path), evaluate(configs.get(name, config), name, weights))
        if difference is not None:
            raise UserError(
                f"{path.parent}: made from another configuration than today's: {difference}; run `dvc "
                "repro`, or set params.yaml back"
            )
