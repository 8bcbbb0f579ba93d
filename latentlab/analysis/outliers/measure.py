"""Out-of-distribution detection, and whether the model is needed for it.

Every score is higher for rows that look more foreign. A score means something only compared with what needs no model:
how
bright an image is, how well it compresses, how far it lies from the mean training image (all that a decoder that has
collapsed to one picture can say). MNIST and notMNIST differ in brightness alone by an AUROC of 0.97.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.data.kinds import kind_named
from latentlab.errors import InputError

BASELINES = ("intensity", "complexity", "mean image")  # of images
MATCHED: tuple[str, float] = kind_named("image").MATCHED
DRAWS = 200
LEAST_PAIRS = 50

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Detection:
    """How well one score tells foreign rows from the model's own.

    ``auroc`` is P(a foreign row scores higher than an own one) + ½ P(equal), ``auprc`` the average precision with as
    much weight on foreign rows as on own ones, so that both are 0.5 for a score that knows nothing and 1 for one that
    knows all; below 0.5 foreign rows look *less* foreign than own ones. Their intervals are 95 % over bootstrap redraws
    of the rows of both sides.

    ``matched`` compares the two rows of each of ``pairs`` of equal mean intensity (`at_equal_intensity`), which
    brightness cannot win, with a 95 % Wilson interval over pairs; None where the pairs are too few or lean to one side.
    ``brighter`` is the share of pairs whose foreign row is the brighter one, of whatever little: the balance of the
    matching, which the statistic evens out.
    """

    auroc: float
    auroc_interval: tuple[float, float]
    auprc: float
    auprc_interval: tuple[float, float]
    matched: float | None
    matched_interval: tuple[float, float] | None
    pairs: int
    baseline: bool
    brighter: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values by name."""
        return asdict(self)


def model_scores(codes: Codes, reference: Codes) -> dict[str, Floats]:
    """What the model says of each row (n,), in nats but for the last, higher where it looks more foreign.

    - ``distortion`` −log p(x|z) and ``rate`` KL(q(z|x) ‖ N(0, I)); ``−ELBO`` is their sum;
    - ``typicality``: |−ELBO − its mean over the reference rows|, which also calls foreign what is too easy (Nalisnick
      et al. 2019, for one row);
    - ``Mahalanobis``: distance of the code from the mean of the reference's codes in units of their covariance, on
      active dimensions (Lee et al. 2018 without classes). It does not change with rotation or scale of the code.

    ``reference`` are codes of training rows. A deterministic encoder has neither rate nor ELBO; its typicality is that
    of the distortion.
    """
    found: dict[str, Floats] = {}
    surprise, usual = _distortion(codes), _distortion(reference)
    found["distortion"] = surprise
    if codes.rate is not None and reference.rate is not None:
        found["rate"] = codes.rate.astype(np.float64)
        surprise, usual = surprise + found["rate"], usual + reference.rate
        found["−ELBO"] = surprise
    found["typicality"] = np.abs(surprise - usual.mean())
    found["Mahalanobis"] = mahalanobis(codes, reference)
    return found


def _distortion(codes: Codes) -> Floats:
    if codes.distortion is None or not np.isfinite(codes.distortion).all():
        raise InputError("some rows have no distortion; outlier detection needs the distortion of every row")
    return codes.distortion.astype(np.float64)


def mahalanobis(codes: Codes, reference: Codes) -> Floats:
    """Distance (n,) of codes from the reference's mean, in units of its covariance on the active dimensions.

    Zero everywhere where no dimension is active: a collapsed code tells nothing apart.

    >>> mean = np.random.default_rng(0).normal(size=(500, 2)).astype("f4")
    >>> reference = Codes(mean, np.full_like(mean, 0.1))
    >>> float(mahalanobis(reference, reference).mean().round(1))
    1.2
    """
    mean = reference.mean.astype(np.float64)
    live = reference.active
    if not live.any():
        return np.zeros(len(codes))
    centre, spread = mean[:, live].mean(axis=0), mean[:, live].std(axis=0)
    # Scaled first, so that which directions count as flat does not depend on a free scale.
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov((mean[:, live] - centre) / spread, rowvar=False)))
    kept = values > 1e-10 * values.max()
    whitened = ((codes.mean[:, live] - centre) / spread) @ vectors[:, kept] / np.sqrt(values[kept])
    return np.asarray(np.sqrt((whitened**2).sum(axis=1)))


def detect(
    own: Mapping[str, Floats],
    foreign: Mapping[str, Floats],
    *,
    baselines: Collection[str] = BASELINES,
    matched: tuple[str, float] = MATCHED,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Detection]:
    """How well each score (n,) tells foreign rows from own ones; both sides have the same scores.

    ``baselines`` are those that need no model; ``matched`` is the one whose values both rows of a pair share, and by
    how much they may differ; without a name there are no pairs.

    >>> rng = np.random.default_rng(0)
    >>> own, foreign = ({"intensity": rng.random(500), "x": rng.normal(size=500) + k} for k in (0.0, 2.0))
    >>> {name: round(each.auroc, 1) for name, each in detect(own, foreign).items()}
    {'intensity': 0.5, 'x': 0.9}
    """
    name, caliper = matched
    if own.keys() != foreign.keys() or (name and name not in own):
        raise InputError(
            f"in-distribution rows have {', '.join(own)}, out-of-distribution rows {', '.join(foreign)}; "
            "expected equal names"
        )
    nothing = np.zeros(0)
    common, others = (own[name], foreign[name]) if name else (nothing, nothing)
    left, right = matched_pairs(common, others, caliper)
    gap = np.sign(others[right] - common[left])
    brighter = float((gap + 1).mean() / 2) if len(gap) else None
    found = {}
    for name in own:
        auroc, auprc = _with_intervals(own[name], foreign[name], draws, seed)
        value, interval = at_equal_intensity(own[name][left], foreign[name][right], gap) or (None, None)
        found[name] = Detection(*auroc, *auprc, value, interval, len(left), name in baselines, brighter)
    return found


def at_equal_intensity(own: Floats, foreign: Floats, gap: Floats) -> tuple[float, tuple[float, float]] | None:
    """P(the foreign row of a pair scores higher than its own row) + ½ P(equal), with a 95 % interval over pairs.

    Scores (m,) of the two rows of each pair, and the sign of the difference of their intensities, foreign less own.
    Pairs with a brighter foreign row and pairs with a brighter own row count for the same, however many there are of
    each, so a score that rises or falls with intensity alone has exactly 0.5. The interval is Wilson's, of the
    effective number of pairs. None where that is below 50.

    >>> brightness = np.tile([1.0, 2.0], 100)
    >>> at_equal_intensity(brightness, brightness + [0.1, -0.1] * 100, np.tile([1.0, -1.0], 100))[0]
    0.5
    """
    won = (np.sign(foreign - own) + 1) / 2
    sides = [won[gap == sign] for sign in (-1, 0, 1)]
    level = len(sides[1]) / max(len(won), 1)
    weighted = [(part, w) for part, w in zip(sides, ((1 - level) / 2, level, (1 - level) / 2), strict=True) if w > 0]
    if not weighted or min(len(part) for part, _ in weighted) == 0:
        return None
    value = float(sum(w * part.mean() for part, w in weighted))
    count = 1 / sum(w**2 / len(part) for part, w in weighted)
    return (value, wilson(value, count)) if count >= LEAST_PAIRS else None


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's 95 % interval for a share of `count` trials.

    >>> [round(end, 3) for end in wilson(0.0, 50)]
    [0.0, 0.071]
    """
    z = 1.959964
    centre, spread = share + z**2 / (2 * count), z * np.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    low, high = ((centre + sign * spread) / (1 + z**2 / count) for sign in (-1, 1))
    return max(0.0, min(share, float(low))), min(1.0, max(share, float(high)))


def best_baseline(found: Mapping[str, Detection]) -> tuple[str, float, float]:
    """The baseline that tells most, in either direction: its name, its AUROC turned above 0.5, and its upper bound.

    A baseline below 0.5 knows as much as one above: one only has to read it the other way round.
    """

    def turned(each: Detection) -> tuple[float, float]:
        low, high = each.auroc_interval
        return (each.auroc, high) if each.auroc >= 0.5 else (1 - each.auroc, 1 - low)

    best = max((name for name in found if found[name].baseline), key=lambda name: turned(found[name])[0])
    return best, *turned(found[best])


def beyond(found: Mapping[str, Detection]) -> tuple[str, ...]:
    """The scores that tell more than any baseline does: their lower bound lies above the best baseline's upper one."""
    _, _, bar = best_baseline(found)
    return tuple(name for name, each in found.items() if not each.baseline and each.auroc_interval[0] > bar)


def areas(own: Floats, foreign: Floats) -> tuple[float, float]:
    """AUROC and AUPRC of a score that is higher for foreign rows; ties count half, both sides weigh the same.

    >>> areas(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    (0.875, 0.8333333333333333)
    """
    _, place = np.unique(np.concatenate([own, foreign]), return_inverse=True)
    return _areas(*(np.bincount(part, minlength=place.max() + 1) for part in (place[: len(own)], place[len(own) :])))


def _areas(own: NDArray[Any], foreign: NDArray[Any]) -> tuple[float, float]:
    """AUROC and AUPRC from how many rows of each side lie at each of the rising values."""
    n, m = int(own.sum()), int(foreign.sum())
    auroc = int((foreign * (2 * np.cumsum(own) - own)).sum()) / (2 * n * m)  # whole numbers: 1 is 1 exactly
    hit, miss = np.cumsum(foreign[::-1]) / m, np.cumsum(own[::-1]) / n
    gained = foreign[::-1] / m
    return auroc, min(1.0, float((gained * hit / np.maximum(hit + miss, 1e-300)).sum()))


Area = tuple[float, tuple[float, float]]


def _with_intervals(own: Floats, foreign: Floats, draws: int, seed: int) -> tuple[Area, Area]:
    _, place = np.unique(np.concatenate([own, foreign]), return_inverse=True)
    size, parts = int(place.max()) + 1, (place[: len(own)], place[len(own) :])
    values = _areas(*(np.bincount(part, minlength=size) for part in parts))
    rng = np.random.default_rng(seed)
    again = np.array(
        [
            _areas(*(np.bincount(part[rng.integers(len(part), size=len(part))], minlength=size) for part in parts))
            for _ in range(draws)
        ]
    )
    low, high = np.quantile(again, [0.025, 0.975], axis=0)
    return (values[0], (float(low[0]), float(high[0]))), (values[1], (float(low[1]), float(high[1])))


def matched_pairs(
    own: Floats, foreign: Floats, caliper: float = MATCHED[1]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of own and foreign rows (m,) paired, each row at most once, so that intensities differ by ≤ `caliper`.

    >>> [part.tolist() for part in matched_pairs(np.array([0.1, 0.5]), np.array([0.9, 0.101, 0.102]))]
    [[0], [1]]
    """
    a, b = np.argsort(own, kind="stable"), np.argsort(foreign, kind="stable")
    left, right, i, j = [], [], 0, 0
    while i < len(a) and j < len(b):
        gap = own[a[i]] - foreign[b[j]]
        if abs(gap) <= caliper:
            left.append(a[i])
            right.append(b[j])
        i, j = i + int(gap <= caliper), j + int(gap >= -caliper)
    return np.array(left, np.int64), np.array(right, np.int64)
