"""Stage `download`: bring every source of a profile to `data/<profile>/raw`.

A source with a `path` is used where it lies and nothing is copied; one with `render` is made as a procedural
stand-in in the official layout; for a real data set without a path a message says how to get it.
"""

import json

from lift.config import Config, Source, load
from lift.data.sources import SOURCES
from lift.errors import UserError
from lift.files import atomic
from stages.common import PARAMS, data_folder, run


def main(profile: str) -> None:
    """Make or check each source of `profile`, then record what each is."""
    config = load(PARAMS, profile)
    raw = data_folder(profile) / "raw"
    made = {name: _bring(config, name, source) for name, source in config.sources.items()}
    with atomic(raw / "sources.json") as temporary:
        temporary.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")


def _bring(config: Config, name: str, source: Source) -> dict[str, object]:
    if source.render is not None:
        from lift.scenes.layouts import WRITERS

        WRITERS[name](
            data_folder(config.profile) / "raw" / name, source.render, config.seed, target=config.clips.before
        )
        return {"origin": "procedural stand-in"}
    if source.path is None:
        raise UserError(
            f"params.yaml: profiles.{config.profile}.sources.{name}.path: no data set there; "
            f"{SOURCES[name].obtain}, then set the path to the folder that holds it"
        )
    return {"origin": "local copy", "path": source.path}


if __name__ == "__main__":
    run(main, "PROFILE")
