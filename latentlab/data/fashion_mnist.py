"""Fashion-MNIST: 70,000 articles of clothing, 28×28 (Xiao, Rasul, Vollgraf, 2017), from its IDX files."""

from __future__ import annotations

from latentlab.data import _idx
from latentlab.data.dataset import Dataset

FILES = "a folder of train-images-idx3-ubyte and so on, plain or .gz"
CLASSES = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
)  # fmt: skip


def load(path: str) -> Dataset:
    """The published training and test parts in a folder, with the names of their classes."""
    return _idx.published(path, "fashion-mnist", CLASSES)
