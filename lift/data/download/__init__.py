"""Data sets and weights over a network: resumed, checked, unpacked safely, recorded at first use."""

from lift.data.download.bring import bring, bring_all
from lift.data.download.catalogue import CATALOGUE, Dataset, Remote
from lift.data.download.weights import bring_contextnet

__all__ = ["CATALOGUE", "Dataset", "Remote", "bring", "bring_all", "bring_contextnet"]
