"""What the report says in words: the templates of texts.yaml, filled in with what was found."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lift.config import yaml12
from lift.report.names import number, number_of, times

HERE = Path(__file__).parent


@cache
def read(name: str) -> Any:
    """Return what a YAML file beside this module holds."""
    return yaml12.read(HERE / name)


def part(name: str) -> Any:
    """Return a part of texts.yaml."""
    return read("texts.yaml")[name]


@cache
def environment(escaped: bool) -> Environment:
    """Return the environment of HTML templates (`escaped`) or of plain text; a name not given is an error."""
    found = Environment(
        loader=FileSystemLoader(HERE / "page"),
        # Not `select_autoescape()`: that goes by the file's suffix, and ours is .j2.
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= part("phrases") | {
        "number": number,
        "number_of": number_of,
        "times": times,
    }
    return found


@cache
def _template(text: str) -> Template:
    return environment(escaped=False).from_string(text)


def lines(texts: Iterable[str], **words: Any) -> list[str]:
    """Return the lines of templates filled in; runs of blanks are one, and empty lines are left out."""
    filled = [line for text in texts for line in _template(text).render(words).splitlines()]
    return [" ".join(line.split()) for line in filled if line.strip()]


def fill(text: str, **words: Any) -> str:
    """Return a template of one line filled in."""
    return " ".join(lines([text], **words))
