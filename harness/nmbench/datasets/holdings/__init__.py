"""The real data sets that nmbench knows: how they are fetched, verified and found."""

from nmbench.datasets.holdings.advice import missing
from nmbench.datasets.holdings.catalogue import Holding, folder, holding, names

__all__ = ["Holding", "folder", "holding", "missing", "names"]
