"""Leakage: how much the other factors change along a traversal that changes one, read off the decoded images.

β-VAE's promise (Higgins et al. 2017, section 3) is that moving one latent dimension changes one factor. Around rows of
the data each dimension is moved (`latentlab.models.decoding.around`), and every factor is read off the decoded images
by a
regressor that saw real images alone (`latentlab.analysis.leakage.reader`). ``docs/scores/leakage.md`` says what fools
the number.

The **change** of a factor along a dimension is the length of an even sweep with the same variance, as a share of the
factor's range: with V the variance of its readings over the steps, the mean over the anchors, N the readings' noise and
E the variance of an even sweep of the whole range, √(max(0, V − N) / E). A categorical factor changes by (V − N) / E,
where V is the probability that two steps show two classes. The **target** of a dimension is the factor that it changes
most, its **leakage** the largest change of another factor over the target's: in [0, 1], lower is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.leakage.reader import Reader, Scale
from latentlab.codes.decodings import Decodings
from latentlab.errors import InputError
from latentlab.results import Score

Floats = NDArray[np.float64]

READABLE = 0.5
LEAST = 0.1
REDRAWS = 200


def leakage(decodings: Decodings, reader: Reader, *, seed: int = 0) -> Score:
    """The leakage of a decoder from traversals around several anchors: images (anchors, d, steps, c, h, w).

    ``value`` is the mean over the dimensions whose leakage is defined, ``interval`` its 95 % interval, 1.96
    standard deviations of redraws of the anchors either way, ``matrix`` (d, k) the change of every factor along
    every dimension, ``per_factor`` the mean leakage of the dimensions with that target. A dimension has none where
    its target moves less than the readings' noise, and less than a tenth of its range: so a decoder that changes
    nothing has none at all, and NaN for a value. Factors read with an R² under 0.5 on real images are left out, and
    said in ``settings``.
    """
    if decodings.images.ndim != 3 + decodings.form.ndim or decodings.images.shape[2] < 2:
        raise InputError(
            f"samples are {decodings.images.shape}; expected (anchors, dimensions, steps, {decodings.form.size})"
        )
    kept = [k for k, scale in enumerate(reader.scales) if scale.r2 >= READABLE]
    scales = [reader.scales[k] for k in kept]
    if len(scales) < 2:
        told = ", ".join(f"{scale.spec.name} (R² {scale.r2:.2f})" for scale in reader.scales)
        return Score(
            np.nan, settings=_settings(reader, decodings, scales, f"fewer than two factors can be read: {told}")
        )
    readings = reader.read(decodings.images)
    moved = np.stack([_variance(readings[k]) for k in kept], axis=-1)
    matrix = changes(moved.mean(axis=0), scales)
    least = np.array([floor(scale) for scale in scales])
    rng, n = np.random.default_rng(seed), len(moved)
    redrawn = [changes(moved[rng.integers(n, size=n)].mean(axis=0), scales) for _ in range(REDRAWS)]
    values = [np.nanmean(each) for each in (_leaks(change, least) for change in redrawn) if np.isfinite(each).any()]
    half = 1.96 * float(np.std(values)) if values else np.nan
    leaks, names = _leaks(matrix, least), [scale.spec.name for scale in scales]
    defined = np.isfinite(leaks)
    target = matrix.argmax(axis=1)
    why = "" if defined.any() else "no dimension changes a factor by more than the regressor's noise"
    value = float(leaks[defined].mean()) if defined.any() else np.nan
    return Score(
        value,
        parts={"defined": int(defined.sum()), "of": len(leaks)},
        per_factor={
            name: float(leaks[defined & (target == k)].mean())
            for k, name in enumerate(names)
            if (defined & (target == k)).any()
        },
        matrix=matrix,
        interval=(max(value - half, 0.0), min(value + half, 1.0)) if defined.any() else None,
        settings=_settings(reader, decodings, scales, why),
    )


def changes(variance: Floats, scales: Sequence[Scale]) -> Floats:
    """The change (d, k) of each factor, 1 for an even sweep of its whole range, from variances (d, k) of readings."""
    found = np.empty(variance.shape)
    for k, scale in enumerate(scales):
        share = np.maximum(variance[:, k] - scale.noise, 0) / scale.sweep
        found[:, k] = share if scale.spec.kind == "categorical" else np.sqrt(share)
    return found


def floor(scale: Scale) -> float:
    """The least change of a factor that counts: its readings' noise, or a tenth of its range if that is more."""
    share = scale.noise / scale.sweep
    return max(LEAST, share if scale.spec.kind == "categorical" else float(np.sqrt(share)))


def _variance(readings: Floats) -> Floats:
    """The total variance over steps (anchors, d) of readings (anchors, d, steps, numbers)."""
    return np.asarray(readings.var(axis=2).sum(axis=-1))


def _leaks(matrix: Floats, least: Floats) -> Floats:
    """The leakage (d,) of each dimension; NaN where its target changes less than counts."""
    ranked, target = np.sort(matrix, axis=1), matrix.argmax(axis=1)
    top = ranked[:, -1]
    return np.where(top > least[target], ranked[:, -2] / np.where(top > 0, top, 1), np.nan)


def _settings(reader: Reader, decodings: Decodings, scales: Sequence[Scale], why: str) -> dict[str, Any]:
    kept = [scale.spec.name for scale in scales]
    return {
        "factors": kept,
        "left_out": {s.spec.name: round(s.r2, 4) for s in reader.scales if s.spec.name not in kept},
        "r2": {scale.spec.name: round(scale.r2, 4) for scale in scales},
        "least_change": {scale.spec.name: floor(scale) for scale in scales},
        "harmonics": {scale.spec.name: scale.harmonic for scale in scales if scale.spec.kind == "circular"},
        "read_from": f"{reader.rows} images of {reader.data}",
        **decodings.settings,
        **({"undefined": why} if why else {}),
    }
