"""What the report says in words: names, numbers as shown, and the templates of texts.yaml, filled in."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lift.config import yaml12

HERE = Path(__file__).parent
DIFFICULTIES = ("easy", "medium", "hard", "extreme")
"""Kinds of SNU-FILM, from the smallest gap to the widest."""
CONTROL = "plain"
"""The stratum of `scenes` with none of the four properties of the claim in specification section 1."""
STRATA = (CONTROL, "occlusion", "fast_motion", "repetition", "lighting")
JUDDER = "judder"
"""The stratum of real videos in which frames repeat while the scene moves; the others' kind is empty."""
TWO_FRAMES = "†"
"""Sign behind the name of a method that sees the two references at most."""
NONE = "–"
"""Shown where there is nothing to measure."""
MISSING = "missing"
"""Shown where nothing was measured yet."""


@dataclass(frozen=True)
class Metric:
    """One column of clips.csv."""

    key: str
    title: str
    unit: str
    """Empty: none."""
    better: int
    """+1: higher is better; -1: lower is."""
    digits: int
    """Decimals that a reader is shown."""

    @property
    def arrow(self) -> str:
        """Direction of better."""
        return "↑" if self.better > 0 else "↓"

    @property
    def named(self) -> str:
        """Title and unit."""
        return self.title + (f" ({self.unit})" if self.unit else "")

    @property
    def gain(self) -> str:
        """Name of an axis or column on which larger is better for the method named first."""
        return f"gain in {self.named}"


METRICS = {
    metric.key: metric
    for metric in (
        Metric("psnr", "PSNR", "dB", 1, 2),
        Metric("ssim", "SSIM", "", 1, 4),
        Metric("ssim_matlab", "SSIM (MATLAB-like)", "", 1, 4),
        Metric("lpips", "LPIPS", "", -1, 4),
        Metric("ie", "IE", "0–255", -1, 2),
        Metric("ie_rms", "IE (RMS)", "0–255", -1, 2),
        Metric("ie_edges", "Error at edges", "0–255", -1, 2),
        Metric("ie_occluded", "Error where occluded", "0–255", -1, 2),
        Metric("warping", "Warping error", "0–255", -1, 2),
        Metric("epe", "EPE", "px", -1, 3),
    )
}
"""By column name."""


def words(name: str) -> str:
    """Turn an identifier such as `fast_motion` into words; the kind of a video without judder is empty."""
    return name.replace("_", " ") or "even motion"


def number_of(count: int, thing: str) -> str:
    """Write a count with its noun, for example `1 source video` or `3 source videos`."""
    return f"{count} {thing}{'' if count == 1 else 's'}"


def times(count: int) -> str:
    """Say how often."""
    return "once" if count == 1 else f"{count} times"


def listing(parts: Sequence[str]) -> str:
    """Join parts as in a sentence; nothing of none."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def number(value: float, digits: int, signed: bool = False) -> str:
    """Write a number for readers, with a true minus sign; a dash for NaN, the word none for infinity."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "none"
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return (text.lstrip("+-") if float(text) == 0 else text).replace("-", "−")


def interval(low: float, high: float, digits: int, signed: bool = False) -> str:
    """Write the ends of an interval."""
    return f"[{number(low, digits, signed)}, {number(high, digits, signed)}]"


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
        loader=FileSystemLoader([HERE / "page", HERE / "tables"]),
        # Not `select_autoescape()`: that goes by the file's suffix, and ours is .j2.
        autoescape=escaped,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals |= part("phrases") | {"number": number, "number_of": number_of, "times": times}
    found.globals["interval"] = interval
    found.filters |= {"md": markdown, "latex": latex}
    return found


def render(name: str, **words: Any) -> str:
    """Return a template file of page/ or tables/ filled in; values are escaped in one of HTML alone."""
    return environment(escaped=name.endswith(".html.j2")).get_template(name).render(words)


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


def markdown(text: str) -> str:
    """Escape text for Markdown."""
    return "".join(f"\\{character}" if character in "\\|*_`<>" else character for character in text)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "≤": r"$\leq$", "≥": r"$\geq$",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$", "α": r"$\alpha$", "Σ": r"$\Sigma$", "–": "--", "…": r"\ldots{}",
    "†": r"$\dagger$", "“": "``", "”": "''",
}  # fmt: skip


def latex(text: str) -> str:
    """Escape text for LaTeX, character by character so that no replacement is replaced again.

    Raises:
        ValueError: A character outside ASCII has no replacement here; a document would not compile.
    """
    escaped = "".join(_LATEX.get(character, character) for character in text)
    if not escaped.isascii():
        raise ValueError(f"no LaTeX for {sorted(c for c in set(escaped) if not c.isascii())} in {text!r}")
    return escaped
