"""Continuity of a projection."""

from __future__ import annotations

from numpy.typing import ArrayLike

from latentlab.metrics._metric import Metric
from latentlab.metrics._neighbours import intrusion, ranks
from latentlab.results import Score

METRIC = Metric(
    title="Projection continuity",
    short="continuity",
    needs="projection",
    range=(0.0, 1.0),
    better="higher",
    source="Venna and Kaski 2001, Neighborhood preservation in nonlinear projection methods",
    assumes="A projection of the same rows.",
    unchanged_by=("order", "sign", "scale", "shift", "rotation"),
    too_high="A picture with everything on one spot tears nothing; 0.5 is chance.",
    too_low="More dimensions than a plane can hold.",
)


def projection_continuity(
    codes: ArrayLike, xy: ArrayLike, *, neighbours: int = 15, rows: int = 2000, seed: int = 0
) -> Score:
    """Whether neighbours in the code stay neighbours in the picture: 1 where no neighbourhood is torn.

    ``codes`` (n, d), ``xy`` (n, 2) their projection; at most `rows` rows are compared, drawn with `seed`. In [0, 1],
    higher is better; about 0.5 for a picture drawn at random.

    Do not trust it alone: a picture with everything on one spot is never torn. See ``trustworthiness``.

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
    >>> projection_continuity(z, z).value
    1.0
    """
    found = ranks(codes, xy, neighbours, rows, seed)
    settings = {"neighbours": neighbours, "rows": len(found.code), "seed": seed}
    return Score(value=intrusion(found.code, found.picture, neighbours), settings=settings)
