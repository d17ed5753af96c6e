"""Data sets: cards, readers, preparation, splits and scaling."""

from tsxfer.data.card import Card, Dataset, RemoteFile, Whole, dataset, synthetic
from tsxfer.data.series import Series

__all__ = ["Card", "Dataset", "RemoteFile", "Series", "Whole", "dataset", "synthetic"]
