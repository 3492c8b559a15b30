"""Published data sets in their official layouts; each class says what it is, its split and its licence."""

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path, PurePosixPath

from lift.clips.readers import Pictures, Reader
from lift.clips.sources.base import Source, Target, Video, locate, read_list
from lift.data.stored.images import Unreadable
from lift.errors import UserError


class Vimeo90K(Source):
    """Vimeo-90K (Xue et al., IJCV 2019): sequences of seven frames, or of three, 448x256 PNG.

    The middle frame is the missing one, as in all published work; a sequence has no others, so a set of
    triplets has `before: 1` and `after: 1`. For research use; no licence text is published.
    """

    # The official lists take sequences of one folder into both parts; only sequences can be kept apart.
    split_by_group = False
    footage = "vimeo90k"
    frames = r"im(\d+)\.png"
    kind: str
    middle: int

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; a group is the first folder, whose sequences come from the same footage."""
        listed = f"{self.kind[:3]}_{part}list.txt"
        root = locate(folder, f"vimeo_{self.kind}", ("sequences", listed), self)
        targets = (Target(number=self.middle),)
        return [
            Video(name=name, group=name.split("/")[0], path=root / "sequences" / name, targets=targets)
            for name in read_list(root / listed)
        ]


class Septuplets(Vimeo90K):
    """Vimeo-90K of seven frames."""

    title = "Vimeo-90K septuplet"
    layout = "vimeo_septuplet/{sep_trainlist.txt, sep_testlist.txt, sequences/00001/0001/im1.png … im7.png}"
    official = {"train": 64612, "test": 7824}
    kind, middle = "septuplet", 4


class Triplets(Vimeo90K):
    """Vimeo-90K of three frames."""

    title = "Vimeo-90K triplet"
    layout = "vimeo_triplet/{tri_trainlist.txt, tri_testlist.txt, sequences/00001/0001/im1.png … im3.png}"
    official = {"train": 51312, "test": 3782}
    kind, middle = "triplet", 2


class Ucf101(Source):
    """UCF101 (Soomro et al., 2012): 13,320 videos of 101 actions, 320x240 AVI at 25 frames/s.

    Split 1; groups (the same people and place) g01-g07 of a class are test, g08-g25 training. Training lists
    carry a class number after the name. For research use.
    """

    title = "UCF101"
    layout = "UCF-101/<class>/v_<class>_g01_c01.avi beside ucfTrainTestlist/{trainlist01.txt, testlist01.txt}"
    official = {"train": 9537, "test": 3783}
    frames = None

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos of split 1; a group is the official group of a class."""
        listed = f"ucfTrainTestlist/{part}list01.txt"
        root = locate(folder, "UCF-101", ("UCF-101", listed), self)
        found = []
        for line in read_list(root / listed):
            name = line.split()[0].removesuffix(".avi")
            match = re.fullmatch(r"(.+_g\d+)_c\d+", name)
            if match is None:
                raise UserError(
                    f"{root / listed}: {name!r} is not <class>/v_<class>_g<group>_c<clip>.avi; "
                    "restore the official list"
                )
            found.append(Video(name=name, group=match[1], path=root / "UCF-101" / f"{name}.avi"))
        return found


class Ucf101Subset(Source):
    """A public test subset of UCF101 in frames; the two must never be mixed (protocols section 1.4).

    They were given out by links to shared drives, so `download` does not bring them.
    """

    inner: str
    """The folder in the official archive."""
    numbers: Mapping[str, int]
    """Frame number by file name; the missing frame's is `target`."""
    target: Target

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the samples by their number; there is no list file, so the folders are the list."""
        truth = next(name for name, number in self.numbers.items() if number == self.target.number)
        root = locate(folder, self.inner, (f"*/{truth}",), self)
        found = sorted((p for p in root.iterdir() if re.fullmatch(r"\d+", p.name)), key=lambda p: int(p.name))
        return [Video(name=p.name, group=p.name, path=p, targets=(self.target,)) for p in found]

    def open(self, video: Video) -> Reader:
        """Read the sample's frames by their fixed names."""
        if not video.path.is_dir():
            raise Unreadable(video.path, "no such folder", "missing")
        paths = {number: video.path / name for name, number in self.numbers.items()}
        return Pictures({number: path for number, path in paths.items() if path.is_file()})


class Ucf101Dvf(Ucf101Subset):
    """DVF-379 (Liu et al., ICCV 2017): 379 triplets of 256x256, for non-commercial use.

    `frame_01_ours.png`, where there is one, is a method's output and never the truth.
    """

    title = "UCF101 DVF-379"
    layout = "ucf101_interp_ours/<id>/{frame_00.png, frame_01_gt.png, frame_02.png}"
    official = {"test": 379}
    inner = "ucf101_interp_ours"
    numbers = {"frame_00.png": 0, "frame_01_gt.png": 1, "frame_02.png": 2}
    target = Target(number=1)


class Ucf101Qvi(Ucf101Subset):
    """QVI-100 (Xu et al., NeurIPS 2019): 100 quintuplets, the missing frame in the middle; for research use.

    The inputs stand at offsets -3, -1, 1, 3. Published rows crop the middle 224x224 (`crop: [224, 224]`).
    """

    title = "UCF101 QVI-100"
    layout = "ucf101_extracted/<id>/{frame0.png, frame1.png, framet.png, frame2.png, frame3.png}"
    official = {"test": 100}
    inner = "ucf101_extracted"
    numbers = {"frame0.png": 0, "frame1.png": 2, "framet.png": 3, "frame2.png": 4, "frame3.png": 6}
    target = Target(number=3, uniform=True, reach=3)


class Davis(Source):
    """DAVIS 2017 (Pont-Tuset et al., 2017): 90 sequences of 25-104 frames, JPEG at 480p (mostly 854x480).

    Code under BSD; the footage for research use.
    """

    title = "DAVIS 2017"
    layout = "DAVIS/{ImageSets/2017/{train,val}.txt, JPEGImages/480p/<sequence>/00000.jpg …}"
    official = {"train": 60, "test": 30}
    footage = "davis"
    frames = r"(\d+)\.jpg"
    lists: Mapping[str, tuple[str, ...]] = {"train": ("train",), "test": ("val",)}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences; each is a recording of its own."""
        lists = [f"ImageSets/2017/{name}.txt" for name in self.lists[part]]
        root = locate(folder, "DAVIS", ("JPEGImages/480p", *lists), self)
        names = [name for listed in lists for name in read_list(root / listed)]
        return [Video(name=n, group=n, path=root / "JPEGImages/480p" / n) for n in names]


class DavisFlavr(Davis):
    """DAVIS by FLAVR's rule (Kalluri et al., 2020): quintuplets from all 90 sequences.

    In a sequence of n frames, for i = 0, 2, 4 … below n - 6, the inputs are i, i+2, i+4 and i+6 and the
    missing frame is i+3 (protocols section 1.1): offsets -3, -1, 1, 3. 2,849 quintuplets in all. Published
    rows crop the middle 480x840 (`crop: [480, 840]`). A model that is tested so must be trained on no DAVIS.
    For research use.
    """

    title = "DAVIS 2017 by FLAVR's rule"
    official = {"test": 2849}
    lists = {"test": ("train", "val")}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the 90 sequences with their quintuplets; one that is absent or too short has none."""
        return [
            Video(name=video.name, group=video.group, path=video.path, targets=_quintuplets(video.path))
            for video in sorted(super().videos(folder, part, before), key=lambda video: video.name)
        ]


def _quintuplets(sequence: Path) -> tuple[Target, ...]:
    starts = range(0, len(list(sequence.glob("*.jpg"))) - 6, 2)
    return tuple(Target(number=start + 3, uniform=True, reach=3) for start in starts)


DIFFICULTIES = ("easy", "medium", "hard", "extreme")


class SnuFilm(Source):
    """SNU-FILM (Choi et al., AAAI 2020): 310 triplets at each of four difficulties, from 31 videos.

    Each line of `eval_modes/test-<difficulty>.txt` names the first reference, the missing frame and the
    second reference. The references are 1, 2, 4 or 8 frames from the missing one (easy … extreme). Context
    stands at the split's stride: the frame of offset o is target + o * step for odd o, so nothing between the
    references is ever seen (protocols section 1.5). Frames from GoPro (CC BY 4.0) and YouTube; test only.
    """

    title = "SNU-FILM"
    layout = "SNU-FILM/{eval_modes/test-{easy,medium,hard,extreme}.txt, test/GOPRO_test/<video>/000001.png …}"
    official = {"test": 310 * len(DIFFICULTIES)}
    frames = r"(\d+)\.(?:png|jpe?g)"  # PNG in the official archive, JPEG in some copies

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the videos with the triplets of all four lists, in the order of the easy list."""
        lists = {kind: f"eval_modes/test-{kind}.txt" for kind in DIFFICULTIES}
        root = locate(folder, "SNU-FILM", ("test", *lists.values()), self)
        triplets: dict[str, list[Target]] = {}
        for kind, listed in lists.items():
            for line in read_list(root / listed):
                name, target = _triplet(line, kind, root / listed)
                triplets.setdefault(name, []).append(target)
        return [
            Video(name=name, group=name, path=root / "test" / name, targets=tuple(targets))
            for name, targets in triplets.items()
        ]


def _triplet(line: str, kind: str, where: Path) -> tuple[str, Target]:
    """Parse a line; of each path the last three parts count, for the prefix is its authors' machine's."""
    try:
        first, middle, last = (PurePosixPath(part) for part in line.split())
        numbers = [int(path.stem) for path in (first, middle, last)]
    except ValueError:
        numbers = []
    if not numbers or not 0 < numbers[1] - numbers[0] == numbers[2] - numbers[1]:
        raise UserError(
            f"{where}: {line!r} is not three frames at equal distances; restore the official list"
        )
    name = "/".join(middle.parts[-3:-1])
    return name, Target(number=numbers[1], step=numbers[1] - numbers[0], kind=kind, uniform=True)


class GoPro(Source):
    """GoPro (Nah et al., CVPR 2017), all frames: 240 frames/s, 1280x720 PNG; CC BY 4.0.

    The archive's folders `train` and `test` are the split; a sequence is one recording. Consecutive frames
    move little: a `stride` of 4 or 8 gives 60 or 30 frames/s. SNU-FILM's GOPRO_test is made of the test
    sequences, so training on `train` leaks nothing into it.
    """

    title = "GoPro"
    layout = "GOPRO_Large_all/{train,test}/GOPR0372_07_00/000047.png …"
    official = {"train": 22, "test": 11}

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the sequences of a part by name."""
        root = locate(folder, "GOPRO_Large_all", ("train", "test", f"{part}/GOPR*"), self)
        found = sorted(path for path in (root / part).glob("GOPR*") if path.is_dir())
        return [Video(name=path.name, group=path.name, path=path) for path in found]


PARTS = {"train": "train", "validation": "val", "test": "test"}  # folders of the next two


class X4K1000Fps(Source):
    """X4K1000FPS (Sim et al., ICCV 2021, XVFI): clips at 1000 frames/s as mp4.

    For research and education only.
    X-TRAIN: 4,408 clips of 65 frames, 768x768, from 110 scenes; X-TEST: 15 clips of 33 frames, 4096x2160. The
    official archives unpack to `encoded_train`, `encoded_val`, `encoded_test`; the `encoded_` may be missing.
    Consecutive frames hardly move: training wants a `stride` (XVFI draws distances of 2 to 32).

    Test: the references are frames 0 and 32 (protocols section 1.1), the missing frame is the middle one, 16.
    Of the official seven times it is the one that a method which doubles a frame rate can predict.
    """

    title = "X4K1000FPS"
    layout = "X4K1000FPS/{train/002/<clip>.mp4, val/…, test/Type1/<clip>.mp4}, or encoded_train …"
    official = {"train": 4408, "validation": 0, "test": 15}
    frames = None

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the clips by path; a group is a scene (a folder), or a clip of the test set."""
        # The archives are brought one by one: either part alone will do.
        try:
            root = locate(folder, "X4K1000FPS", ("*train/*/*.mp4",), self)
        except UserError:
            root = locate(folder, "X4K1000FPS", ("*test/*/*.mp4",), self)
        found = []
        middle = (Target(number=16, step=16, uniform=True, reach=1),) if part == "test" else None
        for top in (root / PARTS[part], root / f"encoded_{PARTS[part]}"):
            for path in sorted(top.rglob("*.mp4")):
                name = f"{part}/{path.relative_to(top).with_suffix('').as_posix()}"
                group = name if part == "test" else name.rpartition("/")[0]
                found.append(Video(name=name, group=group, path=path, targets=middle))
        return found


class Cityscapes(Source):
    """Cityscapes sequences (Cordts et al., CVPR 2016): snippets of 30 frames at 17 frames/s, 2048x1024 PNG.

    The official split is by city. A snippet is up to 30 consecutive frame numbers of one sequence (some
    cities number a whole drive through, with gaps between its snippets). Non-commercial; only after
    registration, so `download` cannot bring it.
    """

    title = "Cityscapes sequences"
    layout = "leftImg8bit_sequence/{train,val,test}/aachen/aachen_000000_000000_leftImg8bit.png …"
    official = {"train": 2975, "validation": 500, "test": 1525}
    length = 30

    def videos(self, folder: Path, part: str, before: int) -> list[Video]:
        """List the snippets as `<city>/<city>_<sequence>_<first frame>`; a group is a city."""
        root = locate(folder, "leftImg8bit_sequence", (PARTS[part],), self)
        return [
            Video(name=f"{city.name}/{sequence}_{first:06d}", group=city.name, path=city)
            for city in sorted((root / PARTS[part]).iterdir())
            if city.is_dir()
            for sequence, numbers in sorted(_sequences(city).items())
            for first in self._starts(numbers)
        ]

    def open(self, video: Video) -> Reader:
        """Read the snippet's PNG files, numbered as they are named."""
        sequence, _, first = video.name.rpartition("/")[2].rpartition("_")
        numbers = range(int(first), int(first) + self.length)
        paths = {number: video.path / f"{sequence}_{number:06d}_leftImg8bit.png" for number in numbers}
        found = {number: path for number, path in paths.items() if path.is_file()}
        if not found:
            raise Unreadable(video.path, f"no frame of {video.name}", "missing")
        last = next((a for a, b in pairwise(found) if b != a + 1), max(found))
        return Pictures({number: path for number, path in found.items() if number <= last})

    def _starts(self, numbers: list[int]) -> list[int]:
        """Return each snippet's first frame: after a gap, or 30 frames after the last start."""
        starts: list[int] = []
        last = None
        for number in sorted(numbers):
            if last is None or number != last + 1 or number == starts[-1] + self.length:
                starts.append(number)
            last = number
        return starts


def _sequences(city: Path) -> dict[str, list[int]]:
    """List the frame numbers of each `<city>_<sequence>`."""
    found: dict[str, list[int]] = {}
    for path in city.iterdir():
        if match := re.fullmatch(r"(.+_\d+)_(\d+)_leftImg8bit\.png", path.name):
            found.setdefault(match[1], []).append(int(match[2]))
    return found
