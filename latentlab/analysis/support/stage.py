"""Is this a space one can sample from? A run's samples decoded, then measured: what ``latentlab support`` does.

This is where the halves meet: torch functions decode, the functions of `latentlab.analysis.support.measure` measure.
The numbers are
kept in ``support.json``, the pictures in ``support.h5``.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.support import STAGE, measure
from latentlab.analysis.support.nearby import nearest
from latentlab.analysis.support.record import NUMBERS, SHEET, SHEETS, Support
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings, save_decodings
from latentlab.codes.draws import mixture, samples
from latentlab.codes.labels import as_factor
from latentlab.data import Dataset, Form, load
from latentlab.data.dataset import Samples, labelled
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError
from latentlab.metrics.knn_probe import knn_probe
from latentlab.metrics.linear_probe import linear_probe
from latentlab.results import plain
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.files import write_json
from latentlab.system.progress import Progress, silent

if TYPE_CHECKING:
    from latentlab.models import Model

SAMPLES = 5000
WAYS = 100
POINTS = 33
JUDGED = 5000
COMPARED = 60_000  # training images among which the nearest is sought, codes among which holes are
LIKELIHOOD_BATCH = 64
JUDGED_NEAREST = 200
NO_INTERVAL = {
    "mmd": "it is compared with mmd_null, which one sample in twenty of the prior itself exceeds",
    "rate, active_units, mean, deviation, distance, gaussian_tc, gaussian_kl": "they describe these rows",
    "probe, knn": "halves of the rows gave intervals that covered more than 97 % in simulation",
    "to_training": "it is a distance to the nearest of the given training rows",
}


def support(
    run: Run,
    *,
    data: Dataset | str | Path | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Support:
    """Measure whether a run's latent space can be sampled from; kept in ``support.json``, recomputed when out of date.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        By default what the run was trained on.
    samples : int, default 5,000
        Codes from each source: the prior N(0, I), a normal distribution fitted to the codes, and the aggregate
        posterior. Decoded, they are compared with as many real samples of the analysed part. At least 100.
    seed : int, default 0
        Of the samples and of the rows.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Support
        ``arms`` (precision, density, coverage and holes of each source, of real training samples and of one constant
        sample), ``between`` (the decoder on straight paths between codes), ``fit`` (the aggregate posterior against the
        prior), ``memory`` (train and test ELBO, how near samples are to training samples), ``widths`` (of posteriors),
        and ``information`` (whether the codes carry any; the other numbers mean nothing if they do not).
        ``undefined`` says what could not be computed for this model, and why.

    Raises
    ------
    InputError
        For fewer than 100 samples, a run without a decoder, and codes of which a shared copy keeps some rows only.

    References
    ----------
    Kynkäänniemi et al. (2019), Improved Precision and Recall Metric for Assessing Generative Models.
    Naeem et al. (2020), Reliable Fidelity and Diversity Metrics for Generative Models.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> list(ll.support(run, samples=100).arms)
    ['prior', 'gaussian', 'aggregate', 'real', 'constant']
    """
    from latentlab.runs.data import analysed

    STAGE.check(run)
    if samples < 100:
        raise InputError(f"samples is {samples}; expected at least 100")
    data = None if data is None else load(data)
    held, trained_on = analysed(run, data), _training_rows(run, data)
    _check_rows(held, _rows(held, trained_on, samples, seed))
    inputs = plain(
        {"model": model_hash(run), "source": dict(held.source), "split": held.name, "draws": samples, "seed": seed}
        | {"format": STAGE.format, "fingerprint": _fingerprint(held, trained_on)}
    )

    def write(made: tuple[dict[str, Any], dict[str, Decodings]]) -> None:
        save_decodings(run.path / SHEETS, made[1], inputs)
        write_json(run.path / NUMBERS, plain({"format": STAGE.format, "inputs": inputs, **made[0]}))

    make = lambda: _measured(run, data, held, trained_on, samples, seed, adapter, progress)  # noqa: E731
    found: Support = kept(run, STAGE, inputs, make, write)
    return found


def _fingerprint(held: Dataset, trained_on: Dataset) -> dict[str, Any]:
    return {"held": held.fingerprint, "trained": trained_on.fingerprint["images"]}


def _measured(
    run: Run,
    data: Dataset | None,
    held: Dataset,
    trained_on: Dataset,
    draws: int,
    seed: int,
    adapter: str | Model | None,
    progress: Progress,
) -> tuple[dict[str, Any], dict[str, Decodings]]:
    """The numbers, and the pictures that belong to them."""
    from latentlab.analysis.encode.stage import encode
    from latentlab.models import load_model

    progress(0, 5, "encode")
    codes = encode(run, data, adapter=adapter)
    if len(codes) != len(held):
        raise InputError(f"{run.codes_path} is a shared copy of {len(codes)} of {len(held)} rows; encode it here first")
    model = load_model(run, adapter)
    sheet: dict[str, Decodings] = {}
    rows = _rows(held, trained_on, draws, seed)
    progress(1, 5, "samples")
    form = run.config.form
    arms = _arms(model, codes, held, trained_on, rows, seed, sheet, form)
    progress(2, 5, "paths between codes")
    between = _between(model, codes, seed, sheet, form)
    progress(3, 5, "memory")
    memory = _memory(run, model, codes, trained_on, seed)
    progress(4, 5, "widths")
    numbers = {
        "information": _information(codes),
        "arms": arms,
        "between": between,
        "fit": measure.prior_fit(samples(codes, "aggregate", draws, seed)) if codes.variance is not None else None,
        "memory": memory,
        "widths": _widths(model, codes, held, sheet, form),
        "undefined": _undefined(run, codes, trained_on, held),
        "no_interval": NO_INTERVAL,
    }
    progress(5, 5)
    return numbers, sheet


def _training_rows(run: Run, data: Dataset | None) -> Dataset:
    from latentlab.runs.data import data_of

    data = data_of(run) if data is None else data
    return data.split(run.config.split) if run.config.split in data.splits else data


def _rows(held: Dataset, trained_on: Dataset, draws: int, seed: int) -> NDArray[np.int64]:
    """The real rows that samples are held against; half at most where all were trained on: the others are compared."""
    known = np.isin(held.row_ids, trained_on.row_ids).all()
    most = min(draws, len(held) // 2) if known else draws
    return np.sort(np.random.default_rng(seed).permutation(len(held))[:most])


def _check_rows(held: Dataset, rows: NDArray[np.int64]) -> None:
    """Raise an `InputError` where too few real rows are there for their nearest neighbours to mean anything."""
    if len(rows) <= measure.NEIGHBOURS:
        raise InputError(
            f"{held.name} has {len(held)} rows, of which samples are compared with {len(rows)}; expected more than "
            f"{measure.NEIGHBOURS}: give a larger --data"
        )


def _arms(
    model: Model,
    codes: Codes,
    held: Dataset,
    trained_on: Dataset,
    rows: NDArray[np.int64],
    seed: int,
    sheet: Any,
    form: Form,
) -> dict[str, dict[str, float]]:
    from latentlab.models.decoding import decode

    rng = np.random.default_rng(seed)
    compared = np.sort(np.random.default_rng(seed + 4).permutation(len(trained_on))[:COMPARED])
    training, ids = trained_on[compared], trained_on.row_ids[compared]
    order = rng.permutation(len(training))
    some = training[np.sort(order[~np.isin(ids[order], held.row_ids[rows])][: len(rows)])]
    kind = kind_of(form)
    numbers = partial(kind.compared, form)
    real = held[rows]
    space = kind.space(form, _in_turn(some, real))
    features = space(real)
    half = rng.permutation(len(codes))[: 2 * COMPARED]
    known, new = (
        samples(codes.take(np.sort(part)), "aggregate", len(part), seed + 1) for part in np.array_split(half, 2)
    )
    drawn = {
        "prior": samples(codes, "prior", len(rows), seed),
        "gaussian": mixture(codes, len(rows), seed, components=1),
        "aggregate": samples(codes, "aggregate", len(rows), seed),
    }
    arms: dict[str, dict[str, float]] = {}
    for name, z in drawn.items():
        images = decode(model, z)
        arms[name] = measure.coverage(features, space(images))
        if name != "prior" or codes.variance is not None:  # the scale of an AE is free: it could choose its holes
            arms[name] |= measure.holes(z, known, new)
        where, distance = nearest(images[:JUDGED_NEAREST], training, numbers)
        arms[name]["to_training"] = float(np.median(distance))
        settings = {"kind": "samples", "source": name, "nearest": ids[where[:SHEET]].tolist()}
        sheet[f"samples-{name}"] = Decodings(images[:SHEET], z[:SHEET], training[where[:SHEET]], settings, form)
    mean = np.nanmean(real, axis=0, dtype=np.float64)
    constant = np.broadcast_to((mean.round() if form.bytes else mean).astype(real.dtype), real.shape)
    arms["real"] = measure.coverage(features, space(some))
    own = _places(ids, held.row_ids[rows[:JUDGED_NEAREST]])
    arms["real"]["to_training"] = float(np.median(nearest(real[:JUDGED_NEAREST], training, numbers, own)[1]))
    arms["constant"] = measure.coverage(features, space(constant))
    return arms


def _in_turn(a: Samples, b: Samples) -> Samples:
    """Two sets of samples as one, a sample of each in turn.

    Directions that were found on one of them vary less in the other where there are fewer rows than numbers in a row.
    """
    shared = min(len(a), len(b))
    both = np.stack([a[:shared], b[:shared]], axis=1).reshape(-1, *a.shape[1:])
    return np.concatenate([both, a[shared:], b[shared:]])


def _places(ids: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each of `rows` stands among `ids`; -1 for a row that is not there."""
    order = np.argsort(ids, kind="stable")
    places = order[np.minimum(np.searchsorted(ids, rows, sorter=order), len(ids) - 1)]
    return np.where(ids[places] == rows, places, -1)


def _between(model: Model, codes: Codes, seed: int, sheet: dict[str, Decodings], form: Form) -> dict[str, float]:
    from latentlab.analysis.support.compute import along

    pairs = np.random.default_rng(seed + 2).permutation(len(codes))[: 2 * min(WAYS, len(codes) // 2)].reshape(-1, 2)
    share = np.linspace(0, 1, POINTS, dtype=np.float32)[None, :, None]
    z = codes.mean[pairs[:, 0], None] * (1 - share) + codes.mean[pairs[:, 1], None] * share
    images, information = along(model, z)
    variance = None if codes.variance is None else codes.variance.astype(np.float64).mean(axis=0)
    shown = slice(0, POINTS, (POINTS - 1) // 8)
    settings = {"kind": "ways", "rows": codes.row_ids[pairs[:6]].tolist()}
    sheet["ways"] = Decodings(images[:6, shown], z[:6, shown], None, settings, form)
    return measure.continuity(images if form.bytes else form.to_model(images), z, information, variance)


def _memory(run: Run, model: Model, codes: Codes, trained_on: Dataset, seed: int) -> dict[str, float] | None:
    """The ELBO of training and of held-out rows; None where there are no rows that the model has not seen, or where
    these are not the images that it was trained on."""
    from latentlab.codes.rates import row_rate
    from latentlab.models.conditions import told_of
    from latentlab.models.encoding import distortions, posterior

    if run.config.fingerprint not in ("", trained_on.fingerprint["images"]):
        return None
    unseen = ~np.isin(codes.row_ids, trained_on.row_ids)
    judged = np.isfinite(codes.distortion) & unseen if codes.distortion is not None else np.zeros(len(codes), bool)
    if not judged.any():
        return None
    rows = np.sort(np.random.default_rng(seed + 3).permutation(len(trained_on))[:JUDGED])
    images = trained_on[rows]
    told = told_of(model, trained_on.take(rows))
    blocks = [slice(start, start + LIKELIHOOD_BATCH) for start in range(0, len(images), LIKELIHOOD_BATCH)]
    cost = [
        distortions(model, images[each], seed=seed + each.start, told=None if told is None else told[each])
        for each in blocks
    ]
    train, test = np.concatenate(cost).astype(np.float64), np.asarray(codes.distortion, np.float64)[judged]
    if run.config.stochastic:
        mean, variance = posterior(model, images, told)
        train = train + row_rate(mean, np.asarray(variance))
        test = test + np.asarray(codes.rate, np.float64)[judged]
    error = np.sqrt(train.var(ddof=1) / len(train) + test.var(ddof=1) / len(test))
    gap = test.mean() - train.mean()
    return {
        "train": -float(train.mean()),
        "test": -float(test.mean()),
        "gap": float(gap),
        "gap_low": float(gap - 1.96 * error),
        "gap_high": float(gap + 1.96 * error),
    }


def _information(codes: Codes) -> dict[str, Any]:
    """What the codes still know: rate, active units, and how well labels can be read off them."""
    found: dict[str, Any] = {"latent_dim": codes.latent_dim, "rate": None, "active_units": None}
    if codes.variance is not None:
        found["rate"] = float(np.mean(np.asarray(codes.rate, np.float64)))
        found["active_units"] = int(codes.active.sum())
    if codes.labels is not None and len(np.unique(codes.labels[labelled(codes.labels, codes.label_names)])) > 1:
        classes = as_factor(codes.labels, codes.label_names)
        linear = linear_probe(codes.mean, classes)
        found |= {"probe": linear.value, "chance": linear.parts["chance"]}
        found["knn"] = knn_probe(codes.mean, classes).value
    return found


def _widths(
    model: Model, codes: Codes, held: Dataset, sheet: dict[str, Decodings], form: Form
) -> dict[str, Any] | None:
    from latentlab.models.decoding import decode

    try:
        width = measure.widths(codes)
    except InputError:
        return None
    order = np.argsort(width, kind="stable")
    for name, rows in (("narrowest", order[:SHEET]), ("widest", order[::-1][:SHEET])):
        settings = {"kind": name, "rows": codes.row_ids[rows].tolist(), "width": width[rows].round(4).tolist()}
        sheet[name] = Decodings(decode(model, codes.mean[rows]), codes.mean[rows], held[rows], settings, form)
    low, median, high = np.quantile(width, (0.025, 0.5, 0.975))
    found: dict[str, Any] = {"median": float(median), "low": float(low), "high": float(high)}
    if codes.labels is not None:
        groups = {
            codes.classes.get(label, str(label)): float(np.median(width[codes.labels == label]))
            for label in np.unique(codes.labels[labelled(codes.labels, codes.label_names)]).tolist()
        }
        found["by_label"] = groups if len(groups) <= 20 else {}
    return found


def _undefined(run: Run, codes: Codes, trained_on: Dataset, held: Dataset) -> dict[str, str]:
    found: dict[str, str] = {}
    if codes.variance is None:
        why = "a deterministic encoder has no posterior"
        found |= {"rate": why, "widths": why, "gradient": f"{why}, so path lengths cannot be measured in units of σ"}
        found["fit"] = "a deterministic encoder has no prior: the scale of its codes is arbitrary"
        found["arms.prior"] = "the scale of a deterministic encoder is arbitrary, so samples from N(0, I) mean nothing"
    elif not codes.active.any():
        found["widths"] = "no dimension is active: every posterior equals the prior"
    if run.config.fingerprint not in ("", trained_on.fingerprint["images"]):
        found["memory"] = "the data are not those that the run was trained on"
    elif np.isin(held.row_ids, trained_on.row_ids).all():
        found["memory"] = "the data have no rows that were not trained on"
    if codes.labels is None:
        found["probe"] = "the data have no labels"
    return found
