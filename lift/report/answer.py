"""Sentences generated from the tests: what was asked, what the numbers say, and whether they can say it.

Nothing here is written by hand for one outcome: a comparison that comes out against the hypothesis is told in
the same words. "Temporal shift" is read in two ways, and H0 is judged apart for each: by the width of the
window, and by where in it the missing frame sits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from lift.report import texts
from lift.report.comparisons import BETTER, NONE, POSITION, WIDTH, WORSE, gated
from lift.report.names import listing, number, number_of
from lift.report.results import Results


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The report's first lines."""

    question: str
    headline: Sequence[str]
    """One sentence for each reading of the question."""
    bounds: Sequence[str]
    """What stands against taking it further: few videos, stand-ins, models without a verdict, kept rows."""
    pico: Mapping[str, str]
    method: str
    """How the verdicts were reached."""


def answer(results: Results, verdicts: pd.DataFrame) -> Answer:
    """Write the answer from the verdicts on the population that is asked about."""
    own = verdicts[verdicts["benchmark"] == results.config.report.benchmark]
    told = [_sentence(results, own[own["reading"] == about], about) for about in (WIDTH, POSITION)]
    written, kept = texts.part("answer"), [results.title(name) for name in results.kept]
    words = {
        "results": results,
        "report": results.config.report,
        "absent": [results.title(name) for name in results.absent if name not in results.kept],
        "kept": listing(kept),
        "gated": gated(results),
    }
    return Answer(
        question=written["question"],
        headline=[sentence for sentence in told if sentence] or [texts.fill(written["nothing"], **words)],
        bounds=texts.lines(written["bounds"], **words),
        pico={name: texts.fill(text, **words) for name, text in written["pico"].items()},
        method=texts.fill(written["method"], **words),
    )


def _sentence(results: Results, verdicts: pd.DataFrame, about: str) -> str:
    """Write one sentence of everything that was declared about one reading."""
    rows = verdicts.to_dict("records")
    # What is given no verdict is told below; where nothing is given one, this says why.
    rows = [row for row in rows if not row["verdict"].startswith("not judged")] or rows
    if not rows or rows[0]["verdict"].startswith("not judged"):
        return f"{about.capitalize()}: {rows[0]['verdict']}." if rows else ""
    parts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        mean, low, high = (
            number(v, 2, True) for v in (row["effect"].mean, row["effect"].low, row["effect"].high)
        )
        gain = f"{results.called(row['against'])} ({mean} dB [{low}, {high}])"
        parts.setdefault((results.called(row["method"]), row["verdict"]), []).append(gain)
    clauses = [_CLAUSES.get(v, "{} against {} is " + v).format(m, listing(a)) for (m, v), a in parts.items()]
    found = {row["verdict"] for row in rows}
    if any(" in " in v for v in found) or {BETTER, WORSE} <= found:
        word = "the outcomes are mixed"
    elif BETTER in found:
        word = "H0 is rejected" + (", but not against every comparison" if len(found) > 1 else "")
    else:
        word = "H0 is not rejected"
    asked = rows[0]["benchmark"]
    footage = "rendered stand-ins, " if results.stand_in(asked) else ""
    videos = number_of(max(row["effect"].n for row in rows), "video")
    return (
        f"{about.capitalize()}: {word}; on {results.title(asked)} ({footage}{videos}) {'; '.join(clauses)}."
    )


_CLAUSES = {
    BETTER: "{} is better than {}",
    WORSE: "{} is worse than {}",
    NONE: "no difference is shown between {} and {}",
}
