"""The page: question and answer first, then figures and tables, then how they were made.

The answer's sentences are generated from the tests, in the same words whatever comes out. "Temporal shift" is
read in two ways, and H0 is judged apart for each: by the width of the window, and by where in it the missing
frame sits.

No commit is named: the report is committed with its results, so its bytes cannot hold their commit's name.
Hashes of the parameters and of the report's code stand in its place; dvc.lock holds those of all stages.
"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from lift.environment import describe as describe_environment
from lift.report import texts
from lift.report.comparisons import BETTER, NONE, POSITION, WIDTH, WORSE, Findings, gated
from lift.report.figures.style import Drawing
from lift.report.reading import MEASURED
from lift.report.results import Results
from lift.report.tables.table import Table, to_markdown
from lift.report.texts import interval, listing, number, number_of

FIRST = ("comparisons", "strip_scenes_middle")
"""Figures that stand beside the answer."""
CODE = Path("resolved/code/report.json")
"""Below data/<profile>: digests of the files that make a report, as the stage `resolve` wrote them."""
_READ = ("clips.csv", "metrics.json", "protocol.json", "made_from.json", "alpha.csv", "probes.csv")
_SECTIONS = ("clip", "model", "loss", "train", "evaluate", "report", "benchmarks", "clips")
_OTHERS = ("profile", "method", "seed", "sources", "baselines", "ablations", "released")
_CLAUSES = {
    BETTER: "{} is better than {}",
    WORSE: "{} is worse than {}",
    NONE: "no difference is shown between {} and {}",
}


def write(found: Findings, tables: Sequence[Table], drawings: Sequence[Drawing], folder: Path) -> None:
    """Write index.html and summary.md into `folder`, beside the tables and figures that they show."""

    def chosen(section: Mapping[str, Any], key: str) -> list[Any]:
        """List what belongs to a part of the page, by the start of its name."""
        things = [one for one in drawings if one.name not in FIRST] if key == "figures" else tables
        return [one for one in things if one.name.startswith(tuple(section.get(key, ())))]

    parts = [
        (section, *(chosen(section, key) for key in ("figures", "tables", "folded")))
        for section in texts.part("sections")
    ]
    words = {
        "results": found.results,
        "answer": answer(found.results, found.verdicts),
        "first": [drawing for name in FIRST for drawing in drawings if drawing.name == name],
        "parts": [part for part in parts if any(part[1:])],
        "made": made(found.results, found.predicted.methods),
        "shown": [to_markdown(table) for table in tables if table.name.startswith(("verdicts", "gain_"))],
    }
    for name in ("index.html", "summary.md"):
        (folder / name).write_text(texts.render(f"{name}.j2", **words), encoding="utf-8")


def answer(results: Results, verdicts: pd.DataFrame) -> dict[str, Any]:
    """Write the report's first lines from the verdicts on the population that is asked about.

    Returns:
        `question`; `headline`, one sentence for each reading of it; `bounds`, what stands against taking it
        further (few videos, stand-ins, models without a verdict, kept rows); `pico`; and `method`, how the
        verdicts were reached.
    """
    own = verdicts[verdicts["benchmark"] == results.config.report.benchmark]
    told = [_sentence(results, own[own["reading"] == about], about) for about in (WIDTH, POSITION)]
    written = texts.part("answer")
    words = {
        "results": results,
        "report": results.config.report,
        "absent": [results.title(name) for name in results.absent if name not in results.kept],
        "kept": listing([results.title(name) for name in results.kept]),
        "gated": gated(results),
    }
    return {
        "question": written["question"],
        "headline": [sentence for sentence in told if sentence] or [texts.fill(written["nothing"], **words)],
        "bounds": texts.lines(written["bounds"], **words),
        "pico": {name: texts.fill(text, **words) for name, text in written["pico"].items()},
        "method": texts.fill(written["method"], **words),
    }


def _sentence(results: Results, verdicts: pd.DataFrame, about: str) -> str:
    """Write one sentence of everything that was declared about one reading."""
    rows = verdicts.to_dict("records")
    # What is given no verdict is told below; where nothing is given one, this says why.
    rows = [row for row in rows if not row["verdict"].startswith("not judged")] or rows
    if not rows or rows[0]["verdict"].startswith("not judged"):
        return f"{about.capitalize()}: {rows[0]['verdict']}." if rows else ""
    parts: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        effect, doubt = row["effect"], f", {row['doubt']}" if row["doubt"] else ""
        gain = f"{number(effect.mean, 2, True)} dB {interval(effect.low, effect.high, 2, True)}{doubt}"
        key = _quoted(results.called(row["method"])), row["verdict"]
        parts.setdefault(key, []).append(f"{_quoted(results.called(row['against']))} ({gain})")
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


def _quoted(name: str) -> str:
    """Set a name apart in a sentence whose commas it would be lost among."""
    return f"“{name}”" if "," in name else name


def made(results: Results, others: Sequence[str] = ()) -> dict[str, Any]:
    """Collect with what the report was made, `others` being methods whose files were read as well.

    Returns:
        `environment`, `parameters` (JSON), starts of SHA-256 (`parameters_digest`, `code_digest`), and
        `inputs`: by path below data/<profile> (of benchmarks: the repository's), the start of its SHA-256.
        Equal inputs on equal machines give equal values.
    """
    known = dataclasses.asdict(results.config)
    by_method = [dataclasses.asdict(config) for _, config in sorted(results.configs.items())]
    everything = [{key: config[key] for key in (*_SECTIONS, *_OTHERS)} for config in (known, *by_method)]
    own = {key: known[key] for key in _SECTIONS}
    paths = [results.data / "clips" / name / "summary.json" for name in results.procedural]
    for method in (*results.methods, *others):
        paths += [results.data / "results" / method / name for name in _READ]
        paths.append(results.data / "training" / method / "curves.csv")
    inputs = {path.relative_to(results.data).as_posix(): path for path in paths}
    inputs |= {path.as_posix(): path for path in sorted(MEASURED.glob("*.*"))}
    return {
        "environment": describe_environment(),
        "parameters": json.dumps(own, indent=1, sort_keys=True, ensure_ascii=False),
        "parameters_digest": _digest(json.dumps(everything, sort_keys=True).encode()),
        "code_digest": _digest((results.data / CODE).read_bytes()),
        "inputs": {name: _digest(path.read_bytes()) for name, path in inputs.items() if path.is_file()},
    }


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
