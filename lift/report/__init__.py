"""The report of a profile: statistics, tables, figures and a page, from results alone and without torch."""

from collections.abc import Mapping
from pathlib import Path

from lift.config import Config
from lift.environment import describe
from lift.files import atomic_folder, write_json
from lift.report import page, tables
from lift.report.comparisons import Findings
from lift.report.figures import plots, strips, style
from lift.report.reading import check_made, read
from lift.report.results import Results

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

    environment.json says with what: equal bytes can be asked of the same alone. Below data/<profile> go
    scratch/strips, pictures of real footage, which may not be published, and metrics.json for `dvc exp show`.

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
    check_made(config, configs, data)
    results, predicted = (read(config, configs, data, task) for task in ("interpolate", "predict"))
    found, pictures = Findings(results=results, predicted=predicted, planned=planned), strips.read(results)
    public, private = (
        [p for p in pictures if results.procedural[p.benchmark] is one] for one in (True, False)
    )
    with atomic_folder(data / "scratch" / "strips") as folder:
        style.write(strips.drawn(results, private), folder)
    with atomic_folder(out) as folder:
        tabled, drawn = tables.build(found), [*plots.plan(found), *strips.drawn(results, public)]
        tables.write(tabled, folder / "tables")
        style.write(drawn, folder / "figures")
        write_json(folder / "environment.json", describe())
        page.write(found, tabled, drawn, folder)
    write_json(data / "metrics.json", _chosen(results, predicted), sort=False)


def _chosen(results: Results, predicted: Results) -> dict[str, dict[str, float]]:
    """Return what `dvc exp show` lists: method -> benchmark -> mean PSNR (dB), or that of the next frame.

    Listed are those of the methods trained here that the declared comparisons name; all, if these name none.
    """
    trained = (*results.config.ablations, *predicted.config.ablations)
    found: dict[str, dict[str, float]] = {}
    for name in [name for name in trained if name in results.compared] or trained:
        own = results if name in results.methods else predicted
        for benchmark in dict.fromkeys((results.config.report.benchmark, "scenes")):
            if (frame := own.frame(name, benchmark)) is not None:
                rows = frame[frame["horizon"] == 1] if "horizon" in frame else frame
                found.setdefault(name, {})[benchmark] = round(float(rows["psnr"].mean()), 3)
    return found
