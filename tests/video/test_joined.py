"""Transport streams joined from recordings whose streams have other numbers."""

import io

import av
import pytest

from lift.video.choose import choose
from lift.video.file import LATE
from lift.video.job import Job
from lift.video.joined import Renumbered, joined
from lift.video.media import read
from lift.video.run import run

AVERAGE = choose("average")
OTHERS = {
    "all": {"mpegts_start_pid": "512", "mpegts_pmt_start_pid": "4352", "mpegts_service_id": "2"},
    "streams": {"mpegts_start_pid": "512"},
    "crossed": {"mpegts_start_pid": "257"},  # its video has the number that sound had before
}


@pytest.fixture(scope="module")
def recording(film, tmp_path_factory):
    """Give a function that gives the bytes of a recording of 25 pictures and a second of sound."""

    def make(sound=True, **options):
        path = tmp_path_factory.mktemp("part") / "in.ts"
        return film(path, tones=[("mp2", 48000, "stereo")] * sound, options=options).read_bytes()

    return make


def packets(path):
    with read(path) as container:
        counts = dict.fromkeys((stream.type for stream in container.streams), 0)
        for packet in container.demux():
            counts[packet.stream.type] += bool(packet.size)
        return counts, len(container.streams)


@pytest.mark.parametrize("numbers", sorted(OTHERS))
@pytest.mark.parametrize("cut", [0, 100])
def test_a_second_recording_of_other_numbers_is_read_and_smoothed(
    recording, tmp_path, contents, numbers, cut
):
    first, second = recording(), recording(**OTHERS[numbers])
    (tmp_path / "one.ts").write_bytes(first)
    one, streams = packets(tmp_path / "one.ts")
    path = tmp_path / "in.ts"
    path.write_bytes(first[: len(first) - cut] + second + first)
    counts, found = packets(path)
    assert found == streams == 2
    assert counts == {kind: 3 * number for kind, number in one.items()}
    said = []
    outcome = run(Job(input=path, output=tmp_path / "out.mkv"), AVERAGE, said.append)
    assert said == []
    assert outcome.trouble is None
    assert (outcome.originals, outcome.shown) == (75, 149)
    assert contents(tmp_path / "out.mkv")[1][0] == pytest.approx(3, abs=0.1)


def test_a_stream_that_the_beginning_lacks_is_said_to_be_left_out(recording, tmp_path):
    path = tmp_path / "in.ts"
    path.write_bytes(recording(sound=False) + recording(**OTHERS["all"]))
    said = []
    outcome = run(Job(input=path, output=tmp_path / "out.mkv"), AVERAGE, said.append)
    assert outcome.originals == 50
    assert said == [LATE]


@pytest.mark.parametrize("before", [b"", b"GG" + bytes(99)])
def test_what_is_not_renumbered_is_read_as_it_is(recording, tmp_path, before):
    path = tmp_path / "in.ts"
    path.write_bytes(before + recording() * 2)
    found = joined(path)
    assert found.seams == ()
    assert not found.lost
    assert [run.start for run in found.runs] == [len(before)]
    assert Renumbered(path, found).read() == path.read_bytes()


def test_any_part_of_a_renumbered_file_can_be_read(recording, tmp_path):
    path = tmp_path / "in.ts"
    first = recording()
    data = b"ahead" + first + bytes(77) + recording(**OTHERS["all"]) + b"behind"
    path.write_bytes(data)
    file = Renumbered(path, joined(path))
    whole = b"".join(iter(lambda: file.read(1000), b""))
    assert len(whole) == len(data)
    assert file.read(5) == b""
    changed = [place for place, (one, other) in enumerate(zip(data, whole, strict=True)) if one != other]
    assert changed
    assert {(place - 5 - len(first) - 77) % 188 for place in changed} <= {1, 2}
    for place, size in ((0, 7), (3, 400), (len(data) // 2, 3), (len(data) - 3, 99)):
        assert file.seek(place) == place
        got = b""
        while len(got) < min(size, len(data) - place):
            got += file.read(size - len(got))
        assert got == whole[place : place + size]
    assert file.seek(-6, io.SEEK_END) == len(data) - 6
    assert file.read() == b"behind"


def test_an_empty_file_and_one_of_nothing_but_noise_have_no_packets(tmp_path):
    for data in (b"", bytes(5000), b"G" * 10):
        (tmp_path / "in.ts").write_bytes(data)
        assert joined(tmp_path / "in.ts").runs == ()
    with pytest.raises(av.FFmpegError):
        read(tmp_path / "in.ts")
