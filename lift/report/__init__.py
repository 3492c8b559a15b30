"""The report of a profile: statistics, tables, figures and a page, from results alone and without torch."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lift.config import Config
from lift.files import full_disk_explained

__all__ = ["write"]

UNTRAINED = "untrained"  # the baseline that is the base model before its first step, with the base's window


def write(
    config: Config,
    data: Path,
    out: Path,
    configs: Mapping[str, Config],
    planned: tuple[Config, Mapping[str, Config]],
) -> None:
    """Write the whole report of a profile; what stood at `out` stays until the new one is complete.

    environment.json says with what it was made: equal bytes can be asked of the same alone. Pictures of
    footage that is not rendered are drawn below data/<profile>/scratch, as they may not be published.

    Args:
        config: The profile's configuration, without an ablation.
        data: data/<profile>: results, training curves and summaries of the clip sets.
        out: reports/<profile>; replaced as a whole.
        configs: Those of its methods that have a model.
        planned: The thesis profile and those of its methods, for what their trainings would cost.

    Raises:
        UserError: An input is missing, broken, of another configuration, or not comparable with the others;
            or the disk is full.
    """
    if UNTRAINED in config.baselines:
        configs = {**configs, UNTRAINED: config}
    with full_disk_explained(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        try:
            _fill(config, configs, data, fresh, planned)
            _swap(fresh, out)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


def _fill(
    config: Config,
    configs: Mapping[str, Config],
    data: Path,
    folder: Path,
    planned: tuple[Config, Mapping[str, Config]],
) -> None:
    from lift.report import figures, page, provenance, tables
    from lift.report.figures.strips import strip
    from lift.report.findings import Findings
    from lift.report.made import check_made
    from lift.report.reading import read

    check_made(config, configs, data)
    results, predicted = (read(config, configs, data, task) for task in ("interpolate", "predict"))
    found = Findings(results=results, predicted=predicted, planned=planned)
    public = [one for one in found.pictures if results.procedural[one.benchmark]]
    tabled, drawn = tables.build(found), figures.plan(found, public)
    tables.write(tabled, folder / "tables")
    figures.write_all(drawn, folder / "figures")
    apart = data / "scratch" / "strips"
    shutil.rmtree(apart, ignore_errors=True)
    figures.write_all([strip(results, one) for one in found.pictures if one not in public], apart)
    made = provenance.describe(results, predicted.methods)
    environment = json.dumps(made.environment, indent=1, sort_keys=True)
    (folder / "environment.json").write_text(f"{environment}\n", encoding="utf-8")
    page.write(found, tabled, drawn, made, folder)


def _swap(fresh: Path, out: Path) -> None:
    """Put `fresh` in the place of `out`; two renames, so that no moment leaves a half-written report."""
    fresh.chmod(0o755)  # mkdtemp makes private folders
    old = fresh.with_name(f"{fresh.name}.old")
    if out.exists():
        out.rename(old)
    try:
        fresh.rename(out)
    except OSError:
        if old.exists():
            old.rename(out)
        raise
    shutil.rmtree(old, ignore_errors=True)
