"""How the context is weighted against equal weights, and how much of it clips have."""

import dataclasses
import math

import pandas as pd
import pytest
from scipy.stats import entropy

from lift.report.reading import read_alpha
from lift.report.tables.means import alpha, entropies


def table(*clips):
    columns = ["benchmark", "clip", "kind", "seed", "offset", "alpha"]
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
    weights = read_alpha(results)["lift15"]
    weights = weights[weights["benchmark"] == "ucf101"]
    one = weights[weights["clip"] == weights["clip"].iloc[0]]
    own = entropies(one)
    assert own["share"].iloc[0] == pytest.approx(entropy(one["alpha"]) / math.log(len(one)))


def test_the_table_has_a_row_for_each_weighted_method_and_a_sentence_on_the_base(results):
    made = alpha(results)
    assert set(made.frame["method"]) >= {"lift15", "ctx7"}
    assert not set(made.frame["method"]) & {"rife", "no_context", "ctx3", "average"}
    row = made.frame.query("method == 'lift15' and benchmark == 'UCF101'").iloc[0]
    assert 0 < row["entropy"] < 100
    assert f"α of lift15 has {row['entropy']:.1f} % of the entropy of equal weights" in made.notes[0]
    assert f"The two references have {row['references']:.1f} %" in made.notes[0]


def test_without_weights_there_is_no_table(results):
    assert alpha(dataclasses.replace(results, rows={"rife": results.rows["rife"]})) is None
