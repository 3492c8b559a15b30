"""What each data set consists of: official file names, addresses, published sizes and licences.

Addresses and sizes: the data sets' own pages, gathered in docs/data.md. No
checksum of these archives is published, so none is pinned here: size and sha256 are recorded when a file is
first used and hold from then on (`manifest.py`).
"""

from dataclasses import dataclass

GB = 10**9


@dataclass(frozen=True, kw_only=True)
class Remote:
    """One file of a data set."""

    name: str
    """The official file name."""
    kind: str
    """zip, tar.gz, rar, or weights (PyTorch's, not unpacked)."""
    page: str
    """Where a person gets it."""
    urls: tuple[str, ...] = ()
    """Addresses, the official one first, then mirrors; none: only a person can get it (a login, a form)."""
    about: int | None = None
    """Published size in bytes, rounded; None: nobody states it."""
    size: int | None = None
    """Exact size in bytes, where it is known."""
    sha256: str = ""
    """Hexadecimal digest or its first digits, where they are known."""
    expands: float = 1.5
    """Bytes unpacked over bytes packed, at most: footage is compressed before it is packed."""
    into: str = "."
    """Folder within the data set's to unpack to."""
    holds: tuple[str, ...] = ()
    """What lies directly in `into` in the end; folders that the archive puts around it are taken off."""


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set as its authors offer it."""

    title: str
    licence: str
    files: tuple[Remote, ...]


def drive(key: str) -> str:
    """Return the address of a file on Google Drive that skips the page asking whether to scan it."""
    return f"https://drive.usercontent.google.com/download?id={key}&export=download&confirm=t"


TOFLOW = "http://toflow.csail.mit.edu"
UCF = "https://www.crcv.ucf.edu/data/UCF101"
CAIN = "https://myungsub.github.io/CAIN"
XVFI = "https://github.com/JihyongOh/XVFI#x4k1000fps"

CATALOGUE: dict[str, Dataset] = {
    "vimeo90k": Dataset(
        title="Vimeo-90K septuplet",
        licence="for research; clips from Vimeo, no licence text is published",
        files=(
            Remote(
                name="vimeo_septuplet.zip",
                kind="zip",
                page=TOFLOW,
                urls=("http://data.csail.mit.edu/tofu/dataset/vimeo_septuplet.zip",),
                about=82 * GB,
                holds=("sequences", "sep_trainlist.txt", "sep_testlist.txt"),
            ),
        ),
    ),
    "vimeo90k_triplet": Dataset(
        title="Vimeo-90K triplet",
        licence="for research; clips from Vimeo, no licence text is published",
        files=(
            Remote(
                name="vimeo_triplet.zip",
                kind="zip",
                page=TOFLOW,
                urls=("http://data.csail.mit.edu/tofu/dataset/vimeo_triplet.zip",),
                about=33 * GB,
                holds=("sequences", "tri_trainlist.txt", "tri_testlist.txt"),
            ),
        ),
    ),
    "ucf101": Dataset(
        title="UCF101",
        licence="for research",
        files=(
            Remote(
                name="UCF101.rar",
                kind="rar",
                page=UCF,
                urls=(
                    f"{UCF}/UCF101.rar",
                    "https://www.crcv.ucf.edu/datasets/human-actions/ucf101/UCF101.rar",
                ),
                about=6_700_000_000,
                holds=("UCF-101",),
            ),
            Remote(
                name="UCF101TrainTestSplits-RecognitionTask.zip",
                kind="zip",
                page=UCF,
                urls=(f"{UCF}/UCF101TrainTestSplits-RecognitionTask.zip",),
                about=114_000,
                expands=100.0,  # lists are text
                holds=("ucfTrainTestlist",),
            ),
        ),
    ),
    # Given out by links to shared drives that come and go: by hand.
    "ucf101_dvf": Dataset(
        title="UCF101 DVF-379",
        licence="non-commercial",
        files=(
            Remote(
                name="ucf101_interp_ours.zip",
                kind="zip",
                page="https://github.com/liuziwei7/voxel-flow",
                into="ucf101_interp_ours",
                holds=("1",),
            ),
        ),
    ),
    "ucf101_qvi": Dataset(
        title="UCF101 QVI-100",
        licence="for research",
        files=(
            Remote(
                name="ucf101_extracted.zip",
                kind="zip",
                page="https://sites.google.com/view/xiangyuxu/qvi_nips19",
            ),
        ),
    ),
    "davis": Dataset(
        title="DAVIS 2017",
        licence="code BSD; footage for research",
        files=(
            Remote(
                name="DAVIS-2017-trainval-480p.zip",
                kind="zip",
                page="https://davischallenge.org/davis2017/code.html",
                urls=(
                    "https://data.vision.ee.ethz.ch/csergi/share/davis/DAVIS-2017-trainval-480p.zip",
                    "https://data.vision.ee.ethz.ch/jpont/davis/DAVIS-2017-trainval-480p.zip",
                ),
                about=800_000_000,
                holds=("JPEGImages", "ImageSets"),
            ),
        ),
    ),
    "snu_film": Dataset(
        title="SNU-FILM",
        licence="GoPro frames CC BY 4.0; YouTube frames belong to their makers, for research",
        files=(
            Remote(
                name="eval_modes.zip",
                kind="zip",
                page=CAIN,
                urls=(
                    "https://www.dropbox.com/s/2zmnzsquv5ounvq/eval_modes.zip?dl=1",
                    drive("1qqFsK15_D_rDNIXCqrzpoxx2Z7ZE7UWE"),
                ),
                expands=100.0,  # lists are text
                into="eval_modes",
                holds=("test-easy.txt", "test-medium.txt", "test-hard.txt", "test-extreme.txt"),
            ),
            Remote(
                name="snufilm-test.zip",
                kind="zip",
                page=CAIN,
                urls=(
                    "https://www.dropbox.com/s/32wpcpt5izkhoh8/snufilm-test.zip?dl=1",
                    drive("1O9Mp0rKH6OJBxohhjVUMFKMRwnlD4c3-"),
                ),
                into="test",
                holds=("GOPRO_test", "YouTube_test"),
            ),
        ),
    ),
    # One shared Dropbox folder, from which a browser takes single files and a program only all at once, above
    # the size that Dropbox packs: by hand.
    "x4k1000fps": Dataset(
        title="X4K1000FPS",
        licence="for research and education only",
        files=(
            Remote(name="encoded_train.tar.gz", kind="tar.gz", page=XVFI, about=14 * GB, into="train"),
            Remote(name="encoded_test.tar.gz", kind="tar.gz", page=XVFI, into="test"),
        ),
    ),
    "gopro": Dataset(
        title="GoPro",
        licence="CC BY 4.0",
        files=(
            Remote(
                name="GOPRO_Large_all.zip",
                kind="zip",
                page="https://seungjunnah.github.io/Datasets/gopro",
                urls=(
                    "http://data.cv.snu.ac.kr:8008/webdav/dataset/GOPRO/GOPRO_Large_all.zip",
                    drive("1rJTmM9_mLCNzBUUhYIGldBYgup279E_f"),
                ),
                holds=("train", "test"),
            ),
        ),
    ),
    "cityscapes": Dataset(
        title="Cityscapes sequences",
        licence="non-commercial; registration at cityscapes-dataset.com",
        files=(
            Remote(
                name="leftImg8bit_sequence_trainvaltest.zip",
                kind="zip",
                page="https://www.cityscapes-dataset.com/downloads (registration, then log in)",
                about=324 * GB,
                holds=("leftImg8bit_sequence",),
            ),
        ),
    ),
}

# The same archive: only the list of clips differs.
CATALOGUE["davis_flavr"] = CATALOGUE["davis"]

CONTEXTNET = Remote(
    name="RIFE_trained_model_v2.3.zip",
    kind="zip",
    page="https://github.com/hzwer/Practical-RIFE/issues/128",
    urls=(drive("1VdzN9beh7qi4up9hS7dsEg6WOwUdBh-Q"),),
    expands=4.0,
    holds=("contextnet.pkl",),
)
"""RIFE 2.3 (MIT), the whole trained model; its ContextNet is one file of it."""

VGG19 = Remote(
    name="vgg19-dcbb9e9d.pth",
    kind="weights",
    page="https://pytorch.org/vision/stable/models/generated/torchvision.models.vgg19.html",
    urls=("https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",),
    about=574_673_361,
    sha256="dcbb9e9d",
)
"""VGG-19's ImageNet weights (torchvision's, BSD-3), of the loss part `perceptual`; a test holds the address
to torchvision's own. The name carries the first digits of the sha256.
"""
