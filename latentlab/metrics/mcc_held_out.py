"""Mean correlation coefficient of pairs that were matched on other rows."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from latentlab.metrics._arrays import Kinds, by_factor, check_parts
from latentlab.metrics._metric import Metric
from latentlab.metrics.mcc import assigned, correlations
from latentlab.results import Score

METRIC = Metric(
    title="MCC on held-out rows",
    short="MCC held out",
    needs="split",
    range=(0.0, 1.0),
    better="higher",
    source="Khemakhem et al. 2020, ICE-BeeM: identifiable conditional energy-based deep models (MCC out of sample)",
    kinds=("ordinal", "continuous"),
    assumes=(
        "Independent numerical factors; as many dimensions as factors; codes linear in them (Pearson) or increasing "
        "(Spearman)."
    ),
    unchanged_by=("order", "sign", "scale", "scales", "shift"),
    too_high="Correlated or copied factors: one of them in the code makes both score.",
    too_low="Codes that are a curve of the factor, as a cosine or a fifth power; lossless mixing (0.69 where R² is 1).",
)


def mcc_held_out(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    method: Literal["pearson", "spearman"] = "pearson",
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Mean absolute correlation on test rows of factors with the dimensions that the training rows gave them.

    As ``mcc``, but which dimension belongs to a factor is decided on the training rows and the correlation measured on
    others, 1/k Σ_j abs(ρ_test), so it is no longer the best of all assignments to chance. ``codes`` (n, d),
    ``factors``
    (n, k) as numbers, missing labels left out factor by factor; without test arrays the rows are split 2:1 with
    `seed`.
    With fewer dimensions than factors the unmatched count 0. In [0, 1], higher is better. Parts: ``signed``, where a
    correlation that turned its sign counts as negative, so that a code that knows nothing has expectation 0 (the value
    itself about 0.8/√m, of m test rows); ``train``, ``mcc`` of the training rows. ``matrix`` (d, k) has the
    correlations of the test rows.

    Do not trust it for categories or circular factors, whose numbers have no order (`kinds` does not change it).

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
    method : str, default 'pearson'
        Correlation or regression that relates dimensions.
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
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Khemakhem et al. 2020 (ICE-BeeM), their metrics/mcc.py.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.stack([np.arange(64) % 4, np.arange(64) // 16], axis=1)
    >>> round(mcc_held_out(-3.0 * v[:, ::-1], v).value, 6)
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    train, test = correlations(z, v, method), correlations(tz, tv, method)
    dimension, factor = assigned(np.abs(train))
    each, signed, seen = np.zeros((3, v.shape[1]))
    each[factor] = np.abs(test[dimension, factor])
    signed[factor] = np.sign(train[dimension, factor]) * test[dimension, factor]
    seen[factor] = np.abs(train[dimension, factor])
    pairs = {str(f): int(i) for i, f in zip(dimension, factor, strict=True)}
    settings = {"method": method, "rows": [len(z), len(tz)], "split": rows_from, "assignment": pairs}
    return Score(
        value=float(each.mean()),
        parts={"signed": float(signed.mean()), "train": float(seen.mean())},
        per_factor=by_factor(each),
        matrix=test,
        settings=settings,
    )
