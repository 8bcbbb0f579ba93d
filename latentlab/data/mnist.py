"""MNIST: 70,000 handwritten digits, 28×28 (LeCun, Cortes, Burges, 1998), from its IDX files."""

from __future__ import annotations

from latentlab.data import _idx
from latentlab.data.dataset import Dataset

FILES = "a folder of train-images-idx3-ubyte and so on, plain or .gz"


def load(path: str) -> Dataset:
    """The published training and test parts in a folder, with labels."""
    return _idx.published(path, "mnist")
