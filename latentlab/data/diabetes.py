"""scikit-learn's diabetes: 442 patients, 10 measurements each, how the disease went on (Efron et al., 2004)."""

from __future__ import annotations

from latentlab.data._bunch import table
from latentlab.data.dataset import Dataset, Factor


def load() -> Dataset:
    """The measurements as columns of a table, in their own units, sex as 0 and 1; the progression is a factor.

    >>> load()
    Dataset('diabetes': 442 rows of 10 columns; progression)
    """
    from sklearn.datasets import load_diabetes

    bunch = load_diabetes(scaled=False)
    bunch.data[:, bunch.feature_names.index("sex")] -= 1  # given as 1 and 2
    return table("diabetes", bunch, factor=(Factor("progression", "continuous"), bunch.target))
