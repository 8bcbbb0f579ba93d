"""Trustworthiness of a projection."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._metric import Metric
from latentlab.metrics._neighbours import intrusion, ranks
from latentlab.results import Score

METRIC = Metric(
    title="Trustworthiness",
    short="trustworthiness",
    needs="projection",
    range=(0.0, 1.0),
    better="higher",
    source="Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods",
    assumes="A projection of the same rows.",
    unchanged_by=("order", "sign", "scale", "shift", "rotation"),
    too_high="Only the nearest neighbours count: clusters may lie anywhere. 0.5 is chance.",
    too_low="More dimensions than a plane can hold.",
)


def trustworthiness(codes: ArrayLike, xy: ArrayLike, *, neighbours: int = 15, rows: int = 2000, seed: int = 0) -> Score:
    """Whether neighbours in the picture are neighbours in the code: 1 where no stranger intrudes.

    ``codes`` (n, d), ``xy`` (n, 2) their projection; at most `rows` rows are compared, drawn with `seed`. In [0, 1],
    higher is better; about 0.5 for a picture drawn at random.

    Do not trust distances between clusters on the strength of it: only the nearest `neighbours` are looked at.

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
    Venna and Kaski 2001.

    Examples
    --------
    >>> import numpy as np
    >>> z = np.random.RandomState(0).normal(size=(100, 2))
    >>> trustworthiness(z, z).value
    1.0
    """
    found = ranks(codes, xy, neighbours, rows, seed)
    settings = {"neighbours": neighbours, "rows": len(found.code), "seed": seed}
    return Score(value=intrusion(found.picture, found.code, neighbours), settings=settings)
