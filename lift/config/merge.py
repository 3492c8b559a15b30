"""Lay overrides upon defaults, section by section; a key that no section has is refused by its path.

Which keys a section has is decided by its place in `Config`, never by its name: a clip set may be called
`train`.
"""

import dataclasses
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any

from lift.config.parse import check_known


def lay(base: Mapping[str, Any], over: Mapping[str, Any] | None, kind: Any, path: str) -> dict[str, Any]:
    """Return `base` overridden by `over`, both values of type `kind`.

    Args:
        base: Plain values; never changed.
        over: What differs; None: nothing.
        kind: A dataclass, whose fields are the only keys; or dict[str, X], of the user's own names.
        path: Dotted key of `over`, for messages.

    Raises:
        UserError: A key is unknown.
    """
    result = dict(base)
    for key, value in (over or {}).items():
        inner = kind_of(kind, str(key), path)
        if isinstance(value, Mapping) and _section(inner):
            old = result.get(key)
            result[key] = lay(
                old if isinstance(old, Mapping) else {}, value, inner, f"{path}.{key}".lstrip(".")
            )
        else:
            result[key] = value
    return result


def kind_of(kind: Any, key: str, path: str) -> Any:
    """Return the type of the value at `key` of a section of type `kind`.

    Raises:
        UserError: The section has no such key.
    """
    if typing.get_origin(kind) is dict:
        return _stripped(typing.get_args(kind)[1])
    hints = _hints(kind)
    check_known(key, hints, path)
    return _stripped(hints[key])


def _section(kind: Any) -> bool:
    return dataclasses.is_dataclass(kind) or typing.get_origin(kind) is dict


def _stripped(kind: Any) -> Any:
    """Return X of `X | None`."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = [argument for argument in typing.get_args(kind) if argument is not type(None)]
    return kind


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
