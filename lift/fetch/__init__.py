"""Data sets and weights over a network: resumed, checked, unpacked safely, recorded at first use."""

from lift.fetch.bring import BROUGHT, bring_all, bring_contextnet, bring_vgg19
from lift.fetch.catalogue import CATALOGUE, Dataset, Remote

__all__ = [
    "BROUGHT", "CATALOGUE", "Dataset", "Remote", "bring_all", "bring_contextnet", "bring_vgg19",
]  # fmt: skip
