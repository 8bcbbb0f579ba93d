"""k-NN recall of a projection."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._metric import Metric
from latentlab.metrics._neighbours import ranks
from latentlab.results import Score

METRIC = Metric(
    title="k-NN recall",
    needs="projection",
    range=(0.0, 1.0),
    better="higher",
    source="Kobak and Berens 2019, The art of using t-SNE for single-cell transcriptomics",
    assumes="A projection of the same rows.",
    unchanged_by=("order", "sign", "scale", "shift", "rotation"),
    too_high="Few rows: chance is neighbours / rows.",
    too_low="Any projection of codes with more dimensions than two: 0.1 may be the best there is.",
)


def knn_recall(codes: ArrayLike, xy: ArrayLike, *, neighbours: int = 15, rows: int = 2000, seed: int = 0) -> Score:
    """Share of each row's nearest neighbours in the code that are also among its nearest in the picture.

    ``codes`` (n, d), ``xy`` (n, 2) their projection; at most `rows` rows are compared, drawn with `seed`. In [0, 1],
    higher is better; chance is neighbours / rows.

    Do not trust it across different `rows`: with more rows the same picture recalls less.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    xy : array_like of shape (n, 2)
        The projection of the same rows.
    neighbours : int, default 15
        Number of nearest neighbours.
    rows : int, default 2000
        Largest number of rows that are used; more are drawn at random.
    seed : int, default 0
        Seed of everything that is drawn at random.

    Returns
    -------
    Score
        In [0, 1], higher is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Kobak and Berens 2019.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.RandomState(0).normal(size=(100, 2))
    >>> knn_recall(z, z).value
    1.0
    """
    found = ranks(codes, xy, neighbours, rows, seed)
    settings = {"neighbours": neighbours, "rows": len(found.code), "seed": seed}
    return Score(
        value=float(((found.code <= neighbours) & (found.picture <= neighbours)).sum(axis=1).mean() - 1) / neighbours,
        settings=settings,
    )
