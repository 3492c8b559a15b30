"""Stage report: what params.yaml no longer names goes, but never before a report without it is there."""

import pytest

from lift.errors import UserError
from stages import report
from tests import params


@pytest.fixture
def results(tmp_path, monkeypatch):
    """Stand in a folder with results of one method that params.yaml does not name."""
    monkeypatch.chdir(tmp_path)
    params.resolved(params.read(), "demo")
    stale = tmp_path / "data/demo/results/stale"
    stale.mkdir(parents=True)
    return stale


def test_what_is_not_named_is_kept_until_a_report_without_it_is_written(results, monkeypatch):
    def broken(*arguments):
        raise UserError("results/lift15: missing")

    monkeypatch.setattr(report.report, "write", broken)
    with pytest.raises(UserError, match="lift15"):
        report.main("demo")
    assert results.is_dir()
    monkeypatch.setattr(report.report, "write", lambda *arguments: None)
    report.main("demo")
    assert not results.exists()


def test_a_misspelt_baseline_deletes_nothing(results):
    raw = params.read()
    raw["profiles"]["demo"]["methods"]["baselines"][0] = "repaet"
    params.write(raw)
    repeat = results.with_name("repeat")
    repeat.mkdir()
    with pytest.raises(UserError, match="did you mean 'repeat'"):
        report.main("demo")
    assert repeat.is_dir()
