"""DCI-ES explicitness: how large a probe must be to read the factors off the code."""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState
from numpy.typing import ArrayLike, NDArray

from latentlab.metrics._arrays import Floats, Ints, Kinds, by_factor, check_parts
from latentlab.metrics._estimators import classes_of, z_scored
from latentlab.metrics._metric import Metric
from latentlab.results import Score

METRIC = Metric(
    title="DCI-ES explicitness",
    short="DCI-ES",
    needs="split",
    range=(-1.0, 1.0),
    better="higher",
    source="Eastwood et al. 2023, DCI-ES: an extended disentanglement framework, section 4",
    assumes="Probes (ridge on random Fourier features) that grow into the best there is.",
    unchanged_by=("scale", "scales", "shift"),
    too_high=(
        "Codes that know little: what a probe gains, it gains at once (0.97 of noisy mixed codes, 0.47 of clean "
        "ones, 10,000 rows). It says how easily a code is read, not how much it holds."
    ),
    too_low=(
        "0 where no probe beats the commonest class. The random features depend on the order of dimensions (0.1 at "
        "600 rows)."
    ),
)
CAPACITIES = (0, 4, 8, 16, 32, 64, 128, 256, 512)


def dci_es(
    codes: ArrayLike,
    factors: ArrayLike,
    test_codes: ArrayLike | None = None,
    test_factors: ArrayLike | None = None,
    *,
    ridge: float = 1e-3,
    seed: int = 0,
    kinds: Kinds = None,
) -> Score:
    """Explicitness E: one less the area under the loss–capacity curve, relative to a straight descent.

    Probes of growing capacity are ridge classifiers on the z-scored codes and 0, 4, …, 512 random Fourier features
    (their nested prefix, drawn with `seed`); loss is one less the test accuracy, as its running minimum. With A the
    area between curve and lowest loss over capacity steps in [0, 1], E = 1 − A / (½ (baseline − lowest)), where the
    baseline is the commonest class. 1: a linear probe is already the best; 0: loss falls in a straight line; the mean
    over factors. ``codes`` (n, d), ``factors`` (n, k). Parts ``linear`` and ``best``: accuracies of the smallest
    and of the best probe. Higher is better.

    Do not trust it where no probe beats the baseline: E is 0 there. It depends on the family of probes.

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
    ridge : float, default 0.001
        Penalty of the ridge classifiers.
    seed : int, default 0
        Seed of everything that is drawn at random.
    kinds : sequence of str, optional
        Kind of each factor: categorical, ordinal, continuous or circular. By default whole numbers are
        categorical, other values continuous.

    Returns
    -------
    Score
        In [−1, 1], higher is better.

    Raises
    ------
    InputError
        If arrays do not fit together, hold infinities, or codes hold NaN.

    References
    ----------
    Eastwood et al. 2023, definition 4.

    Examples
    --------
    >>> import numpy as np
    >>> v = np.arange(90) % 3
    >>> dci_es(np.eye(3)[v], v).value
    1.0
    """
    z, v, tz, tv, rows_from = check_parts(codes, factors, test_codes, test_factors, seed)
    x, tx = (features(rows, seed) for rows in z_scored(z, tz))
    curves = [_losses(x, y, tx, ty, z.shape[1], ridge) for y, ty in classes_of(v, tv, kinds)]
    each = np.array([explicitness_of(losses, baseline) for losses, baseline in curves])
    linear, best = (float(np.mean([1 - pick(losses) for losses, _ in curves])) for pick in (lambda c: c[0], np.min))
    settings = {"rows": [len(z), len(tz)], "split": rows_from, "seed": seed, "ridge": ridge}
    settings |= {"capacities": list(CAPACITIES), "probe": "ridge on codes and random Fourier features"}
    return Score(
        value=float(each.mean()), parts={"linear": linear, "best": best}, per_factor=by_factor(each), settings=settings
    )


def explicitness_of(losses: NDArray[np.float64], baseline: float) -> float:
    """E of one loss–capacity curve over equal steps; 0 where nothing beats the baseline."""
    curve = np.minimum.accumulate(losses)
    lowest = curve[-1]
    if baseline - lowest <= 1e-12:
        return 0.0
    above = np.minimum(curve, baseline) - lowest
    area = float(((above[1:] + above[:-1]) / 2).mean())
    return 1 - area / (0.5 * (baseline - lowest))


def features(z: Floats, seed: int) -> NDArray[np.float64]:
    """Codes, a constant and random Fourier features of bandwidth √d, (n, d + 1 + 512)."""
    random = RandomState(seed)
    d, count = z.shape[1], CAPACITIES[-1]
    weights, phase = random.standard_normal((d, count)) / np.sqrt(d), random.uniform(0, 2 * np.pi, count)
    return np.column_stack([z, np.ones(len(z)), np.sqrt(2.0) * np.cos(z @ weights + phase)])


def _losses(
    x: NDArray[np.float64], y: Ints, tx: NDArray[np.float64], ty: Ints, d: int, ridge: float
) -> tuple[NDArray[np.float64], float]:
    """Test losses for each capacity, and the loss of the commonest training class."""
    x, y, tx, ty = x[y >= 0], y[y >= 0], tx[ty >= 0], ty[ty >= 0]
    wanted = np.eye(int(y.max()) + 1)[y]
    gram, target = x.T @ x, x.T @ wanted
    losses = []
    for capacity in CAPACITIES:
        size = d + 1 + capacity
        weights = np.linalg.solve(gram[:size, :size] + ridge * len(x) * np.eye(size), target[:size])
        losses.append(np.mean((tx[:, :size] @ weights).argmax(axis=1) != ty))
    return np.array(losses), float(np.mean(np.bincount(y).argmax() != ty))
