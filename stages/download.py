"""Stage `download`: bring every source of a profile to `data/<profile>/raw`, and pretrained weights.

A source with a `path` is used where it lies and nothing is copied; one with `render` is made as a procedural
stand-in in the official layout; an `optional` one without a path is left out; any other is downloaded and
unpacked. Archives, also those placed by hand, lie in `data/archives/<source>`; what each file was at its
first use stands in `data/manifest.json`, in git.

`raw/sources.json` says of each source what it holds, with a digest of all its files, also of a path's: it is
the dependency of `clips`, so that other footage is another. What was rendered from the same values by the
same code, and is whole, stays; an experiment in a tree of its own takes it, and what was downloaded, from the
checkout.
"""

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lift import imports
from lift.config import Config, load_all, resolved
from lift.config.parse import home, place
from lift.digest import digest
from lift.errors import UserError
from lift.fetch import BROUGHT, bring_all, bring_contextnet, bring_vgg19
from lift.files import read_json, share, write_json
from lift.scenes import layouts
from stages.common import MEMORY, PARAMS, RECORD, check_resolved, data_folder, run

ARCHIVES = Path("data/archives")
MANIFEST = Path("data/manifest.json")


def main(profile: str) -> None:
    """Download, make or check each source of `profile`, then record what each is."""
    config, methods = load_all(PARAMS, profile)
    check_resolved(profile, "download.json", resolved.download(config, methods.values()))
    raw, archives = data_folder(profile) / "raw", home() / ARCHIVES
    wanted = {
        name: raw / name
        for name, source in config.sources.items()
        if source.given and source.path is None and source.render is None
    }
    for folder in wanted.values():
        if not folder.exists() and (home() / folder / BROUGHT).is_file():
            share(home() / folder, folder)
    made = bring_all(wanted, MANIFEST, archives=archives, settings=config.download)
    for name, brought in made.items():
        brought["unpacked"] = _seen(config, wanted[name])
    made |= {name: _here(config, name) for name in config.sources if name not in wanted}
    _weights(config, methods.values(), archives)
    write_json(raw / RECORD, made)


def _seen(config: Config, folder: Path) -> dict[str, Any]:
    return digest(folder, home() / data_folder(config.profile) / MEMORY).plain()


def _here(config: Config, name: str) -> dict[str, Any]:
    """Say what a source is that is rendered, lies in a user's folder, or is not given."""
    source = config.sources[name]
    if source.render is not None:
        return _rendered(config, name)
    if not source.given:
        return {"origin": "not given"}
    if source.folder is None or not source.folder.is_dir():
        raise UserError(
            f"params.yaml: profiles.{config.profile}.sources.{name}.path: no folder {source.folder}; set it "
            f"to the folder that holds the data set, or to null to download it"
        )
    return {"origin": "local copy", "path": source.path, **_seen(config, source.folder)}


def _rendered(config: Config, name: str) -> dict[str, Any]:
    """Render a source, where it has not been already."""
    raw, render = data_folder(config.profile) / "raw", config.sources[name].render
    assert render is not None
    code, target = imports.digests(Path(layouts.__file__)), config.missing(name)
    values = json.dumps([dataclasses.asdict(render), config.seed, target, code], sort_keys=True)
    made_from = hashlib.sha256(values.encode()).hexdigest()
    record = {"origin": "procedural stand-in", "made_from": made_from}
    for known in (raw, home() / raw):
        found: dict[str, Any] = read_json(known / RECORD).get(name, {})  # where not: it is made again
        if found.get("made_from") == made_from and (known / name).is_dir():
            if not (raw / name).exists():
                share(known / name, raw / name)
            if found == record | _seen(config, raw / name):  # it is whole
                return found
    layouts.write(name, raw / name, render, config.seed, target=target)
    return record | _seen(config, raw / name)


def _weights(config: Config, methods: Iterable[Config], archives: Path) -> None:
    if config.model.pretrained is not None:
        path = home() / place(config.model.pretrained)
        bring_contextnet(path, MANIFEST, config.download, archives=archives)
    if any(method.loss.perceptual for method in methods):
        bring_vgg19(MANIFEST, config.download)


if __name__ == "__main__":
    run(main, "PROFILE")
