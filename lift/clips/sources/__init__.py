"""Data sets in their official layouts.

To add one: write a subclass of `base.Source`, whose videos are folders of pictures unless `frames` says
otherwise (docs/data.md has an example), and name it in SOURCES; params.yaml then names it under
`sources` at the top level, and in a clip set.
"""

from lift.clips.sources import official, own
from lift.clips.sources.base import Source, Target, Video

__all__ = ["SOURCES", "Source", "Target", "Video"]

SOURCES: dict[str, Source] = {
    "vimeo90k": official.Septuplets(),
    "vimeo90k_triplet": official.Triplets(),
    "ucf101": official.Ucf101(),
    "ucf101_dvf": official.Ucf101Dvf(),
    "ucf101_qvi": official.Ucf101Qvi(),
    "davis": official.Davis(),
    "davis_flavr": official.DavisFlavr(),
    "snu_film": official.SnuFilm(),
    "x4k1000fps": official.X4K1000Fps(),
    "gopro": official.GoPro(),
    "cityscapes": official.Cityscapes(),
    "folder": own.Folder(),
    "scenes": own.Scenes(),
}
