"""Lay nested mappings over each other and turn them into frozen dataclasses.

What is unknown, mistyped or out of range is refused by its key's path. Which keys a section has is decided by
its place in `Config`, never by its name: a clip set may be called `train`. Fields carry their checks in
`dataclasses.field(metadata=...)`, made by lift/options.py.
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
_NAMES = {
    Mapping: "a mapping", list: "a list", int: "a whole number", float: "a number", bool: "true or false",
    str: "text",
}  # fmt: skip


class ParamsError(UserError):
    """A wrong value of params.yaml, by its key.

    Attributes:
        text: The message without the file's name.
    """

    def __init__(self, text: str) -> None:
        super().__init__(f"params.yaml: {text}")
        self.text = text


def build(kind: type[T], value: object, path: str) -> T:
    """Build `kind`, a dataclass, from what params.yaml holds at the dotted key `path` (empty: the top).

    Raises:
        ParamsError: Unknown or missing key, wrong type, value out of range, or the class' own `__post_init__`
        objects (by a ValueError).
    """
    values = _of_kind(Mapping, value, path)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        check_known(str(key), fields, path)
    hints = _hints(typing.cast(Any, kind))
    arguments = {}
    for name, field in fields.items():
        where = f"{path}.{name}".lstrip(".")
        if name not in values:
            raise ParamsError(f"{where}: missing; every key must be given a value")
        arguments[name] = _convert(hints[name], values[name], where, field.metadata)
    try:
        return kind(**arguments)
    except ValueError as error:
        raise ParamsError(f"{path}: {error}") from error


@functools.cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def lay(
    base: Mapping[str, Any],
    over: Mapping[str, Any],
    kind: Any,
    path: str,
    defaults: Mapping[Any, Mapping[str, Any]] = types.MappingProxyType({}),
) -> dict[str, Any]:
    """Return `base` overridden by `over`, both values of type `kind`.

    Args:
        base: Plain values; never changed.
        over: What differs.
        kind: A dataclass, whose fields are the only keys; or dict[str, X], of the user's own names.
        path: Dotted key of `over`, for messages.
        defaults: By dataclass, what its sections have where they say nothing.

    Raises:
        ParamsError: A key is unknown, or a section no mapping.
    """
    result = dict(base)
    for key, value in over.items():
        where, inner = f"{path}.{key}".lstrip("."), _kind_of(kind, str(key), path)
        named = dataclasses.is_dataclass(inner) and typing.get_origin(kind) is dict
        if value is None and named and key not in result:
            value = {}  # a new entry of the user's own that says nothing
        section = dataclasses.is_dataclass(inner) or typing.get_origin(inner) is dict
        if named or (section and value is not None):
            old = result.get(key)
            old = defaults.get(inner, {}) if old is None else old
            value = lay(old, _of_kind(Mapping, value, where), inner, where, defaults)
        result[key] = value
    return result


def _kind_of(kind: Any, key: str, path: str) -> Any:
    """Return the type of the value at `key` of a section of type `kind`."""
    if typing.get_origin(kind) is dict:
        return _stripped(typing.get_args(kind)[1])
    check_known(key, [field.name for field in dataclasses.fields(kind)], path)
    return _stripped(_hints(kind)[key])


def _stripped(kind: Any) -> Any:
    """Return X of `X | None`."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = [argument for argument in typing.get_args(kind) if argument is not type(None)]
    return kind


def check_known(key: str, known: typing.Iterable[str], path: str, what: str = "unknown key") -> None:
    """Refuse a key, or a name that stands in a list, that is not among `known`; tell the nearest one that is.

    `path` is the dotted key of the section or list; `what`, what is wrong with another one.

    Raises:
        ParamsError: It is none of them.
    """
    names = sorted(set(known))
    if key not in names:
        raise ParamsError(f"{f'{path}.{key}'.lstrip('.')}: {what}; {nearest(key, names)}")


def nearest(name: str, known: typing.Sequence[str]) -> str:
    """Return what to say of a name that is none of `known`: the nearest of them, or all."""
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"


def _convert(kind: Any, value: object, path: str, checks: Mapping[str, Any]) -> Any:
    """Convert `value` to the annotated type `kind`."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return None if value is None else _convert(_stripped(kind), value, path, checks)
    if dataclasses.is_dataclass(kind):
        return build(typing.cast(type[Any], kind), value, path)
    if origin is dict:
        values = _of_kind(Mapping, value, path)
        return {str(k): _convert(args[1], v, f"{path}.{k}", checks) for k, v in values.items()}
    if origin is tuple:
        found = _of_kind(list, value, path)
        kinds = args[:1] * len(found) if args[-1] is ... else args
        if len(kinds) != len(found):
            raise ParamsError(f"{path}: expected {len(args)} values, found {len(found)}")
        pairs = enumerate(zip(kinds, found, strict=True))
        return tuple(_convert(inner, one, f"{path}[{i}]", checks) for i, (inner, one) in pairs)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    return _checked(_of_kind(str if origin is typing.Literal else kind, value, path), path, checks)


def _of_kind(kind: Any, value: object, path: str) -> Any:
    """Return a value that has the type `kind`, one of `_NAMES`; a bool is no whole number."""
    if isinstance(value, kind) and (kind is bool or not isinstance(value, bool)):
        return value
    shown = f"{value!r} ({'nothing' if value is None else type(value).__name__})"
    raise ParamsError(f"{path or 'the file'}: expected {_NAMES[kind]}, found {shown}")


def _checked(value: Any, path: str, checks: Mapping[str, Any]) -> Any:
    """Return a scalar that lies in its range, or is one of its choices."""
    if isinstance(value, float | int):
        least, most = checks.get("least"), checks.get("most")
        # NaN, which is not even equal to itself, lies in no range.
        if value != value or (least is not None and value < least) or (most is not None and value > most):
            span = f"{'…' if least is None else least} to {'…' if most is None else most}"
            raise ParamsError(f"{path}: {value} is out of range ({span})")
        odd = checks.get("odd")
        if odd is not None and value % 2 != odd:
            is_, wanted = ("even", "an odd") if odd else ("odd", "an even")
            raise ParamsError(f"{path}: {value} is {is_}; expected {wanted} number")
    elif "choices" in checks and value not in checks["choices"]:
        raise ParamsError(f"{path}: {value!r} is not known; {nearest(value, checks['choices'])}")
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
    trees = (folder for folder in here.parents if folder.parts[-3:] == EXPERIMENTS)
    return next((folder.parents[2] for folder in trees), here)
