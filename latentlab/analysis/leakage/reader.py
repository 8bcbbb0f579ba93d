"""Factors read off images by a regressor trained on real images whose factors are known: no model's encoder takes part.

The regressor sees each image as a coarse picture (at most 16×16) and as the sizes of its low spatial frequencies, which
do not depend on where a thing is, and other samples as their kind says; a small network (scikit-learn's) maps them to
all factors at once. Each factor is read in a space where distances mean something: its value, cos and sin of a
circular one, the class of a categorical one. How well each is read is measured on images held out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.labels import as_factor
from latentlab.data import Dataset, Factor, Form
from latentlab.data.dataset import Samples, angles, labelled
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError
from latentlab.metrics._arrays import angles_of

Floats = NDArray[np.float64]

ROWS = 20_000
HELD_OUT = 4_000
LEAST_ROWS = 50
HARMONICS = (1, 2, 4)
HIDDEN = (256, 128)
UPDATES = 2_400
BATCH = 256
BLOCK = 2_000


@dataclass(frozen=True)
class Scale:
    """How one factor is read: column ``index`` of the factors, its ``spec``, and how its readings are judged.

    A circular factor is read at the ``harmonic`` m of 1, 2, 4 that is read best, cos and sin of m times the angle: a
    square turned by a quarter is the same picture. ``sweep`` is the total variance of the numbers that stand for the
    factor when it takes all its values equally often, ``noise`` the mean squared error of the readings on held-out
    images (of a categorical factor, the probability that two images of one class are read as two classes), and ``r2``
    is 1 − noise / sweep, 1 for a factor that is read without error.
    """

    index: int
    spec: Factor
    start: int
    width: int
    sweep: float
    harmonic: int = 1
    noise: float = np.nan

    @property
    def r2(self) -> float:
        """1 − noise / sweep."""
        return 1 - self.noise / self.sweep


@dataclass(frozen=True, eq=False)
class Reader:
    """A trained regressor: samples in, readings of the factors out. ``scales`` has an entry per factor that varies."""

    scales: tuple[Scale, ...]
    data: str
    rows: int
    network: Any = field(repr=False)
    standard: tuple[Any, Any] = field(repr=False)
    outputs: tuple[Any, Any] = field(repr=False)
    form: Form

    def read(self, images: Samples) -> list[Floats]:
        """What each factor is read as in samples (…, *shape): one array (…, numbers that stand for it) a factor."""
        leading = images.shape[: -self.form.ndim]
        flat = images.reshape(-1, *self.form.shape)
        found = np.concatenate([self._outputs(block) for block in _blocks(flat)])
        parts = [_settled(found[:, scale.start : scale.start + scale.width], scale) for scale in self.scales]
        return [part.reshape(*leading, part.shape[-1]) for part in parts]

    def _outputs(self, images: Samples) -> Floats:
        seen, (centre, spread), (shift, unit) = kind_of(self.form).seen(self.form, images), self.standard, self.outputs
        found = np.asarray(self.network.predict((seen - centre) / spread), np.float64)
        return np.asarray(found.reshape(len(images), -1) * unit + shift)


def learn(data: Dataset, *, rows: int = ROWS, seed: int = 0) -> Reader:
    """A `Reader` trained on at most `rows` seeded random images of data with factors (or labels), judged on others.

    Raises `InputError` where nothing that varies is known of the images, or fewer than 50 of them are known.
    """
    columns, specs = known_factors(data)
    complete = np.flatnonzero(np.isfinite(columns).all(axis=1))
    if len(complete) < LEAST_ROWS or not specs:
        raise InputError(
            f"{data.name} has {len(complete)} {data.form.plural} with {len(specs)} known factors that vary; at least "
            f"{LEAST_ROWS} and one varying factor are needed"
        )
    order = np.random.default_rng(seed).permutation(complete)
    held = min(HELD_OUT, len(order) // 5)
    test, train = np.sort(order[:held]), np.sort(order[held : held + rows])
    candidates = _candidates(columns, specs)
    unit = np.concatenate([np.full(scale.width, np.sqrt(scale.sweep)) for scale in candidates])
    wanted = np.concatenate([embed(columns[train], scale) for scale in candidates], axis=1)
    shift = wanted.mean(axis=0)
    kind = kind_of(data.form)
    form = kind.fitted(data.form, data)
    seen = np.concatenate([kind.seen(form, data[block]) for block in _blocks(train)])
    spread = seen.std(axis=0)
    spread = spread + 0.05 * max(float(spread.max()), 1e-6)  # what hardly varies is not blown up
    centre = seen.mean(axis=0)
    network = _trained((seen - centre) / spread, ((wanted - shift) / unit).astype(np.float32), seed)
    reader = Reader(candidates, data.name, len(train), network, (centre, spread), (shift, unit), form)
    readings = [np.concatenate(parts) for parts in zip(*(reader.read(data[b]) for b in _blocks(test)), strict=True)]
    judged = [_judged(scale, got, columns[test]) for scale, got in zip(candidates, readings, strict=True)]
    best = [max((s for s in judged if s.index == k), key=lambda s: s.r2) for k in range(len(specs))]
    return replace(reader, scales=tuple(best))


def embed(columns: Floats, scale: Scale) -> Floats:
    """The numbers (n, width) that stand for a factor, from columns (n, k) as `Dataset.factors` holds them."""
    if scale.spec.kind == "circular":
        turned = scale.harmonic * _angles(columns[:, scale.index], scale.spec)
        return np.column_stack([np.cos(turned), np.sin(turned)])
    values = _values(columns[:, scale.index], scale.spec)
    if scale.spec.kind == "categorical":
        return (columns[:, scale.index, None] == np.arange(scale.width)).astype(np.float64)
    return values[:, None]


def known_factors(data: Dataset) -> tuple[Floats, list[Factor]]:
    """The factors that vary: columns and specifications; the label is one where there are no others."""
    if data.factors is not None and data.specs:
        columns, specs = data.factors, list(data.specs)
    elif data.labels is not None and labelled(data.labels, data.label_names).any():
        classes = int(data.labels.max()) + 1
        columns = as_factor(data.labels, data.label_names)
        specs = [Factor("label", "categorical", tuple(range(classes)))]
    else:
        return np.zeros((len(data), 0)), []
    vary = [k for k in range(columns.shape[1]) if np.nanmin(columns[:, k]) < np.nanmax(columns[:, k])]
    columns, specs = columns[:, vary], [specs[k] for k in vary]
    for column, spec in zip(columns.T, specs, strict=True):
        if spec.kind == "categorical":  # numbered 0, 1, … here, for theirs may be −1 and 1
            known = np.isfinite(column)
            column[known] = np.unique(column[known], return_inverse=True)[1]
    return columns, specs


def _values(column: Floats, spec: Factor) -> Floats:
    numeric = bool(spec.values) and not isinstance(spec.values[0], str)
    return np.asarray(spec.values, np.float64)[column.astype(int)] if numeric and spec.kind != "categorical" else column


def _angles(column: Floats, spec: Factor) -> Floats:
    """Radians of a circular factor: of its levels, or where it has none of the numbers in the column."""
    return angles(spec, column) if spec.levels else np.asarray(angles_of(column), np.float64)


def _candidates(columns: Floats, specs: Sequence[Factor]) -> tuple[Scale, ...]:
    scales: list[Scale] = []
    start = 0
    for k, spec in enumerate(specs):
        known = columns[np.isfinite(columns[:, k]), k]
        if spec.kind == "categorical":
            classes = len(np.unique(known))
            forms = [(int(known.max()) + 1, 1, 1 - 1 / classes)]
        elif spec.kind == "circular":
            forms = [(2, m, 1.0) for m in HARMONICS]
        else:
            levels = np.unique(_values(known, spec))
            forms = [(1, 1, float(levels.var()) if spec.values else float(np.ptp(levels)) ** 2 / 12)]
        for width, harmonic, sweep in forms:
            scales.append(Scale(k, spec, start, width, sweep, harmonic))
            start += width
    return tuple(scales)


def _trained(seen: NDArray[np.float32], wanted: NDArray[np.float32], seed: int) -> Any:
    from sklearn.neural_network import MLPRegressor
    from threadpoolctl import threadpool_limits

    batch = min(BATCH, len(seen))
    epochs = max(1, round(UPDATES * batch / len(seen)))
    network = MLPRegressor(
        hidden_layer_sizes=HIDDEN,
        batch_size=batch,
        max_iter=epochs,
        n_iter_no_change=epochs,
        alpha=1e-3,
        random_state=seed,
    )
    # One thread: with more, the weights would depend on their number, and they wait for each other on busy machines.
    with warnings.catch_warnings(), threadpool_limits(1, user_api="blas"):
        warnings.simplefilter("ignore")  # it stops after that many updates, and says that it could go on
        return network.fit(seen, wanted.ravel() if wanted.shape[1] == 1 else wanted)


def _settled(found: Floats, scale: Scale) -> Floats:
    """A categorical factor is read as its likeliest class; the others as they come."""
    if scale.spec.kind != "categorical":
        return found
    return np.eye(scale.width)[found.argmax(axis=1)]


def _judged(scale: Scale, readings: Floats, columns: Floats) -> Scale:
    truth = embed(columns, scale)
    if scale.spec.kind != "categorical":
        return replace(scale, noise=float(((readings - truth) ** 2).sum(axis=1).mean()))
    classes = [readings[truth[:, c] == 1].mean(axis=0) for c in range(scale.width) if truth[:, c].any()]
    return replace(scale, noise=float(np.mean([1 - (share**2).sum() for share in classes])))


def _blocks(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]
