"""Write the result into README.md: the study's verdicts, between the two marks there.

Run `python docs/write_result.py` after `make study`; a test compares the README with what this writes.
"""

import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERDICTS = ROOT / "reports" / "study" / "tables" / "verdicts.csv"
README = ROOT / "README.md"
BEGIN, END = "<!-- result: begin -->\n", "<!-- result: end -->\n"
SHOWN = {
    "lift_rife - rife_v4": "`lift_rife` over RIFE v4.25",
    "lift_rife - lift_rife_3": "… over itself without far frames",
    "lift15 - ctx3": "specified LIFT, 15 over 3 frames",
}
"""Comparisons, as the table calls them, and what they are called here."""


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the rows of verdicts.csv that are shown, as Markdown, comparisons in the order of SHOWN."""
    lines = [
        "| comparison | footage | videos | gain in PSNR, dB | verdict |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for comparison, title in SHOWN.items():
        for row in rows:
            if row["comparison"] == comparison:
                mean, low, high = (float(row[key]) for key in ("psnr", "psnr_low", "psnr_high"))
                gain = f"{mean:+.2f} [{low:+.2f}, {high:+.2f}]"
                lines.append(f"| {title} | {row['population']} | {row['n']} | {gain} | {row['verdict']} |")
    return "\n".join(lines) + "\n"


def written(readme: str, rows: Sequence[Mapping[str, str]]) -> str:
    """Return the README with the table between its marks.

    Raises:
        ValueError: A mark is missing.
    """
    before, found, rest = readme.partition(BEGIN)
    _, also, after = rest.partition(END)
    if not (found and also):
        raise ValueError(f"README.md: {BEGIN.strip()} or {END.strip()} is missing")
    return f"{before}{BEGIN}\n{table(rows)}\n{END}{after}"


def main() -> None:
    """Write it."""
    if not VERDICTS.is_file():
        sys.exit(f"error: {VERDICTS.relative_to(ROOT)}: not there; run make study first")
    with VERDICTS.open(encoding="utf-8", newline="") as file:
        text = written(README.read_text(encoding="utf-8"), list(csv.DictReader(file)))
    README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
