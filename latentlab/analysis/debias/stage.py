"""Debiasing weights of a run's training rows, with the extremes kept in ``debiasing.h5``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.analysis.debias.measure import BINS, SMOOTHING, Combine, Commonness, commonness
from latentlab.analysis.debias.record import FILE as DEBIASING_FILE
from latentlab.codes.decodings import Decodings, save_decodings
from latentlab.codes.labels import labelled
from latentlab.codes.selections import extremes
from latentlab.data import Dataset
from latentlab.results import plain
from latentlab.runs.data import trained_rows
from latentlab.runs.run import Run, model_hash
from latentlab.runs.stage import Progress, _silent
from latentlab.system.files import MERGE_PATIENCE, lock

if TYPE_CHECKING:
    from latentlab.models import Model


SHOWN = 24


def debias(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    combine: Combine = "product",
    bins: int = BINS,
    smoothing: float = SMOOTHING,
    adapter: str | Model | None = None,
    progress: Progress = _silent,
) -> Commonness:
    """How common each training row is under the run's latent distribution; the extremes stay in ``debiasing.h5``.

    ``data`` and ``split`` are what the run was trained on unless they say otherwise. The file holds the rarest and the
    commonest rows, each with its reconstruction; see `latentlab.analysis.debias.measure.commonness` for the weights.
    """
    from latentlab.models import load_model
    from latentlab.models.decoding import reconstruct
    from latentlab.models.encoding import judge

    part = trained_rows(run, data, split)
    model = load_model(run, adapter)
    progress(0, 2, "encode")
    codes = judge(model, part, distortion=False, workers=None if adapter is None else 1)
    found = commonness(codes, bins=bins, smoothing=smoothing, combine=combine)
    progress(1, 2, "decode the extremes")
    of_row, classes = _classes(part)
    parts, summary = {}, {**found.settings, "effective": found.effective, "data": part.name}
    for name, rows in zip(("commonest", "rarest"), extremes(found.weights, SHOWN), strict=True):
        made = reconstruct(model, codes, part, rows) if run.decodes else Decodings(part[rows], codes.mean[rows])
        told = {"kind": name, "rows": codes.row_ids[rows].tolist(), "weights": found.weights[rows].tolist()}
        parts[name] = replace(
            made, settings={**told, "classes": [classes[k] for k in of_row[rows]], "summary": summary}
        )
    with lock(run.path, MERGE_PATIENCE):
        inputs = {"model": model_hash(run), "source": plain(part.source), "fingerprint": part.fingerprint}
        save_decodings(run.path / DEBIASING_FILE, parts, inputs)
    progress(2, 2, "")
    return found


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
    missing = data.labels is not None and not labelled(data.labels).all()
    named = {k: names[k] if 0 <= k < len(names) else str(k) for k in seen} | ({-1: "unlabelled"} if missing else {})
    return of_row, tuple(named[k] for k in seen)
