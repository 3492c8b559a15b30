"""Compare two texts that hold numbers: the words must be equal, the numbers may differ by a tolerance."""

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


@dataclass(frozen=True)
class Tolerance:
    """How far a number may lie from the committed one.

    Attributes:
        absolute: By this much ...
        relative: ... plus this share of the committed number.
        metrics: By this much alone, in place of both, where the number is of that metric, on its own scale.
    """

    absolute: float = 0.0
    relative: float = 0.0
    metrics: Mapping[str, float] = field(default_factory=dict)

    def of(self, label: str, value: float) -> float:
        """Return the tolerance of a number.

        Args:
            label: What it is, in words: a table's column and row's metric, or a JSON file's keys.
            value: The committed number.
        """
        words = re.split(r"[^a-z0-9]+", label.lower().replace("_", " "))
        for metric, most in self.metrics.items():
            if metric in words:
                return most
        return self.absolute + self.relative * abs(value)


EXACT = Tolerance()


@dataclass(frozen=True)
class Difference:
    """How a rebuilt file differs from the committed one.

    Attributes:
        path: The file.
        what: In words.
        largest: Largest absolute difference of two numbers, where all words agree.
        within: Whether all numbers agree within the tolerance.
    """

    path: str
    what: str
    largest: float
    within: bool


def compare(path: str, old: bytes, new: bytes | None, tolerance: Tolerance) -> Difference | None:
    """Compare a committed file with its rebuilt version.

    Args:
        path: For the answer; its suffix tells a table (.csv) and keys with values (.json).
        old: The committed bytes.
        new: The rebuilt bytes; None: the file was not rebuilt.
        tolerance: How far numbers may lie apart.

    Returns:
        None where the bytes are equal.
    """
    if new is None:
        return Difference(path, "not rebuilt", float("inf"), False)
    if old == new:
        return None
    try:
        before, after = list(_pieces(path, old.decode())), list(_pieces(path, new.decode()))
    except UnicodeDecodeError:
        return Difference(path, "other bytes", float("inf"), False)
    if [(label, _words(text)) for label, text in before] != [(label, _words(text)) for label, text in after]:
        return Difference(path, "other words or another number of rows", float("inf"), False)
    pairs = [
        (label, float(a), float(b))
        for (label, was), (_, is_) in zip(before, after, strict=True)
        for a, b in zip(_NUMBER.findall(was), _NUMBER.findall(is_), strict=True)
    ]
    different = [(label, a, b) for label, a, b in pairs if a != b]
    outside = [label for label, a, b in different if abs(a - b) > tolerance.of(label, a)]
    what = f"{len(different)} of {len(pairs)} numbers differ, {len(outside)} beyond the tolerance"
    if outside:
        what += f" (first: {outside[0].strip() or 'in the text'})"
    return Difference(path, what, max((abs(a - b) for _, a, b in different), default=0.0), not outside)


def _words(text: str) -> str:
    return _NUMBER.sub("#", text)


def _pieces(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Split a file into (what it is about, text)."""
    if path.endswith(".csv"):
        rows = list(csv.reader(text.splitlines()))
        names = rows[0] if rows else []
        yield "", ",".join(names)
        metric = names.index("metric") if "metric" in names else None
        for row in rows[1:]:
            about = row[metric] if metric is not None and metric < len(row) else ""
            for place, cell in enumerate(row):
                yield f"{names[place] if place < len(names) else place} {about}", cell
        return
    try:
        value = json.loads(text, parse_float=str, parse_int=str) if path.endswith(".json") else text
    except ValueError:
        value = text
    yield from _flat("", value)


def _flat(label: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{label} {key}", inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(label, inner)
    else:
        yield label, str(value)
