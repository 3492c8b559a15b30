"""Compare two texts that hold numbers: the words must be equal, the numbers may differ by a tolerance."""

import re
from dataclasses import dataclass

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w])")


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


def compare(path: str, old: bytes, new: bytes | None, absolute: float, relative: float) -> Difference | None:
    """Compare a committed file with its rebuilt version.

    Args:
        path: For the answer.
        old: The committed bytes.
        new: The rebuilt bytes; None: the file was not rebuilt.
        absolute: Numbers may differ by this much …
        relative: … plus this share of the committed number.

    Returns:
        None where the bytes are equal.
    """
    if new is None:
        return Difference(path, "not rebuilt", float("inf"), False)
    if old == new:
        return None
    try:
        old_text, new_text = old.decode(), new.decode()
    except UnicodeDecodeError:
        return Difference(path, "other bytes", float("inf"), False)
    if _NUMBER.sub("#", old_text) != _NUMBER.sub("#", new_text):
        return Difference(path, "other words or another number of rows", float("inf"), False)
    pairs = [
        (float(a), float(b))
        for a, b in zip(_NUMBER.findall(old_text), _NUMBER.findall(new_text), strict=True)
    ]
    different = [(a, b) for a, b in pairs if a != b]
    outside = [(a, b) for a, b in different if abs(a - b) > absolute + relative * abs(a)]
    what = f"{len(different)} of {len(pairs)} numbers differ, {len(outside)} beyond the tolerance"
    return Difference(path, what, max((abs(a - b) for a, b in different), default=0.0), not outside)
