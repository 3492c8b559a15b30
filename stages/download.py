"""Stage `download`: bring every source of a profile to `data/<profile>/raw`, and pretrained weights.

A source with a `path` is used where it lies and nothing is copied; one with `render` is made as a procedural
stand-in in the official layout; an `optional` one without a path is left out; any other is downloaded and
unpacked. Archives, also those placed by hand, lie in `data/archives/<source>`; what each file was at its
first use stands in `data/manifest.json`, in git.
"""

import json
from pathlib import Path

from lift.config import Config, Source, load
from lift.config.parse import place
from lift.errors import UserError
from lift.fetch import bring_all, bring_contextnet
from lift.files import atomic
from stages.common import PARAMS, data_folder, run

ARCHIVES = Path("data/archives")
MANIFEST = Path("data/manifest.json")


def main(profile: str) -> None:
    """Download, make or check each source of `profile`, then record what each is."""
    config = load(PARAMS, profile)
    raw = data_folder(profile) / "raw"
    wanted = {
        name: raw / name
        for name, source in config.sources.items()
        if source.given and source.path is None and source.render is None
    }
    made = bring_all(wanted, MANIFEST, archives=ARCHIVES, settings=config.download)
    made |= {
        name: _here(config, name, source, raw / name)
        for name, source in config.sources.items()
        if name not in wanted
    }
    _weights(config)
    with atomic(raw / "sources.json") as temporary:
        temporary.write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")


def _here(config: Config, name: str, source: Source, folder: Path) -> dict[str, object]:
    if source.render is not None:
        from lift.scenes.layouts import WRITERS

        WRITERS[name](folder, source.render, config.seed, target=config.missing(name))
        return {"origin": "procedural stand-in"}
    if not source.given:
        return {"origin": "not given"}
    if source.folder is None or not source.folder.is_dir():
        raise UserError(
            f"params.yaml: profiles.{config.profile}.sources.{name}.path: no folder {source.folder}; set it "
            f"to the folder that holds the data set, or to null to download it"
        )
    return {"origin": "local copy", "path": source.path}


def _weights(config: Config) -> None:
    if config.model.pretrained is not None:
        bring_contextnet(place(config.model.pretrained), MANIFEST, config.download, archives=ARCHIVES)


if __name__ == "__main__":
    run(main, "PROFILE")
