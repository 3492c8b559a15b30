"""The parameters of footage, clips, benchmarks and the report (conventions: schema.py)."""

import re
from dataclasses import dataclass

from lift.options import choice, number


@dataclass(frozen=True, kw_only=True)
class Download:
    """How files are brought over a network; nothing here changes what is brought."""

    parallel: int = number(1, 64)
    """Files at once."""
    tries: int = number(1)
    """Attempts in a row that may get no further in a file before its address is given up."""
    first_wait: float = number(0.0)
    """Seconds before the second attempt; doubled after each that brings nothing."""
    longest_wait: float = number(0.0)
    """Seconds at most between two attempts, also where the server asks for more."""
    connect: float = number(0.01)
    """Seconds to connect."""
    stall: float = number(0.01)
    """Seconds of silence after which a connection is cut and the download resumed."""
    slowest: float = number(0.0)
    """Bytes per second, over `stall` seconds, below which a server counts as silent."""
    keep_archives: bool
    """Keep archives once they are unpacked, in data/archives; false halves the disk needed afterwards."""


@dataclass(frozen=True, kw_only=True)
class Camera:
    """How rendered scenes vary and are filmed beyond the plain ones (`lift/scenes/footage.py`).

    A pair is a range from which each scene draws its own value.
    """

    objects: tuple[int, int] = number(0)
    """Free objects of any size besides those of the scene's kind."""
    leaves: float = number(0.0, 1.0)
    """Share of textures that are dead leaves; the others are the plain scenes', with more contrast."""
    zoom: tuple[float, float] = number(0.0, 0.2)
    """Root mean square change of the scale per frame (log), besides the scene's own."""
    turn: tuple[float, float] = number(0.0, 0.2)
    """The same of the camera's rotation, radians."""
    shake: tuple[float, float] = number(0.0)
    """The same of its place, pixels, with periods of a few frames."""
    shutter: tuple[float, float] = number(0.0, 1.0)
    """Share of a frame's time in which light is gathered: 0 is none of the blur of motion."""
    exposures: int = number(1, 64)
    """Most moments that are averaged for it; fewer where less moves."""
    noise: tuple[float, float] = number(0.0, 255.0)
    """Of training scenes: standard deviation of a sensor's noise at mid grey, 0-255."""
    quality: tuple[int, int] | None = number(1, 100)
    """Of training scenes: their JPEG quality, drawn once for each; null: PNG."""

    def __post_init__(self) -> None:
        """Raise ValueError where a span's least does not come first."""
        for name in ("objects", "zoom", "turn", "shake", "shutter", "noise", "quality"):
            span = getattr(self, name)
            if span is not None and span[0] > span[1]:
                raise ValueError(f"{name}: {list(span)}: the least comes first")


@dataclass(frozen=True, kw_only=True)
class Render:
    """Procedural footage written in a data set's official layout (`lift/scenes`)."""

    train: int = number(0)
    """Training sequences."""
    test: int = number(0)
    """Test sequences."""
    frames: int = number(1)
    """Frames per sequence."""
    size: tuple[int, int] = number(16)
    """Height and width, pixels."""
    speed: tuple[float, float] = number(0.0)
    """Slowest and fastest typical motion, pixels per frame."""
    centres: int | None = number(1)
    """Missing frames listed per test video, where the layout lists them (SNU-FILM: 10); null elsewhere."""
    camera: Camera | None
    """More variety, and what a real camera does to a frame; null: the plain scenes."""


@dataclass(frozen=True, kw_only=True)
class ClipSet:
    """How one set of clips is cut from its sources."""

    sources: tuple[str, ...]
    """Names under `sources`."""
    part: str = choice("train", "validation", "test", "all")
    """Which videos of each source: the official training list less the validation share, that share, the
    test list; all: every list, of sources that nothing here learns from."""
    before: int = number(1)
    """Frames that must exist before the missing one; a clip with fewer is dropped and counted."""
    after: int = number(1)
    """Frames that must exist after it."""
    spacing: int = number(1)
    """Frames between the missing frames of two clips of one video."""
    stride: int = number(1)
    """Frames between two neighbours of a clip: 2 halves the frame rate. Where a protocol prescribes the
    missing frames (Vimeo-90K, SNU-FILM, scenes, …), its own distances stand instead."""
    max_sequences: int | None = number(1)
    """Videos used per source, evenly spread over its list; null: all."""
    max_clips: int | None = number(1)
    """Clips per video, evenly spread; null: all."""
    windows: str = choice("fixed", "random")
    """Of training. fixed: a visit sees the missing frame that was chosen when the clip was cut. random: it
    draws one anywhere between the cuts around that, a function of seed, epoch and index; all frames between
    the cuts are stored then, and not only `clips.before` and `clips.after`."""
    crop: tuple[int, int] | None = number(16)
    """Height and width of the part kept from the middle of each frame; null: all of it."""
    resize: tuple[int, int] | None = number(16)
    """Height and width to which frames are resized; null: the original encoded bytes are kept."""


@dataclass(frozen=True, kw_only=True)
class Continuity:
    """When two neighbouring frames are no continuous motion (`lift/clips/continuity.py` has the measures).

    They are compared as luma of 36x64 pixels, 0-255.
    """

    cut_floor: float = number(0.0, 255.0)
    """A cut: the mean absolute difference is above this, which is no more than noise, …"""
    cut_ratio: float = number(1.0)
    """… above this multiple of what is usual around, …"""
    cut_alike: float = number(0.0)
    """… and by this times their correlation more, where the two are alike, …"""
    cut_correlation: float = number(-1.0, 1.0)
    """… and the correlation is below this: light that changes keeps it, other content does not."""
    duplicate: float = number(0.0, 255.0)
    """The same frame twice: the mean absolute difference is below this; 0: never."""
    repeat: float = number(0.0, 1.0)
    """The same frame again in motion: its peak of change is below this share of what moves around."""
    motion: float = number(0.0, 255.0)
    """Peak of change that counts as motion."""


@dataclass(frozen=True, kw_only=True)
class Clips:
    """Rules common to all clip sets."""

    before: int = number(1)
    """Frames stored before each missing frame where they exist: must cover every ablation's window."""
    after: int = number(1)
    """Frames stored after it."""
    validation_share: float = number(0.0, 0.5)
    """Share of a source's training videos (never clips) held out for validation."""
    max_dropped: float = number(0.0, 1.0)
    """Largest share of clips that may be dropped as unreadable before `clips` fails."""
    continuity: Continuity
    sets: dict[str, ClipSet]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """How a test set is evaluated."""

    title: str
    """Name in tables."""
    sampling: str | None = choice("dense", "uniform")
    """Sampling forced by the protocol (SNU-FILM: uniform); null: the ablation's own."""
    horizons: int = number(0, 64)
    """Frames that prediction is measured on, the missing one first; 0: for interpolation alone."""
    protocol: str
    """One sentence for the tables' footnotes."""

    def __post_init__(self) -> None:
        """Raise ValueError where what is to be predicted has uniform context."""
        if self.horizons and self.sampling == "uniform":
            raise ValueError(
                "horizons: prediction needs dense context, and this benchmark's is uniform; set 0"
            )


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """How results are measured."""

    probes: dict[str, int] = number(1)  # noqa: RUF009 -- a field's checks, no default
    """By benchmark: on how many of its clips, evenly spread, is measured what taking a window away
    changes."""
    edges: float = number(0.001, 1.0)
    """Share of a frame's pixels that count as edges: those of the steepest brightness in the truth."""
    threads: int = number(1, 256)
    """Processors to use: by as many processes that share the clips, or by threads where there is a GPU."""
    channels_last: bool
    """Lay convolutions out with channels last in memory: faster on most processors."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A declared paired comparison: `method` minus `against`."""

    family: str
    """Hypotheses that are corrected together; a file's name, too."""
    method: str
    against: str

    def __post_init__(self) -> None:
        """Raise ValueError where a method is compared with itself, or the family is no name."""
        if self.method == self.against:
            raise ValueError(f"{self.method} is compared with itself")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.family):
            raise ValueError(f"family: {self.family!r}: a name is a-z, 0-9 and _, and starts with a letter")


@dataclass(frozen=True, kw_only=True)
class Whole:
    """What the report reckons a whole training of the `thesis` profile with."""

    samples: int = number(1)
    """Training clips of an epoch."""
    clip_mb: float = number(0.0)
    """Megabytes on disk of a training clip's frames."""
    tflops: float = number(0.1)
    """Of the GPU assumed, 10^12 operations per second."""
    share: float = number(0.001, 1.0)
    """How much of that a training reaches."""
    main: tuple[str, ...]
    """The methods that the thesis cannot do without."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What the report compares, declared before results exist."""

    benchmark: str
    """The population of the research question (PICO)."""
    others: tuple[str, ...]
    """Further populations, which are judged apart."""
    comparisons: tuple[Comparison, ...]
    gate: dict[str, str]
    """By benchmark: a model that is not better there than this method is given no verdict there."""
    curve: tuple[str, ...]
    """Methods of growing windows, from the references alone on, whose gain over the first is drawn."""
    strips: tuple[str, ...]
    """Methods that pictures show beside the base."""
    worst: int = number(0)
    """How many of the worst clips of a benchmark are shown; 0: no pictures."""
    names: dict[str, str]
    """What readers call a method; its own name where none is given."""
    whole: Whole
    resamples: int = number(100)
    """Bootstrap resamples."""
    confidence: float = number(0.5, 0.999)
    """Coverage of intervals."""
    least_videos: int = number(2)
    """Fewest source videos with which the report answers the question at all."""
    least_interval: int = number(2)
    """Fewest source videos with which a method's own mean is given an interval."""
    least_seeds: int = number(1)
    """Fewest trainings of a method whose learnt parts a verdict depends on."""

    def __post_init__(self) -> None:
        """Raise ValueError where no methods are compared, or two twice in one family."""
        if not self.comparisons:
            raise ValueError("comparisons: at least one is needed; its method is the base of the report")
        seen = set()
        for comparison in self.comparisons:
            pair = (comparison.family, frozenset((comparison.method, comparison.against)))
            if pair in seen:
                raise ValueError(
                    f"comparisons: {comparison.method} and {comparison.against} stand twice in family "
                    f"{comparison.family}, which would change its correction"
                )
            seen.add(pair)


@dataclass(frozen=True, kw_only=True)
class Verify:
    """How far a rebuilt result may lie from the committed one."""

    metrics: dict[str, float] = number(0.0)  # noqa: RUF009 -- a field's checks, no default
    """By column of clips.csv: the largest difference of one clip."""
