"""Signals: what was made until then is whole and playable, and nothing temporary is left."""

import signal

import pytest

from lift.video.choose import choose
from lift.video.job import SIGNALLED, Job
from lift.video.run import run

AVERAGE = choose("average")
BOTH = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])


class Stopping(type(AVERAGE)):
    """The average, during whose fifth frame (and each later one) the process gets a signal."""

    def __init__(self, number):
        super().__init__("average")
        self.number, self.count = number, 0

    def between(self, offsets, features):
        self.count += 1
        if self.count >= 5:
            signal.raise_signal(self.number)
        return super().between(offsets, features)


@BOTH
def test_a_signal_leaves_a_playable_file_and_nothing_else(tmp_path, video, planes, number):
    given = video(tmp_path / "in.mkv", count=60)
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    job = Job(input=given, output=tmp_path / "out.mp4", report=tmp_path / "report.csv")
    outcome = run(job, Stopping(number))
    assert outcome.interrupted == number
    assert 9 <= len(planes(tmp_path / "out.mp4")[1]) <= 12
    assert {path.name for path in tmp_path.iterdir()} == {"in.mkv", "out.mp4", "report.csv"}
    assert {each: signal.getsignal(each) for each in before} == before


@BOTH
@pytest.mark.parametrize("output", ["out.mp4", "out"])
def test_a_second_signal_ends_at_once_and_leaves_nothing(tmp_path, video, number, output):
    class Twice(Stopping):
        def between(self, offsets, features):
            if self.count == 4:
                signal.raise_signal(self.number)
            return super().between(offsets, features)

    given = video(tmp_path / "in.mkv", count=60)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(Job(input=given, output=tmp_path / output), Twice(number))
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


def test_the_exit_status_names_the_signal(tmp_path, video, tool, monkeypatch):
    method = Stopping(signal.SIGTERM)
    monkeypatch.setattr("lift.video.__main__.choose", lambda *a, **k: method)
    status, said = tool(video(tmp_path / "in.mkv", count=60), tmp_path / "out.mp4")
    assert status == SIGNALLED + signal.SIGTERM == 143
    assert "stopped; playable: " in said
