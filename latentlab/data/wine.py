"""scikit-learn's wine: 178 Italian wines of three cultivars, 13 measurements each (Forina et al., 1988)."""

from __future__ import annotations

from latentlab.data._bunch import table
from latentlab.data.dataset import Dataset


def load() -> Dataset:
    """The measurements as columns of a table, in their own units, and the classes as labels. Nothing is downloaded.

    >>> load()
    Dataset('wine': 178 rows of 13 columns; labels)
    """
    from sklearn.datasets import load_wine

    bunch = load_wine()
    return table("wine", bunch, labels=bunch.target, label_names=bunch.target_names)
