"""scikit-learn's digits: 1,797 real handwritten digits, 8×8 (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Dataset


def load() -> Dataset:
    """The digits with grey levels 0 … 16 stretched to 0 … 255, and their labels. Nothing is downloaded.

    >>> load()
    Dataset('digits': 1,797 images 1×8×8; labels)
    """
    table = _table()
    images = np.round(table[:, :-1].reshape(-1, 1, 8, 8) * (255 / 16)).astype(np.uint8)
    return Dataset(
        name="digits",
        shape=images.shape,
        read=images.__getitem__,
        labels=table[:, -1].astype(np.int64),
        label_names=tuple("0123456789"),
        source={"name": "digits"},
    )


def _table() -> NDArray[np.float64]:
    """Grey levels and digit of each image (1797, 65), off scikit-learn's file: its reader takes a second to import."""
    file = Path(str(distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")))
    if not file.is_file():  # another version may keep it elsewhere
        from sklearn.datasets import load_digits

        found = load_digits()
        return np.column_stack([found.data, found.target])
    return np.loadtxt(file, delimiter=",")
