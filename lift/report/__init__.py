"""The report of a profile: statistics, tables, figures and a page, from results alone and without torch."""

from collections.abc import Mapping
from pathlib import Path

from lift.config import Config
from lift.files import atomic_folder, write_json

__all__ = ["write", "write_chosen"]

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
    from lift.environment import describe
    from lift.report import figures, page, tables
    from lift.report.comparisons import Findings
    from lift.report.figures import strips
    from lift.report.reading import check_made, read

    if UNTRAINED in config.baselines:
        configs = {**configs, UNTRAINED: config}
    check_made(config, configs, data)
    results, predicted = (read(config, configs, data, task) for task in ("interpolate", "predict"))
    found, pictures = Findings(results=results, predicted=predicted, planned=planned), strips.read(results)
    public, private = (
        [p for p in pictures if results.procedural[p.benchmark] is one] for one in (True, False)
    )
    with atomic_folder(data / "scratch" / "strips") as folder:
        figures.write(strips.drawn(results, private), folder)
    with atomic_folder(out) as folder:
        tabled, drawn = tables.build(found), [*figures.plan(found), *strips.drawn(results, public)]
        tables.write(tabled, folder / "tables")
        figures.write(drawn, folder / "figures")
        write_json(folder / "environment.json", describe())
        page.write(found, tabled, drawn, folder)


def write_chosen(path: Path, config: Config, configs: Mapping[str, Config], data: Path) -> None:
    """Write what `dvc exp show` lists: mean PSNR (dB) where the question is asked, and on scenes.

    Listed are those of the methods trained here that the declared comparisons name; all of them, where these
    name none.

    Args:
        path: The JSON file: method -> benchmark -> PSNR; of prediction that of the next frame.
        config: The profile's, without a method.
        configs: Those of its methods that have a model.
        data: data/<profile>.

    Raises:
        UserError: A file of results is broken, or the disk is full.
    """
    from lift.config.abilities import predicts
    from lift.report.reading import read_json

    named = {name for c in config.report.comparisons for name in (c.method, c.against)}
    found: dict[str, dict[str, float]] = {}
    for name in [name for name in config.ablations if name in named] or config.ablations:
        means = data / "results" / name / "metrics.json"
        if means.is_file():
            stated, key = read_json(means), "psnr_1" if predicts(configs[name], name) else "psnr"
            benchmarks = dict.fromkeys((config.report.benchmark, "scenes"))
            found[name] = {b: round(stated[b][key], 3) for b in benchmarks if key in stated.get(b, {})}
    write_json(path, found, sort=False)
