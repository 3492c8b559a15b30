"""Kept frames of a few clips (examples.zip), read on demand, and the rule that chooses which are shown."""

import dataclasses
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pandas as pd

from lift.errors import UserError
from lift.report.results import Results

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Example:
    """One clip whose frames were kept."""

    benchmark: str
    clip: str
    slug: str
    psnr: float
    """Of the method that was asked for the list, dB."""
    rank: str = ""
    """best, median or worst of the kept clips; empty: not chosen."""
    kept: int = 0
    """Of how many kept clips of its benchmark; 0: not chosen."""

    @property
    def place(self) -> str:
        """Its rank in words that do not promise more clips than were kept."""
        if self.kept == 2:
            return f"{'better' if self.rank == 'best' else 'worse'} of 2 kept clips"
        return "only kept clip" if self.kept == 1 else f"{self.rank} of {self.kept} kept clips"


@dataclass(frozen=True)
class Examples:
    """The kept frames of all methods of a profile."""

    data: Path
    """data/<profile>."""

    def listed(self, method: str) -> list[Example]:
        """List a method's kept clips; empty where it has none.

        Raises:
            UserError: The archive is broken.
        """
        archive = _open(self.data / "results" / method / "examples.zip")
        if archive is None:
            return []
        table = pd.read_csv(io.BytesIO(archive.read("index.csv")), dtype={"clip": str, "slug": str})
        columns = zip(table["benchmark"], table["clip"], table["slug"], table["psnr"], strict=True)
        return [Example(benchmark=b, clip=c, slug=s, psnr=float(p)) for b, c, s, p in columns]

    def picture(self, method: str, example: Example, name: str) -> Image | None:
        """Return one kept picture, uint8 RGB [H, W, 3]; None where the method has no such picture.

        Raises:
            UserError: The picture cannot be decoded.
        """
        stored = self.stored(method, example, f"{name}.png")
        if stored is None:
            return None
        image = cv2.imdecode(np.frombuffer(stored, np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise UserError(
                f"results/{method}/examples.zip: {example.slug}/{name}.png is broken; evaluate again"
            )
        return np.ascontiguousarray(image[..., ::-1]).astype(np.uint8)

    def flow(self, method: str, example: Example, name: str) -> npt.NDArray[np.float32] | None:
        """Return the kept flow to offset -1, (2, h, w), pixels at its own resolution; None: there is none."""
        stored = self.stored(method, example, f"{name}.npy")
        if stored is None:
            return None
        flow: npt.NDArray[np.float32] = np.load(io.BytesIO(stored), allow_pickle=False)[:2].astype(np.float32)
        return flow

    def stored(self, method: str, example: Example, name: str) -> bytes | None:
        """Return an entry's bytes; None where there is none."""
        archive = _open(self.data / "results" / method / "examples.zip")
        entry = f"{example.benchmark}/{example.slug}/{name}"
        return None if archive is None or entry not in archive.NameToInfo else archive.read(entry)


@cache
def _open(path: Path) -> zipfile.ZipFile | None:
    if not path.is_file():
        return None
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise UserError(f"{path}: a broken archive; evaluate again") from error


def check_kept(results: Results) -> None:
    """Refuse to make a report without the pictures that evaluation kept: it would replace one that has them.

    Raises:
        UserError: A measured method has no examples.zip (which git does not hold), though
            `evaluate.examples` asks for some.
    """
    for method in (m for m in results.methods if results.rows.get(m)):
        path = results.data / "results" / method / "examples.zip"
        if results.config.evaluate.examples and not path.is_file():
            raise UserError(f"{path}: not found beside clips.csv; run `dvc checkout` or evaluate again")


def chosen(examples: Sequence[Example]) -> list[Example]:
    """Choose the best, median and worst kept clip of each benchmark by PSNR, never by eye."""
    picked = []
    for benchmark in dict.fromkeys(example.benchmark for example in examples):
        own = sorted((e for e in examples if e.benchmark == benchmark), key=lambda e: (-e.psnr, e.clip))
        ranks = {0: "best", len(own) - 1: "worst"} if len(own) > 1 else {0: "only"}
        if len(own) > 2:
            ranks[len(own) // 2] = "median"
        picked += [
            dataclasses.replace(own[place], rank=ranks[place], kept=len(own)) for place in sorted(ranks)
        ]
    return picked
