"""Data sets in their official layouts, one small file each.

To add one: write a subclass of `base.Source`, whose videos are folders of pictures unless `open` says
otherwise (docs/data.md has an example), and name it in SOURCES; params.yaml may then name it in
`profiles.<p>.sources` and in a clip set.
"""

from lift.clips.sources import ucf101_public, vimeo90k
from lift.clips.sources.base import Source, Target, Video
from lift.clips.sources.cityscapes import Cityscapes
from lift.clips.sources.davis import Davis, DavisFlavr
from lift.clips.sources.folder import Folder
from lift.clips.sources.gopro import GoPro
from lift.clips.sources.scenes import Scenes
from lift.clips.sources.snu_film import SnuFilm
from lift.clips.sources.ucf101 import Ucf101
from lift.clips.sources.x4k1000fps import X4K1000Fps

__all__ = ["SOURCES", "Source", "Target", "Video"]

SOURCES: dict[str, Source] = {
    "vimeo90k": vimeo90k.SEPTUPLETS,
    "vimeo90k_triplet": vimeo90k.TRIPLETS,
    "ucf101": Ucf101(),
    "ucf101_dvf": ucf101_public.DVF,
    "ucf101_qvi": ucf101_public.QVI,
    "davis": Davis(),
    "davis_flavr": DavisFlavr(),
    "snu_film": SnuFilm(),
    "x4k1000fps": X4K1000Fps(),
    "gopro": GoPro(),
    "cityscapes": Cityscapes(),
    "folder": Folder(),
    "scenes": Scenes(),
}
