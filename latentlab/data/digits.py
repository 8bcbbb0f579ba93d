"""scikit-learn's digits: 1,797 real handwritten digits, 8×8 (Alpaydin and Kaynak, 1998)."""

from __future__ import annotations

import numpy as np

from latentlab.data.dataset import Dataset


def load() -> Dataset:
    """The digits with grey levels 0 … 16 stretched to 0 … 255, and their labels. Nothing is downloaded.

    >>> load()
    Dataset('digits': 1,797 images 1×8×8; labels)
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.round(bunch.images * (255 / 16)).astype(np.uint8)[:, None]
    return Dataset(
        name="digits",
        shape=images.shape,
        read=images.__getitem__,
        labels=bunch.target.astype(np.int64),
        label_names=tuple("0123456789"),
        source={"name": "digits"},
    )
