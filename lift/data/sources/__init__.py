"""Data sets in their official layouts, one small file each.

To add one: write a class with the attributes and methods of `base.Source` (a folder of pictures opens as
`Pictures`, a video file as `VideoFile`), and name it in SOURCES; params.yaml may then name it in
`profiles.<p>.sources` and in a clip set.
"""

from lift.data.sources.base import Source, Target, Video
from lift.data.sources.davis import Davis
from lift.data.sources.scenes import Scenes
from lift.data.sources.snu_film import SnuFilm
from lift.data.sources.ucf101 import Ucf101
from lift.data.sources.vimeo90k import Vimeo90K

__all__ = ["SOURCES", "Source", "Target", "Video"]

SOURCES: dict[str, Source] = {
    "vimeo90k": Vimeo90K(),
    "ucf101": Ucf101(),
    "davis": Davis(),
    "snu_film": SnuFilm(),
    "scenes": Scenes(),
}
