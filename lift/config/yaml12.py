"""Read params.yaml with the library, and so the rules, of DVC: YAML 1.2.

In YAML 1.1, which PyYAML reads, `1e-3` is text, `no` is False and `010` is 8 (specification section 10.1).
"""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from lift.errors import UserError


def read(path: Path) -> dict[str, object]:
    """Read a YAML file whose top is a mapping; a key that stands twice is refused.

    Raises:
        UserError: The file is missing, is not YAML, or its top is no mapping.
    """
    try:
        value = _parsed(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run from the repository's top folder") from error
    except (YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {_reason(error)}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected keys and values, found {type(value).__name__}")
    return deepcopy(value)


@lru_cache(maxsize=4)  # most of the time of loading a profile, and a process loads several, or one again
def _parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def _reason(error: Exception) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        problem = str(error.problem).partition(" with value ")[
            0
        ]  # of a key that stands twice: not its values
        return f"line {error.problem_mark.line + 1}: {' '.join(problem.split())}"
    return " ".join(str(error).split())
