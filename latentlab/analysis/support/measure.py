"""Whether a latent space can be sampled from, measured on arrays.

Samples against real images in a space of features (`coverage`), the prior against the codes (`holes`, `prior_fit`),
what the decoder does between two codes (`continuity`), and how distinct the encoder holds each row (`widths`). A
constant decoder is perfectly continuous and a posterior that ignores its input fits the prior perfectly, so read
them together with what the codes still know: ``docs/support.md``.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.analysis.support.nearby import Near, ends
from latentlab.codes.codes import Codes
from latentlab.errors import InputError

Floats = NDArray[np.float64]
NEIGHBOURS = 5
FAR = 0.99
AROUND = 20
KERNEL_ROWS = 1000
REDRAWS = 200
FEWEST, FEWEST_HELD = 300, 300  # rows, held-out codes: fewer were not simulated, so their intervals are not told
TIMES = 399


def coverage(real: ArrayLike, drawn: ArrayLike, *, neighbours: int = NEIGHBOURS) -> dict[str, float]:
    """How far drawn samples lie among real ones, and how many real ones they reach; features (n, p) and (m, p).

    Around each real row lies a ball that reaches to its `neighbours`-th real neighbour. ``precision`` is the share of
    draws within any ball (Kynkäänniemi et al. 2019), ``coverage`` the share of balls that hold a draw (Naeem et al.
    2020, equation 6), both in [0, 1] and higher is better; ``density`` counts the balls a draw lies in over
    `neighbours` (equation 5), about 1 where draws follow the real distribution and less sensitive to stray real rows
    than precision. ``_low`` and ``_high`` bound 95 % intervals for fresh samples of both kinds: the hits of one sample
    are not independent, since they share the other, so its part of the variance comes from redraws of halves (seeded).
    Fewer than `FEWEST` rows of either have none.

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
    near = Near.of(a, b, neighbours)
    hits, reached = near.balls_of_draws(near.radius), near.reached(np.ones(len(b), bool))
    values = {"precision": float((hits > 0).mean()), "density": float(hits.mean() / neighbours)}
    values["coverage"] = float(reached.mean())
    found = {"density": values["density"]}
    bounds = {} if min(len(a), len(b)) < FEWEST else ends(values, near)
    for name in ("precision", "coverage"):
        found |= {name: values[name]}
    return found | bounds


def holes(drawn: ArrayLike, codes: ArrayLike, held_out: ArrayLike) -> dict[str, float]:
    """The share of draws (m, d) that lie farther off the codes than codes that were held out do.

    ``codes`` (n, d) and ``held_out`` (h, d) are draws from the aggregate posterior, of different rows. All are scaled
    by the covariance of ``codes``, so that a rotated or rescaled space has the same holes. How far off is the local
    outlier factor (Breunig et al. 2000) among 20 neighbours: the distance to the codes around a point over their own
    from each other, for what is a hole among close codes is none where they lie apart. A draw is in a hole beyond the
    99 % quantile of the held-out codes. ``holes`` is in [0, 1], lower is better, and 0.01 is what draws from the
    aggregate posterior itself reach; ``_low`` and ``_high`` bound its 95 % interval: a bootstrap of draws and of
    held-out codes, whose quantile is the less certain part. Fewer than `FEWEST_HELD` held-out codes give none.

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
    value = float((new > np.quantile(known, FAR)).mean())
    if len(known) < FEWEST_HELD:
        return {"holes": value}
    rng = np.random.default_rng(0)
    again = [(rng.choice(new, len(new)) > np.quantile(rng.choice(known, len(known)), FAR)).mean() for _ in range(TIMES)]
    low, high = np.quantile(again, [0.025, 0.975], method="weibull")
    return {"holes": value, "holes_low": min(float(low), value), "holes_high": max(float(high), value)}


def _whitening(codes: Floats) -> Floats:
    """A matrix (d, k) that gives the codes unit covariance; directions without variance are left out."""
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(codes, rowvar=False)))
    kept = values > values.max() * 1e-10
    if not kept.any():
        raise InputError("the codes are constant, so distances in latent space are all zero")
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))


def prior_fit(drawn: ArrayLike, *, seed: int = 0) -> dict[str, Any]:
    """How far draws from the aggregate posterior q(z), (n, d), are from the prior N(0, I).

    ``mean``, ``deviation`` and ``distance`` have one entry per dimension; the distance is Kolmogorov and Smirnov's, the
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
        raise InputError(f"draws are {z.shape}; expected (n, d) with at least 3 rows")
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
        "mmd_null": _mmd_null(*some.shape, seed),
        "gaussian_tc": float(0.5 * (np.log(variance[alive]).sum() - determinant)),
        "gaussian_kl": float(0.5 * (variance.sum() + (z.mean(axis=0) ** 2).sum() - d - determinant))
        if alive.all()
        else math.inf,
    }


@cache
def _mmd_null(n: int, d: int, seed: int) -> float:
    """What one sample in twenty of the prior itself exceeds, of n rows beside n others; each sample meets the next."""
    rng = np.random.default_rng(seed)
    before, found = rng.standard_normal((n, d)), []
    known = _alike(before)
    for _ in range(REDRAWS):
        after = rng.standard_normal((n, d))
        own = _alike(after)
        found.append(known + own - 2 * _kernel(before, after) / n**2)
        before, known = after, own
    return float(np.quantile(found, 0.95, method="higher"))


def _mmd(a: Floats, b: Floats) -> float:
    return _alike(a) + _alike(b) - 2 * _kernel(a, b) / (len(a) * len(b))


def _alike(rows: Floats) -> float:
    """The mean kernel of two different rows."""
    return (_kernel(rows, rows) - len(rows)) / (len(rows) * (len(rows) - 1))


def _kernel(a: Floats, b: Floats) -> float:
    from sklearn.metrics.pairwise import rbf_kernel

    return float(rbf_kernel(a, b, gamma=1 / (2 * a.shape[1])).sum())


def continuity(
    images: NDArray[Any], codes: ArrayLike, information: ArrayLike, variance: ArrayLike | None
) -> dict[str, float]:
    """What the decoder does on straight paths between codes: medians over p paths of s points each.

    ``images`` (p, s, …) are the samples on the way, in bytes or as the model takes them, ``codes`` (p, s, d) the
    points, ``information`` (p, s − 1) the KL in nats from each point's likelihood to the next one's, ``variance``
    (d,) a typical posterior's, None where there is none.

    - ``detour``: the length of the way of pictures over the distance of its ends, at least 1. A mere cross-fade of the
      two ends has 1, so less is not better: look at what lies between.
    - ``jump``: the largest step over the mean step, at least 1; 1 is even, s − 1 one single jump.
    - ``distinctions``: Σ √(2 KL), how many standard deviations apart the ends are along the way when only the pictures
      are seen; 0 where the decoder is constant.
    - ``widths``: the length of the way in posterior deviations, √Σ (Δz/σ)².
    - ``gradient``: distinctions per width, how much one σ changes the picture. Where the posterior is as wide as the
      ELBO wants it, it nears √β on well-used dimensions; far below, posteriors are narrower than the decoder can tell.

    ``_low`` and ``_high`` bound the 95 % interval of each median, between order statistics (exact for independent
    ways, whatever their law). Without a variance the last two are NaN; where no picture changes, the first two.
    """
    x = np.asarray(images, np.float64) / (255 if np.asarray(images).dtype.kind == "u" else 1)
    z, kl = np.asarray(codes, np.float64), np.asarray(information, np.float64)
    if x.ndim < 3 or z.shape[:2] != x.shape[:2] or kl.shape != (len(x), x.shape[1] - 1):
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
    return {key: value for name, values in found.items() for key, value in _median(name, values).items()}


def _median(name: str, values: Floats) -> dict[str, float]:
    """The median of what is finite, between the order statistics that hold the true one 95 times in a hundred."""
    from scipy.stats import binom

    known = np.sort(values[np.isfinite(values)])
    if not len(known):
        return {name: math.nan}
    found, first = {name: float(np.median(known))}, int(binom.ppf(0.025, len(known), 0.5)) - 1
    if first >= 0:
        found |= {f"{name}_low": float(known[first]), f"{name}_high": float(known[-1 - first])}
    return found


def widths(codes: Codes) -> Floats:
    """How wide each row's posterior is, (n,): the geometric mean of σ over the active dimensions, of N(0, 1)'s 1.

    A narrow posterior says that the decoder can tell this row from its neighbours by little: it is distinct. Raises
    `InputError` for a deterministic encoder, which has no σ, and where no dimension is active.
    """
    if codes.variance is None:
        raise InputError("a deterministic encoder has no posterior variance, so its rows have no posterior width")
    if not codes.active.any():
        raise InputError(
            "no dimension is active: every posterior equals the prior, so no row is more distinct than another"
        )
    return np.exp(0.5 * np.log(codes.variance[:, codes.active].astype(np.float64)).mean(axis=1))
