"""How the context is weighted against equal weights, and how much of it clips have."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy

from lift.report.tables import context
from lift.report.tables.table import to_csv
from lift.report.weights import entropies, read_weights


def table(*clips):
    columns = ["benchmark", "clip", "kind", "seed", "offset", "weight"]
    rows = [
        ("ucf101", f"c{number}", "", "7", offset, weight)
        for number, weights in enumerate(clips)
        for offset, weight in weights.items()
    ]
    return pd.DataFrame(rows, columns=columns)


def test_equal_weights_have_all_of_the_entropy_and_one_frame_alone_none():
    found = entropies(table({-2: 0.25, -1: 0.25, 1: 0.25, 2: 0.25}, {-1: 0.0, 1: 1.0}))
    assert found["share"].tolist() == pytest.approx([1.0, 0.0])
    assert found["effective"].tolist() == pytest.approx([4.0, 1.0])
    assert found["references"].tolist() == pytest.approx([0.5, 1.0])
    assert found["frames"].tolist() == [4, 2]


def test_entropies_are_scipys(results):
    weights = read_weights(results, "lift15")
    weights = weights[weights["benchmark"] == "ucf101"]
    one = weights[weights["clip"] == weights["clip"].iloc[0]]
    own = entropies(one)
    assert own["share"].iloc[0] == pytest.approx(entropy(one["weight"]) / math.log(len(one)))


def test_the_table_has_a_row_for_each_weighted_method_and_a_sentence_on_the_base(results):
    made = context.weights(results, ["ucf101", "scenes"])
    lines = to_csv(made).splitlines()
    assert {line.split(",")[0] for line in lines[1:]} >= {"lift15", "ctx7"}
    assert not any(line.startswith(("rife", "no_context", "ctx3", "average")) for line in lines)
    row = next(row for row in made.rows if row[0].text == "lift15")
    share, references = row[4].value, row[6].value
    assert 0 < share < 100
    assert f"α of lift15 has {share:.1f} % of the entropy of equal weights" in made.notes[0]
    assert f"The two references have {references:.1f} %" in made.notes[0]


def test_without_weights_there_is_no_table(results):
    assert context.weights(results, []) is None


def test_clips_that_do_not_fill_a_window_are_counted_and_the_full_ones_measured(results):
    frames = {name: dict(by) for name, by in results.rows.items()}
    frame = frames["lift64"]["ucf101"].copy()
    wanted, full = len(results.configs["lift64"].clip.offsets), np.arange(len(frame)) % 4 == 0
    frame["context"] = np.where(full, wanted, 20)
    frames["lift64"]["ucf101"] = frame
    made = context.given(dataclasses.replace(results, rows=frames))
    head = [column.key for column in made.columns]
    row = next(r for r in made.rows if r[0].text == "lift64" and r[2].text.startswith("UCF101"))
    cells = dict(zip(head, row, strict=True))
    assert (cells["least"].value, cells["most"].value) == (20, wanted)
    assert cells["full"].text.startswith(f"{full.sum()} of {len(frame)} (")
    assert cells["psnr"].value == pytest.approx(frame["psnr"].to_numpy()[full].mean())
    base = frames["lift15"]["ucf101"]["psnr"].to_numpy()[full].mean()
    assert cells["psnr_lift15"].value == pytest.approx(base)
