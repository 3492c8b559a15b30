"""Read params.yaml as DVC does: PyYAML's safe loader taught YAML 1.2's scalars.

DVC reads with ruamel.yaml (YAML 1.2), PyYAML with YAML 1.1, and the two differ where it hurts: `1e-3` is a
number in 1.2 and
text in 1.1, `no` is text in 1.2 and False in 1.1, `010` is 10 in 1.2 and 8 in 1.1 (specification
section 10.1).
"""

import re
from pathlib import Path

import yaml

from lift.errors import UserError


class Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the scalar rules of the YAML 1.2 core schema, and duplicate keys refused."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 -- PyYAML's own shape

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
        """Build a mapping, refusing a key that stands twice: PyYAML would silently keep the last."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep=deep)

    def construct_int(self, node: yaml.ScalarNode) -> int:
        """Read 10, 010 (ten), 0x10 and 0o10."""
        text = str(node.value).replace("_", "")
        for prefix, base in (("0x", 16), ("0o", 8)):
            if text.lower().startswith(prefix):
                return int(text, base)
        return int(text)


_RULES = [
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
]
for _tag, _pattern, _first in _RULES:
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))
Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_int)


def read(path: Path) -> dict[str, object]:
    """Read a YAML file whose top is a mapping.

    Raises:
        UserError: The file is missing, is not YAML, or its top is no mapping.
    """
    try:
        value = yaml.load(path.read_text(encoding="utf-8"), Loader)
    except FileNotFoundError as error:
        raise UserError(f"{path}: not found; run from the repository's top folder") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(value, dict):
        raise UserError(f"{path}: expected keys and values, found {type(value).__name__}")
    return value
