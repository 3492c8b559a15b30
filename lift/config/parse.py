"""Lay nested mappings over each other and turn them into frozen dataclasses.

What is unknown, mistyped or out of range is refused by its key's path. Which keys a section has is decided by
its place in `Config`, never by its name: a clip set may be called `train`.

Fields carry their checks in `dataclasses.field(metadata=...)`, made by lift/options.py.
"""

import dataclasses
import difflib
import functools
import os
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from lift.errors import UserError

T = TypeVar("T")
EXPERIMENTS = (".dvc", "tmp", "exps")


def build(kind: type[T], value: object, path: str) -> T:
    """Build `kind`, a dataclass, from a mapping.

    Args:
        kind: A dataclass whose fields are all required.
        value: What params.yaml holds at `path`.
        path: Dotted key, for messages; empty at the top.

    Raises:
        UserError: Unknown or missing key, wrong type, value out of range, or the class' own `__post_init__`
        objects.
    """
    if not isinstance(value, Mapping):
        raise UserError(f"params.yaml: {path or 'the file'}: expected a mapping, found {_shown(value)}")
    fields = {f.name: f for f in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in value:
        check_known(str(key), fields, path)
    hints = _hints(typing.cast(Any, kind))
    arguments = {}
    for name, field in fields.items():
        where = f"{path}.{name}".lstrip(".")
        if name not in value:
            raise UserError(f"params.yaml: {where}: missing; every key must be given a value")
        arguments[name] = convert(hints[name], value[name], where, field.metadata)
    try:
        return kind(**arguments)
    except ValueError as error:
        raise UserError(f"params.yaml: {path}: {error}") from error


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


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
        inner, old = _kind_of(kind, str(key), path), result.get(key)
        section = dataclasses.is_dataclass(inner) or typing.get_origin(inner) is dict
        if section and isinstance(value, Mapping):
            value = lay(old if isinstance(old, Mapping) else {}, value, inner, f"{path}.{key}".lstrip("."))
        result[key] = value
    return result


def _kind_of(kind: Any, key: str, path: str) -> Any:
    """Return the type of the value at `key` of a section of type `kind`.

    Raises:
        UserError: The section has no such key.
    """
    if typing.get_origin(kind) is dict:
        return _stripped(typing.get_args(kind)[1])
    hints = _hints(kind)
    check_known(key, [field.name for field in dataclasses.fields(kind)], path)
    return _stripped(hints[key])


def _stripped(kind: Any) -> Any:
    """Return X of `X | None`."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = [argument for argument in typing.get_args(kind) if argument is not type(None)]
    return kind


def check_known(key: str, known: typing.Iterable[str], path: str) -> None:
    """Refuse a key that is not among `known`, naming the nearest one that is.

    Raises:
        UserError: The key is unknown.
    """
    names = list(known)
    if key in names:
        return
    near = difflib.get_close_matches(key, names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(sorted(names)) or 'none'}"
    raise UserError(f"params.yaml: {f'{path}.{key}'.lstrip('.')}: unknown key; {hint}")


def convert(kind: Any, value: object, path: str, checks: Mapping[str, Any]) -> Any:
    """Convert `value` to the annotated type `kind`.

    Raises:
        UserError: Wrong type or out of range.
    """
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        kind = str
    if origin in (types.UnionType, typing.Union):
        return None if value is None else convert(_stripped(kind), value, path, checks)
    if origin is tuple:
        return _convert_list(args, value, path, checks)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise UserError(f"params.yaml: {path}: expected a mapping, found {_shown(value)}")
        return {str(k): convert(args[1], v, f"{path}.{k}", checks) for k, v in value.items()}
    if dataclasses.is_dataclass(kind):
        return build(typing.cast(type[Any], kind), value, path)
    return _convert_scalar(kind, value, path, checks)


def _convert_list(
    args: tuple[Any, ...], value: object, path: str, checks: Mapping[str, Any]
) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise UserError(f"params.yaml: {path}: expected a list, found {_shown(value)}")
    if len(args) == 2 and args[1] is ...:
        kinds = [args[0]] * len(value)
    elif len(args) == len(value):
        kinds = list(args)
    else:
        raise UserError(f"params.yaml: {path}: expected {len(args)} values, found {len(value)}")
    return tuple(
        convert(k, v, f"{path}[{i}]", checks) for i, (k, v) in enumerate(zip(kinds, value, strict=True))
    )


def _convert_scalar(kind: type, value: object, path: str, checks: Mapping[str, Any]) -> object:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise UserError(
            f"params.yaml: {path}: expected {_NAMES.get(kind, kind.__name__)}, found {_shown(value)}"
        )
    if isinstance(value, float | int) and not isinstance(value, bool):
        least, most = checks.get("least"), checks.get("most")
        if value != value or (least is not None and value < least) or (most is not None and value > most):
            span = f"{'…' if least is None else least} to {'…' if most is None else most}"
            raise UserError(f"params.yaml: {path}: {value} is out of range ({span})")
    if isinstance(value, str) and "choices" in checks and value not in checks["choices"]:
        near = difflib.get_close_matches(value, checks["choices"], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(checks['choices'])}"
        raise UserError(f"params.yaml: {path}: {value!r} is not known; {hint}")
    return value


def place(path: str) -> Path:
    """Return a path that a user wrote, with the home folder in the place of `~` or `~name`, as a shell does.

    An unknown user's stays as it is, and then is not there. A relative one is looked for in the checkout as
    well, where this is an experiment's tree (`home`).
    """
    found = Path(os.path.expanduser(path))  # noqa: PTH111 -- pathlib's raises RuntimeError for an unknown user
    return found if found.exists() or not (home() / found).exists() else home() / found


def home() -> Path:
    """Return the checkout, also where this runs in the tree that `dvc exp run --queue` or `--temp` makes.

    Such a tree lies below the checkout's .dvc/tmp/exps, has what git tracks and DVC caches, and is removed in
    the end. What is to be found again, or to survive, lies in the checkout: raw footage, downloads, weights
    that git ignores, live checkpoints.
    """
    here = Path.cwd()
    for folder in here.parents:
        if folder.parts[-3:] == EXPERIMENTS:
            return folder.parents[2]
    return here


_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}


def _shown(value: object) -> str:
    return f"{value!r} ({'nothing' if value is None else type(value).__name__})"
