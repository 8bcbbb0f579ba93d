"""Whether a latent space can be sampled from, measured on arrays.

Samples against real images in a space of features (`coverage`), the prior against the codes (`holes`, `prior_fit`),
what the decoder does between two codes (`continuity`), and how distinct the encoder holds each row (`widths`). A
constant decoder is perfectly continuous and a posterior that ignores its input fits the prior perfectly, so they stand
beside what the codes still know: ``docs/support.md``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.codes.codes import Codes
from latentlab.errors import InputError

Floats = NDArray[np.float64]
NEIGHBOURS = 5
FAR = 0.99
AROUND = 20
KERNEL_ROWS = 1000
REDRAWS = 20
BLOCK = 1024


def coverage(real: ArrayLike, drawn: ArrayLike, *, neighbours: int = NEIGHBOURS) -> dict[str, float]:
    """How far drawn samples lie among real ones, and how many real ones they reach; features (n, p) and (m, p).

    Around each real row lies a ball that reaches to its `neighbours`-th real neighbour. ``precision`` is the share of
    draws within any ball (Kynkäänniemi et al. 2019), ``coverage`` the share of balls that hold a draw (Naeem et al.
    2020, equation 6), both in [0, 1] and higher is better; ``density`` counts the balls a draw lies in over
    `neighbours` (equation 5), about 1 where draws follow the real distribution and less sensitive to stray real rows
    than precision. ``_low`` and ``_high`` bound the 95 % Wilson interval of the two shares.

    Neither alone means anything: one good picture drawn again and again has precision 1 and covers nothing, and noise
    wide enough covers what it likes. Coverage grows with the number of draws: compare equal numbers.

    >>> rows = np.arange(20.0)[:, None]
    >>> found = coverage(rows, rows + 0.1)
    >>> found["precision"], found["coverage"]
    (1.0, 1.0)
    """
    a, b = (np.asarray(each, np.float32) for each in (real, drawn))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or len(a) <= neighbours or not len(b):
        raise InputError(
            f"real is {a.shape} and drawn {b.shape}; expected (n, p) and (m, p), n more than {neighbours}, m at least 1"
        )
    radius = np.concatenate([np.partition(block, neighbours, axis=1)[:, neighbours] for block in _distances(a, a)])
    inside = np.concatenate([(block < radius).sum(axis=1) for block in _distances(b, a)])
    closest = np.concatenate([block.min(axis=1) for block in _distances(a, b)])
    found = {"density": float(inside.mean() / neighbours)}
    return found | _share("precision", inside > 0) | _share("coverage", closest < radius)


def _distances(a: NDArray[np.float32], b: NDArray[np.float32]) -> Any:
    from sklearn.metrics import euclidean_distances

    return (euclidean_distances(a[start : start + BLOCK], b) for start in range(0, len(a), BLOCK))


def _share(name: str, hits: NDArray[np.bool_]) -> dict[str, float]:
    """A share and its 95 % interval (Wilson 1927)."""
    n, p, z = len(hits), float(hits.mean()), 1.96
    middle, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    # Rounding would put the end of an interval beside a share of exactly 0 or 1.
    low, high = min(p, (middle - half) / scale), max(p, (middle + half) / scale)
    return {name: p, f"{name}_low": max(low, 0.0), f"{name}_high": min(high, 1.0)}


def holes(drawn: ArrayLike, codes: ArrayLike, held_out: ArrayLike) -> dict[str, float]:
    """The share of draws (m, d) that lie farther off the codes than codes that were held out do.

    ``codes`` (n, d) and ``held_out`` (h, d) are draws from the aggregate posterior, of different rows. All are scaled
    by the covariance of ``codes``, so that a rotated or rescaled space has the same holes. How far off is the local
    outlier factor (Breunig et al. 2000) among 20 neighbours: the distance to the codes around a point over their own
    from each other, for what is a hole among close codes is none where they lie apart. A draw is in a hole beyond the
    99 % quantile of the held-out codes. ``holes`` is in [0, 1], lower is better, and 0.01 is what draws from the
    aggregate posterior itself reach; ``_low`` and ``_high`` bound its 95 % interval.

    A posterior that ignores its input has no holes: read it beside the rate. In many dimensions all distances grow
    alike and holes are seen less well. A single distance for all places would call the N(0, I) of an encoder with
    wide codes free of holes, for it lies in their middle.
    """
    from sklearn.neighbors import LocalOutlierFactor

    arrays = [np.asarray(each, np.float64) for each in (drawn, codes, held_out)]
    if any(each.ndim != 2 or each.shape[1] != arrays[1].shape[1] for each in arrays) or len(arrays[1]) <= AROUND:
        raise InputError(
            f"draws, codes and held-out codes are {', '.join(str(each.shape) for each in arrays)}; expected (·, d), "
            f"more than {AROUND} codes"
        )
    white = _whitening(arrays[1])
    around = LocalOutlierFactor(n_neighbors=AROUND, novelty=True).fit(arrays[1] @ white)
    new, known = (-around.score_samples(each @ white) for each in (arrays[0], arrays[2]))
    return _share("holes", new > np.quantile(known, FAR))


def _whitening(codes: Floats) -> Floats:
    """A matrix (d, k) that gives the codes unit covariance; directions without variance are left out."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(codes, rowvar=False)))
    kept = values > values.max() * 1e-10
    if not kept.any():
        raise InputError("the codes are constant, so nothing is near or far in their space")
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def prior_fit(drawn: ArrayLike, *, seed: int = 0) -> dict[str, Any]:
    """How far draws from the aggregate posterior q(z), (n, d), are from the prior N(0, I).

    ``mean``, ``deviation`` and ``distance`` have one entry a dimension; the distance is Kolmogorov and Smirnov's, the
    largest difference of the distribution functions, in [0, 1]. Jointly: ``mmd``, the unbiased squared maximum mean
    discrepancy with the kernel exp(−‖u − v‖² / 2d) on at most 1,000 draws (Gretton et al. 2012, equation 3), beside
    ``mmd_null``, below which 95 % of samples of the prior itself lie; ``gaussian_tc``, the total correlation in nats of
    a normal distribution of their covariance, and ``gaussian_kl``, its KL from N(0, I). Lower is nearer.

    A posterior that ignores its input fits perfectly: read it beside the rate. A deterministic encoder's scale is
    free, so the prior is nothing to it.
    """
    from scipy.stats import kstest

    z = np.asarray(drawn, np.float64)
    if z.ndim != 2 or len(z) < 3:
        raise InputError(f"draws are {z.shape}; expected (n, d) with 3 rows at least")
    d, rng = z.shape[1], np.random.default_rng(seed)
    some = z[rng.permutation(len(z))[:KERNEL_ROWS]]
    draw = lambda: rng.standard_normal(some.shape)  # noqa: E731
    covariance = np.atleast_2d(np.cov(z, rowvar=False))
    variance = np.diagonal(covariance)
    alive = variance > 1e-12
    determinant = np.linalg.slogdet(covariance[np.ix_(alive, alive)])[1]
    return {
        "mean": z.mean(axis=0),
        "deviation": np.sqrt(variance),
        "distance": np.array([kstest(z[:, j], "norm").statistic for j in range(d)]),
        "mmd": _mmd(some, draw()),
        "mmd_null": float(np.quantile([_mmd(draw(), draw()) for _ in range(REDRAWS)], 0.95)),
        "gaussian_tc": float(0.5 * (np.log(variance[alive]).sum() - determinant)),
        "gaussian_kl": float(0.5 * (variance.sum() + (z.mean(axis=0) ** 2).sum() - d - determinant))
        if alive.all()
        else math.inf,
    }


def _mmd(a: Floats, b: Floats) -> float:
    from sklearn.metrics.pairwise import rbf_kernel

    gamma, n, m = 1 / (2 * a.shape[1]), len(a), len(b)
    own = (rbf_kernel(a, gamma=gamma).sum() - n) / (n * (n - 1)) + (rbf_kernel(b, gamma=gamma).sum() - m) / (
        m * (m - 1)
    )
    return float(own - 2 * rbf_kernel(a, b, gamma=gamma).mean())


def continuity(
    images: NDArray[np.uint8], codes: ArrayLike, information: ArrayLike, variance: ArrayLike | None
) -> dict[str, float]:
    """What the decoder does on straight ways between codes: medians over p ways of s points each.

    ``images`` (p, s, c, h, w) are the pictures on the way, ``codes`` (p, s, d) the points, ``information`` (p, s − 1)
    the KL in nats from each point's likelihood to the next one's, ``variance`` (d,) a typical posterior's, None where
    there is none.

    - ``detour``: the length of the way of pictures over the distance of its ends, at least 1. A mere cross-fade of the
      two ends has 1, so less is not better: look at what lies between.
    - ``jump``: the largest step over the mean step, at least 1; 1 is even, s − 1 one single jump.
    - ``distinctions``: Σ √(2 KL), how many standard deviations apart the ends are along the way when only the pictures
      are seen; 0 where the decoder is constant.
    - ``widths``: the length of the way in posterior deviations, √Σ (Δz/σ)².
    - ``gradient``: distinctions per width, how much one σ changes the picture. Where the posterior is as wide as the
      ELBO wants it, it nears √β on well-used dimensions; far below, posteriors are narrower than the decoder can tell.

    Without a variance the last two are NaN; where no picture changes, the first two.
    """
    x = np.asarray(images, np.float64) / 255
    z, kl = np.asarray(codes, np.float64), np.asarray(information, np.float64)
    if x.ndim != 5 or z.shape[:2] != x.shape[:2] or kl.shape != (len(x), x.shape[1] - 1):
        raise InputError(
            f"images are {x.shape}, codes {z.shape}, information {kl.shape}; expected (p, s, …), (p, s, d), (p, s − 1)"
        )
    steps = np.sqrt(np.square(np.diff(x, axis=1)).reshape(*kl.shape, -1).sum(axis=2))
    ends = np.sqrt(((x[:, -1] - x[:, 0]) ** 2).reshape(len(x), -1).sum(axis=1))
    distinctions = np.sqrt(2 * np.maximum(kl, 0)).sum(axis=1)
    nothing = np.full(len(x), np.nan)
    lengths = nothing if variance is None else np.sqrt(((z[:, -1] - z[:, 0]) ** 2 / np.asarray(variance)).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {
            "detour": np.where(ends > 0, steps.sum(axis=1) / ends, np.nan),
            "jump": np.where(steps.sum(axis=1) > 0, steps.max(axis=1) / steps.mean(axis=1), np.nan),
            "distinctions": distinctions,
            "widths": lengths,
            "gradient": distinctions / lengths,
        }
    return {name: _median(values) for name, values in found.items()}


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else math.nan


def widths(codes: Codes) -> Floats:
    """How wide each row's posterior is, (n,): the geometric mean of σ over the active dimensions, of N(0, 1)'s 1.

    A narrow posterior says that the decoder can tell this row from its neighbours by little: it is distinct. Raises
    `InputError` for a deterministic encoder, which has no σ, and where no dimension is active.
    """
    if codes.variance is None:
        raise InputError("a deterministic encoder has no posterior variance, so its rows have no width")
    if not codes.active.any():
        raise InputError(
            "no dimension is active: every posterior is the prior, and no row is more distinct than another"
        )
    return np.exp(0.5 * np.log(codes.variance[:, codes.active].astype(np.float64)).mean(axis=1))
