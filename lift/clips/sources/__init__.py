"""Data sets in their official layouts, one small file each.

To add one: write a class with the attributes and methods of `base.Source` (a folder of pictures opens as
`Pictures`, a video file as `VideoFile`), and name it in SOURCES; params.yaml may then name it in
`profiles.<p>.sources` and in a clip set.
"""

from lift.clips.sources import ucf101_public
from lift.clips.sources.base import Source, Target, Video
from lift.clips.sources.cityscapes import Cityscapes
from lift.clips.sources.davis import Davis
from lift.clips.sources.davis_flavr import DavisFlavr
from lift.clips.sources.folder import Folder
from lift.clips.sources.gopro import GoPro
from lift.clips.sources.scenes import Scenes
from lift.clips.sources.snu_film import SnuFilm
from lift.clips.sources.ucf101 import Ucf101
from lift.clips.sources.vimeo90k import Vimeo90K
from lift.clips.sources.vimeo90k_triplet import Vimeo90KTriplet
from lift.clips.sources.x4k1000fps import X4K1000Fps

__all__ = ["SOURCES", "Source", "Target", "Video"]

SOURCES: dict[str, Source] = {
    "vimeo90k": Vimeo90K(),
    "vimeo90k_triplet": Vimeo90KTriplet(),
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
