"""DCI where a factor may need several dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.errors import InputError
from latentlab.metrics._arrays import Kinds, by_factor, check_parts, kinds_of
from latentlab.metrics._metric import Metric
from latentlab.metrics.dci import concentration, dci, weighted
from latentlab.results import Score

METRIC = Metric(
    title="DCI completeness over subspaces",
    short="DCI of subspaces",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Eastwood and Williams 2018, section 2, with a subspace of dimensions in place of one",
    assumes="Independent factors; a probe (trees) that reads each of them; one factor a subspace; thousands of rows.",
    unchanged_by=("order", "sign", "scale", "shift"),
    too_high=(
        "A subspace is chosen after looking, and one of its dimensions may serve another factor as well: read it with "
        "the disentanglement."
    ),
    too_low=(
        "Few rows (0.07 at 300, 0.28 at 10,000 of one code); copied factors (0.83) and copies of a dimension (0.86) "
        "where one dimension per factor has 1."
    ),
)


def dci_subspace(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    sizes: Sequence[int] | None = None,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Completeness of factors over subspaces: a factor that needs two dimensions may fill two and be complete.

    With R (d, k) the importances of ``dci``, the m_j most important dimensions of factor j count as one, their
    importances added: C_j = 1 − H(their share, and the share of each other dimension) / log(d − m_j + 1). The value is
    the mean of C_j weighted by the factors' importance; for m_j = 1 it is the completeness of ``dci``. `sizes` names
    m_j; by default it is 2 for circular factors, which no dimension can hold without a cut, and 1 for the others. So a
    circular factor as its cosine and sine is complete. ``codes`` (n, d), ``factors`` (n, k ≥ 2); d must exceed every
    m_j. In [0, 1], higher is better. Parts as of ``dci``: disentanglement (whose rows subspaces do not change: each
    dimension of a subspace should serve one factor), completeness (every dimension for itself), informativeness and
    informativeness_train. ``matrix`` (d, k) is R, ``per_factor`` C_j.

    Do not trust it without the disentanglement: with m_j = 2 a factor may share one of its two dimensions with another
    and still be complete. Which two dimensions form a subspace is chosen after looking, so of noise C_j rises with m_j.

    Parameters
    ----------
    codes : array_like of shape (n, d)
        Codes, one row per example, one column per latent dimension.
    factors : array_like of shape (n, k)
        Level indices or values of the factors; NaN where unknown.
    test_codes : array_like of shape (m, d), optional
        Held-out codes. Without them the rows are split 2:1 with `seed`.
    test_factors : array_like of shape (m, k), optional
        Factors of the held-out codes.
    sizes : sequence of int, optional
        Dimensions that each factor may fill; by default 2 for circular factors and 1 for others.
    seed : int, default 0
        Seed of everything that is drawn at random.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        In [0, 1], higher is better.

    Raises
    ------
    InputError
        For unfit arrays, and where a factor may fill no or all dimensions.

    References
    ----------
    Eastwood and Williams 2018; the grouping of dimensions is latentlab's.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> z = np.stack([np.cos(v[:, 0] * np.pi / 2), np.sin(v[:, 0] * np.pi / 2), v[:, 1]], axis=1)
    >>> round(dci_subspace(z, v, z, v, kinds=["circular", "ordinal"]).value, 3)
    1.0
    """
    z, v, *_ = check_parts(codes, factors, test_codes, test_factors, seed)
    named = kinds_of(v, kinds)
    given = [2 if kind == "circular" else 1 for kind in named] if sizes is None else list(sizes)
    if len(given) != v.shape[1]:
        raise InputError(f"sizes names {len(given)} factors but factors has {v.shape[1]} columns")
    if not all(1 <= size < z.shape[1] for size in given):
        raise InputError(f"sizes are {given} of {z.shape[1]} dimensions; expected 1 to {z.shape[1] - 1} per factor")
    found = dci(codes, factors, test_codes, test_factors, seed=seed, kinds=kinds)
    importances = np.asarray(found.matrix, np.float64)
    each = np.array([_complete(column, size) for column, size in zip(importances.T, given, strict=True)])
    return found.replace(
        value=weighted(each, importances.sum(axis=0)),
        per_factor=by_factor(each),
        settings={**found.settings, "sizes": given},
    )


def _complete(importances: NDArray[np.float64], size: int) -> float:
    """Concentration of a factor's importances (d,), the `size` largest of which count as one."""
    ordered = np.sort(importances)[::-1]
    return float(concentration(np.concatenate([[ordered[:size].sum()], ordered[size:]])[None])[0])
