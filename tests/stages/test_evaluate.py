"""What the stage `evaluate` keeps of an earlier measurement."""

import json

from stages import evaluate


def test_results_of_a_version_that_named_no_benchmarks_go_with_a_line(tmp_path, capsys):
    (tmp_path / evaluate.MADE_FROM).write_text(json.dumps({"method": "lift15"}))
    (tmp_path / "protocol.json").write_text(json.dumps({"davis": {}}))
    today = {"method": "lift15", "benchmarks": {"davis": {"protocol": "all"}}}
    assert evaluate._kept(tmp_path, today, {"davis"}) == {}
    assert (
        "davis: not given, and what was measured of it goes: benchmarks is only here"
        in capsys.readouterr().out
    )
