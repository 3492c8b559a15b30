"""Pack real training footage for a machine that has none.

    python -m benchmarks.footage OUT MIB FOLDER [UCF101 [LINES]]

OUT: a folder of videos, one a recording, of at most MIB mebibytes in all, for `slurm/quarter.sh` and the
study's trainings. FOLDER: videos and picture sequences, as the source `folder` reads them. UCF101: the data
set's folder, of which the training list alone is taken. Video files are cut off after some seconds and
otherwise left as they are: their own packets are copied. What is higher than LINES (by default, no video) is
reduced to it and becomes H.264, as pictures do. These come first, being the sharpest; then videos by their
size, smallest first, so that there are as many recordings as possible.
"""

import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from lift.clips.readers import Shown
from lift.clips.sources.base import Video
from lift.clips.sources.own import VIDEOS, Folder
from lift.data.stored.images import Unreadable
from lift.errors import UserError

FEWEST, FRAMES = 17, 112  # of a recording: a window of 15, played either way; and more than enough
LINES = 480  # of pictures
QUALITY = {"crf": "15", "preset": "medium"}  # of H.264: nothing to be seen
RATE = 25
# UCF101's test videos, rescaled, and one that may be of its test list; and stills
LEFT_OUT = ("ucf101/", "ucf101_rescaled/", "middlebury_other/")
LIST = "trainlist01.txt"
MIB = 2**20


def main(out: str, mib: str, folder: str, ucf101: str | None = None, lines: str | None = None) -> None:
    """Pack, and say what."""
    place, room = Path(out), float(mib) * MIB
    place.mkdir(parents=True, exist_ok=True)
    if any(place.iterdir()):
        raise UserError(f"{place}: not empty; name another folder, or remove what is in it")
    packed = []
    for video in recordings(Path(folder), Path(ucf101) if ucf101 else None):
        film = video.path.is_file() and (lines is None or height(video.path) <= int(lines))
        target = place / f"{video.name.replace('/', '_').rsplit('.', 1)[0]}{suffix(video, film)}"
        try:
            count = copied(video.path, target) if film else encoded(video, target, int(lines or LINES))
        except av.FFmpegError as error:
            print(f"{video.path}: left out ({error.strerror})")
            count = 0
        if count < FEWEST:
            target.unlink(missing_ok=True)
            continue
        packed.append((film, target.stat().st_size, count, target))
    kept, total, frames = 0, 0, 0
    for _, size, count, target in sorted(packed):
        if total + size > room:
            target.unlink()
            continue
        kept, total, frames = kept + 1, total + size, frames + count
    print(f"{place}: {kept} of {len(packed)} recordings, {frames} frames, {total / MIB:.1f} MiB")


def recordings(folder: Path, ucf101: Path | None) -> list[Video]:
    """List what may be trained on."""
    source = Folder()
    found = [video for part in ("train", "test") for video in source.videos(folder, part, 0)]
    found = [video for video in found if not video.name.startswith(LEFT_OUT)]
    if ucf101 is not None:
        lists = (ucf101 / "ucfTrainTestlist" / LIST).read_text().split("\n")
        names = sorted(line.split()[0] for line in lists if line.strip())
        paths = {name: ucf101 / "UCF-101" / name for name in names}
        found += [Video(name=name, group=name, path=path) for name, path in paths.items() if path.is_file()]
    return found


def height(path: Path) -> int:
    """Return the height of a video's frames, pixels; 0 where FFmpeg finds none."""
    try:
        with av.open(f"file:{path}") as given:
            return given.streams.video[0].height
    except (av.FFmpegError, IndexError):
        return 0


def suffix(video: Video, film: bool) -> str:
    """Return the suffix of what a recording becomes."""
    own = video.path.suffix.lower()
    return own if film and own in VIDEOS else ".mp4"


def copied(path: Path, target: Path) -> int:
    """Copy a video's first packets; return how many."""
    count = 0
    with av.open(f"file:{path}") as given, av.open(f"file:{target}", "w") as made:
        stream = given.streams.video[0]
        own = made.add_stream_from_template(stream)
        for packet in given.demux(stream):
            if packet.dts is None or count == FRAMES:
                continue
            packet.stream = own
            made.mux(packet)
            count += 1
    return count


def encoded(video: Video, target: Path, lines: int) -> int:
    """Encode a recording's first frames, reduced to `lines` where they are higher; return how many."""
    reader, count = Folder().open(video), 0
    with av.open(f"file:{target}", "w") as made:
        stream = made.add_stream("libx264", rate=RATE, options=QUALITY)
        stream.pix_fmt, stream.time_base = "yuv420p", Fraction(1, RATE)
        for _, payload in reader.read(list(reader.numbers)[:FRAMES]):
            if isinstance(payload, Unreadable):
                break
            shown = payload.frame.to_ndarray(format="bgr24") if isinstance(payload, Shown) else None
            picture = np.asarray(cv2.imread(str(payload)) if shown is None else shown, np.uint8)
            scale = min(1.0, lines / picture.shape[0])
            size = (2 * round(picture.shape[1] * scale / 2), 2 * round(picture.shape[0] * scale / 2))
            if size != picture.shape[1::-1]:
                picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            if count == 0:
                stream.width, stream.height = size
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            count += 1
        made.mux(stream.encode(None))
    return count


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except UserError as error:
        sys.exit(f"error: {error}")
