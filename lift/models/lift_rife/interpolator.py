"""LIFT on RIFE: `flow: rife`, with nothing learnt on top (`refinement: none`) or the fusion (`fusion`)."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from lift.config.schema import Model
from lift.models.interface import Interpolator, Output, check_inputs
from lift.models.lift_rife.fusion import Fusion, candidates, evidence
from lift.models.lift_rife.window import Interpolated, RifeWindow
from lift.models.lineup import SPAN, pick_present, slot_of
from lift.models.matching.variational import each_frame, references_in
from lift.models.pretrained import LoadReport
from lift.ops.pad import pad_to_multiple

MULTIPLE = 4  # of the sides: flow and visibility are also given at a quarter
CLOSE = 1e-3  # of offsets that are to be equal, for arbitrary times are not exact in float32


class Known(NamedTuple):
    """What is made of one frame alone, for all that it helps to make.

    Attributes:
        frame: Padded to multiples of 4, (1, 3, H, W).
        small: The same at half the size, (1, 3, H/2, W/2).
        size: (H, W) before padding.
        features: Of RIFE's encoder, padded as RIFE pads; None: computed where they are needed.
    """

    frame: Tensor
    small: Tensor
    size: tuple[int, int]
    features: Tensor | None


class LiftRife(Interpolator):
    """RIFE v4.25 corrected by the window around its two frames, at any time between them.

    For the frame at time t between the references, 0 at the first and 1 at the second, the frame k places
    after the first reference has the offset 2·(k − t): −2·t and 2 − 2·t are the references', ±1 at t = 1/2.
    """

    any_time = True

    def __init__(self, model: Model) -> None:
        """Build the model that `model` describes; see `RifeWindow` for errors."""
        super().__init__()
        self.window = RifeWindow(model)
        self.fusion = Fusion(model.lift_rife.fusion_width) if model.refinement == "fusion" else None
        self.reach = model.lift_rife.reach if model.use_context else 0
        self.multiple = self.window.rife.multiple

    def forward(self, frames: Tensor, offsets: Tensor, valid: Tensor, target: Tensor | None = None) -> Output:
        """Predict the frame at offset 0.

        Arguments, result and errors as for every `Interpolator`; but the references may be at any offsets
        −2·t and 2 − 2·t, the same of all samples.
        """
        check_inputs(frames, offsets, valid)
        offsets = offsets.float()
        _check_references(offsets, valid)
        rows = zip(offsets.cpu(), valid.cpu(), strict=True)  # at once: a GPU would be waited for at each
        used = sorted({offset for times, there in rows for offset in self._used(times[there].tolist())})
        chosen, present = pick_present(frames, offsets, valid, tuple(used))  # (B, F, 3, H, W), (B, F)
        size = (frames.shape[3], frames.shape[4])
        chosen = each_frame(lambda maps: pad_to_multiple(maps, MULTIPLE)[0], chosen)
        small = each_frame(lambda maps: F.avg_pool2d(maps, 2), chosen)
        made, frame = self._made(chosen, small, used, present, size)
        return self.full_output(frame, made.flow, made.visible[:, :1], size)

    def know(self, image: Tensor) -> Known:
        """Pad, shrink, and compute RIFE's features."""
        padded, size = pad_to_multiple(image, MULTIPLE)
        black, _ = pad_to_multiple(image, self.multiple, "constant")
        return Known(padded, F.avg_pool2d(padded, 2), size, self.window.rife.encode(black))

    def forget(self, known: Known) -> Known:
        """Drop RIFE's features, which references alone need."""
        return known._replace(features=None)

    def make(self, known: Mapping[float, Known]) -> Output:
        """Predict the frame at offset 0; see `Interpolator.make`."""
        rounded = torch.tensor(list(known), dtype=torch.float32).tolist()  # as `forward` has them
        exact = dict(zip(rounded, known.values(), strict=True))
        used = self._used(exact)
        chosen, small = (torch.stack([exact[o][part] for o in used], dim=1) for part in (0, 1))
        features = [one for end in references_in(used) if (one := exact[end].features) is not None]
        encoded = torch.cat(features) if features else None
        present = torch.ones(1, len(used), dtype=torch.bool, device=chosen.device)
        size = exact[used[0]].size
        return Output(self.shown(self._made(chosen, small, used, present, size, encoded)[1], size))

    def _used(self, offsets: Iterable[float]) -> list[float]:
        """Return the offsets of a sample's references and of the frames beyond them that are looked at."""
        chosen: list[float] = []
        for side in (-1, 1):
            near = sorted((o for o in offsets if side * o > 0), key=abs)
            chosen += near[: 1 + self.reach]
            if self.reach:
                further = near[1 + self.reach : 2 + self.reach]
                chosen += [o for o in further if abs(o - near[0]) >= self.window.options.onward_from]
        return sorted(chosen)

    def _made(
        self,
        chosen: Tensor,
        small: Tensor,
        offsets: list[float],
        present: Tensor,
        size: tuple[int, int],
        features: Tensor | None = None,
    ) -> tuple[Interpolated, Tensor]:
        """Return what the window makes of frames (B, F, 3, H, W), and the frame after what is learnt."""
        references = torch.cat([chosen[:, offsets.index(end)] for end in references_in(offsets)])
        made = self.window(references, small, offsets, present, size, features)
        if self.fusion is None:
            return made, made.frame
        return made, self.fusion(candidates(chosen, offsets, made), evidence(made, self.window.options))

    def load_pretrained(self, path: Path | str) -> LoadReport:
        """Stand on the RIFE v4.25 of another file; see `load_released`."""
        self.load_report = self.window.load(path)
        return self.load_report


def _check_references(offsets: Tensor, valid: Tensor) -> None:
    """Refuse references, the nearest on either side, that are not SPAN apart, or at another time in a sample.

    Raises:
        ValueError: They are, or a sample lacks one.
    """
    before = offsets.masked_fill(~valid | (offsets >= 0), -torch.inf).amax(dim=1)
    after = offsets.masked_fill(~valid | (offsets <= 0), torch.inf).amin(dim=1)
    ends = torch.stack((before, after))
    if bool(((after - before - SPAN).abs() < CLOSE).all()) and bool((ends == ends[:, :1]).all()):
        for end in ends:
            slot_of(offsets, valid, end)  # refuses two frames at one time
        return
    for offset in (-SPAN / 2, SPAN / 2):
        slot_of(offsets, valid, torch.full_like(before, offset))  # names what is missing
    raise ValueError(f"offsets: the references of a batch are at one time; found {ends.T.tolist()}")
