"""KMNIST: 70,000 cursive Japanese characters, 28×28 (Clanuwat et al., 2018), from its IDX files."""

from __future__ import annotations

from latentlab.data import _idx
from latentlab.data.dataset import Dataset

FILES = "a folder of train-images-idx3-ubyte and so on, plain or .gz"
CLASSES = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


def load(path: str) -> Dataset:
    """The published training and test parts in a folder, with the syllables of their classes."""
    return _idx.published(path, "kmnist", CLASSES)
