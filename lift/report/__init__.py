"""The report of a profile: statistics, tables, figures and a page, from results alone and without torch."""

from collections.abc import Mapping
from pathlib import Path

from lift.config import Config
from lift.files import atomic_folder, write_json

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
    # Here, as the modules of this package import it.
    from lift.report import figures, page, provenance, tables
    from lift.report.figures.strips import strip
    from lift.report.findings import Findings
    from lift.report.reading import check_made, read

    if UNTRAINED in config.baselines:
        configs = {**configs, UNTRAINED: config}
    check_made(config, configs, data)
    results, predicted = (read(config, configs, data, task) for task in ("interpolate", "predict"))
    found = Findings(results=results, predicted=predicted, planned=planned)
    public = [one for one in found.pictures if results.procedural[one.benchmark]]
    made = provenance.describe(results, predicted.methods)
    with atomic_folder(data / "scratch" / "strips") as folder:
        figures.write_all([strip(results, one) for one in found.pictures if one not in public], folder)
    with atomic_folder(out) as folder:
        tabled, drawn = tables.build(found), figures.plan(found, public)
        tables.write(tabled, folder / "tables")
        figures.write_all(drawn, folder / "figures")
        write_json(folder / "environment.json", made.environment)
        page.write(found, tabled, drawn, made, folder)
