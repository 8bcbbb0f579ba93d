"""scikit-learn's breast cancer: 569 biopsies, 30 measurements of nuclei, malignant or benign (Street et al., 1993)."""

from __future__ import annotations

from latentlab.data._bunch import table
from latentlab.data.dataset import Dataset


def load() -> Dataset:
    """The measurements as columns of a table, in their own units, and the classes as labels. Nothing is downloaded.

    >>> load()
    Dataset('breast-cancer': 569 rows of 30 columns; labels)
    """
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    return table("breast-cancer", bunch, labels=bunch.target, label_names=bunch.target_names)
