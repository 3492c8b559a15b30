"""What tables, figures and page are made from: results, and what follows from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from lift.config import Config
from lift.report import measured, pictures
from lift.report.comparisons import decided, declared
from lift.report.measured import Measured
from lift.report.pictures import Shown
from lift.report.results import Results
from lift.report.strata import by_stratum
from lift.report.traces import Curves, read_curves


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Results of both tasks; all that follows is worked out once, where it is first asked for."""

    results: Results
    predicted: Results
    """Of methods that predict."""
    planned: tuple[Config, Mapping[str, Config]]
    """The thesis profile and its models, for what they would cost."""

    @cached_property
    def tests(self) -> pd.DataFrame:
        """The declared comparisons, tested."""
        return declared(self.results)

    @cached_property
    def verdicts(self) -> pd.DataFrame:
        """What comes of them."""
        return decided(self.results, self.tests)

    @cached_property
    def strata(self) -> pd.DataFrame:
        """The base's gain by kind of video."""
        return by_stratum(self.results)

    @cached_property
    def curves(self) -> dict[str, Curves]:
        """Of the trainings."""
        return read_curves(self.results)

    @cached_property
    def pictures(self) -> list[Shown]:
        """Kept pictures of clips, of all footage."""
        return pictures.read(self.results)

    @cached_property
    def whole(self) -> Measured:
        """Costs at the thesis' widths."""
        return measured.read(measured.FOLDER, self.planned[0].profile)
