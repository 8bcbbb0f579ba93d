"""What a model makes of any images, without a file: their posterior and their distortion, as codes in memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from latentlab.codes import Codes
from latentlab.configuring import process_threads
from latentlab.data import Dataset
from latentlab.encoding import BATCH, distortions, posteriors
from latentlab.errors import InputError
from latentlab.models import Model


def judge(
    model: Model,
    data: Dataset,
    *,
    rows: int | None = None,
    distortion: bool = True,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Codes:
    """The codes of at most `rows` seeded rows of `data` (all by default), with their distortion where it is asked for.

    ``distortion`` is −log p(x|z) in nats at one seeded posterior sample. Nothing is written. ``workers`` are the
    threads that encode: one for a model of the user's own, which may not bear more.
    """
    if not len(data):
        raise InputError(f"{data.name} has no images; expected at least one")
    if rows is not None and rows < len(data):
        data = data.take(np.sort(np.random.default_rng(seed).permutation(len(data))[:rows]))
    blocks = list(posteriors(model, data, workers or process_threads()))
    found = np.full(len(data), np.nan, np.float32)
    for start in range(0, len(data), BATCH) if distortion else ():
        images = data[slice(start, start + BATCH)]
        found[start : start + BATCH] = distortions(model, images, seed=seed + start)
        if progress is not None:
            progress(start + len(images), len(data))
    return Codes(
        np.concatenate([mean for mean, _ in blocks]),
        None if blocks[0][1] is None else np.concatenate([each for _, each in blocks if each is not None]),
        data.factors,
        data.specs,
        data.labels,
        data.row_ids,
        found if distortion else None,
        label_names=data.label_names,
    )
