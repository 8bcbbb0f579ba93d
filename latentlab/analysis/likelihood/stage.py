"""Estimates of log p(x) for a run, computed once and kept in ``likelihood.h5``."""

from __future__ import annotations

import numpy as np
import torch

from latentlab.analysis.likelihood.compute import ROWS, SAMPLES, Progress, estimate
from latentlab.analysis.likelihood.record import FORMAT, Evidence, evidence_path, load_evidence, save_evidence
from latentlab.data import Dataset
from latentlab.data._fingerprint import agree
from latentlab.errors import InputError
from latentlab.models import Model, load_model
from latentlab.results import plain
from latentlab.runs.data import analysed
from latentlab.runs.run import Run, model_hash
from latentlab.system.files import lock
from latentlab.system.hdf5 import made_from


def likelihood(
    run: Run,
    data: Dataset | None = None,
    *,
    split: str | None = None,
    rows: int = ROWS,
    samples: int = SAMPLES,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress | None = None,
) -> Evidence:
    """The ELBO and importance-weighted estimates of log p(x) of at most `rows` seeded rows, kept in ``likelihood.h5``.

    ``data`` is by default what the run was trained on, of it the published test part. Each row gets `samples` draws
    from its posterior. A latent space of two dimensions is integrated exactly too, for the first 50 of the rows.

    Raises `InputError` for a deterministic encoder, which has no posterior and no ELBO, and where the likelihood is no
    distribution of the images: a Bernoulli likelihood gives probability to black and white alone, so its value for
    grey levels is no log p(x). Take ``binarised=SEED`` data for it.
    """
    if not run.encodes or not run.decodes:
        raise InputError(
            f"{run.path} has no {'decoder' if run.encodes else 'encoder'}; log p(x) is estimated with both"
        )
    if not run.config.stochastic:
        raise InputError(
            f"{run.path} is a deterministic autoencoder: it has no q(z|x), so no ELBO and no estimate of log p(x)"
        )
    if rows < 1 or samples < 2:
        raise InputError(f"rows is {rows} and samples {samples}; expected at least 1 row and 2 samples of each")
    data = analysed(run, data, split)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(data))[:rows])
    inputs = plain(
        {"model": model_hash(run), "source": dict(data.source), "split": data.name, "rows": len(chosen)}
        | {"samples": samples, "seed": seed, "format": FORMAT, "fingerprint": data.fingerprint["images"]}
    )
    path = evidence_path(run)
    if agree(made_from(path), inputs):
        return load_evidence(path)
    torch.set_num_threads(run.config.hardware.threads)
    model = load_model(run, adapter)
    settings = {
        **inputs,
        "data": data.spec or data.name,
        "likelihood": run.config.likelihood,
        "label": run.config.label,
    }
    with lock(run.path):
        found = estimate(
            model, data[chosen], data.row_ids[chosen], samples=samples, seed=seed, settings=settings, progress=progress
        )
        save_evidence(path, found, inputs)
    return found
