"""Debiasing weights of a run's training rows, with the extremes kept in ``debiasing.h5``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.debias import STAGE
from latentlab.analysis.debias.measure import BINS, SMOOTHING, Combine, Commonness, check_settings, commonness
from latentlab.analysis.debias.record import FILE
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings, save_decodings
from latentlab.codes.selections import extremes
from latentlab.data import Dataset, load
from latentlab.data.dataset import labelled
from latentlab.results import plain
from latentlab.runs.data import trained_rows
from latentlab.runs.kept import inputs_of, kept
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.files import unless_damaged
from latentlab.system.progress import Progress, silent

if TYPE_CHECKING:
    from latentlab.models import Model


SHOWN = 24


def debias(
    run: Run,
    *,
    data: Dataset | str | Path | None = None,
    split: str | None = None,
    combine: Combine = "product",
    bins: int = BINS,
    smoothing: float = SMOOTHING,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Commonness:
    """Measure how common each training row is under the run's latent distribution.

    The rarest and the commonest rows, each with its reconstruction, are kept in ``debiasing.h5``.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        By default what the run was trained on.
    split : str, optional
        A published part of the data; by default the one that the run was trained on.
    combine : {"product", "maximum"}
        How the factors of the dimensions become the weight of a row.
    bins : int, default 10
        Bins of equal width in each active dimension.
    smoothing : float, default 0.01
        What is added to the share of each bin: the larger it is, the nearer all weights are to one.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Commonness
        Weights (n,) of mean 1, higher for rarer rows; see `latentlab.analysis.debias.measure.commonness`.

    Raises
    ------
    InputError
        Where the run has no encoder, or a setting or the data cannot be used.

    References
    ----------
    Amini et al. (2019), Uncovering and mitigating algorithmic bias through learned latent structure, equation 4.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> codes = ll.encode(run)
    >>> round(float(ll.debias(run).weights.mean()), 3)
    1.0
    """
    STAGE.check(run)
    check_settings(bins, smoothing)
    part = trained_rows(run, None if data is None else load(data), split)
    inputs = {"model": model_hash(run), "source": plain(part.source), "fingerprint": part.fingerprint}
    progress(0, 2, "encode")
    codes = _codes(run, part, adapter)
    found = commonness(codes, bins=bins, smoothing=smoothing, combine=combine)
    progress(1, 2, "decode the extremes")
    inputs |= {"combine": combine, "bins": bins, "smoothing": smoothing}
    kept(
        run,
        STAGE,
        inputs,
        lambda: _extremes(run, part, codes, found, adapter),
        lambda parts: save_decodings(run.path / FILE, parts, inputs),
    )
    progress(2, 2)
    return found


def _codes(run: Run, part: Dataset, adapter: str | Model | None) -> Codes:
    """The codes of those rows: the run's own where they are of just these images, else they are encoded now."""
    from latentlab.models import load_model
    from latentlab.models.encoding import judge
    from latentlab.models.load import encoding_threads

    recorded = unless_damaged(lambda: inputs_of(run.codes_path)) or {}
    images = recorded.get("fingerprint", {}).get("images")
    if recorded.get("model") == model_hash(run) and images == part.fingerprint["images"]:
        codes = run.codes()
        if np.array_equal(codes.row_ids, part.row_ids):  # a shared copy keeps some of them
            return codes
    return judge(load_model(run, adapter), part, distortion=False, workers=encoding_threads(run))


def _extremes(
    run: Run, part: Dataset, codes: Codes, found: Commonness, adapter: str | Model | None
) -> dict[str, Decodings]:
    """The commonest and the rarest rows, each with its reconstruction where the model has a decoder."""
    from latentlab.models import load_model
    from latentlab.models.decoding import reconstruct

    model = load_model(run, adapter) if run.decodes else None
    of_row, classes = _classes(part)
    parts, summary = {}, {**found.settings, "effective": found.effective, "data": part.name}
    for name, rows in zip(("commonest", "rarest"), extremes(found.weights, SHOWN), strict=True):
        if model is None:
            made = Decodings(part[rows], codes.mean[rows], form=part.form)
        else:
            made = reconstruct(model, codes, part, rows)
        told = {"kind": name, "rows": codes.row_ids[rows].tolist(), "weights": found.weights[rows].tolist()}
        classed = [classes[k] for k in of_row[rows]]
        parts[name] = replace(made, settings={**told, "classes": classed, "summary": summary})
    return parts


def shares(data: Dataset, found: Commonness) -> list[dict[str, Any]]:
    """Each class's share of the rows and of the weights: what drawing by the weights would do to it.

    Of the labels, else of the first categorical factor; nothing where neither is known. No weight was made from it.
    """
    of_row, classes = _classes(data)
    weight = found.weights / found.weights.sum()
    every = [(name, of_row == k) for k, name in enumerate(classes)] if len(classes) > 1 else []
    return [
        {"class": name, "rows": int(here.sum()), "share": float(here.mean()), "weighted": float(weight[here].sum())}
        for name, here in every
    ]


def _classes(data: Dataset) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The class of each row and the classes' names; one without a name where nothing is known."""
    if data.labels is not None:
        numbers, names = data.labels, data.label_names
    else:
        k = next((k for k, spec in enumerate(data.specs) if spec.kind == "categorical" and spec.levels > 1), None)
        if k is None or data.factors is None or np.isnan(data.factors[:, k]).any():
            return np.zeros(len(data), np.int64), ("",)
        numbers, names = data.factors[:, k].astype(np.int64), tuple(map(str, data.specs[k].values))
    seen, of_row = np.unique(numbers, return_inverse=True)
    missing = data.labels is not None and not labelled(data.labels, names).all()
    named = {k: names[k] if 0 <= k < len(names) else str(k) for k in seen} | ({-1: "unlabelled"} if missing else {})
    return of_row, tuple(named[k] for k in seen)
