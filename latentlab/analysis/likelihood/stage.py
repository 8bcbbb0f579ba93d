"""Estimates of log p(x) for a run, computed once and kept in ``likelihood.h5``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from latentlab.analysis.likelihood import STAGE
from latentlab.analysis.likelihood.compute import ROWS, SAMPLES, estimate
from latentlab.analysis.likelihood.record import FILE, FORMAT, INDEPENDENT, Evidence, given_of, save_evidence
from latentlab.data import Dataset, load
from latentlab.errors import InputError
from latentlab.models import Model, load_model
from latentlab.models.conditions import told_of
from latentlab.results import plain
from latentlab.runs.data import analysed
from latentlab.runs.kept import kept
from latentlab.runs.run import Run
from latentlab.runs.weights import model_hash
from latentlab.system.progress import Progress, silent


def likelihood(
    run: Run,
    *,
    data: Dataset | str | Path | None = None,
    split: str | None = None,
    rows: int = ROWS,
    samples: int = SAMPLES,
    seed: int = 0,
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Evidence:
    """Estimate log p(x) of samples by importance weighting, next to their ELBO, in nats; kept in ``likelihood.h5``.

    Parameters
    ----------
    run : Run
        The run, or the path of its folder.
    data : Dataset, str or Path, optional
        By default what the run was trained on, of it the published test part.
    split : str, optional
        A published part of the data.
    rows : int
        At most how many rows are estimated, chosen by the seed; at least 1.
    samples : int
        Draws from the posterior of each row; at least 2.
    seed : int, default 0
        Of the rows and of the draws.
    adapter : str or Model, optional
        What a run of a user's own model needs: ``FILE.py:NAME``, or the model.
    progress : callable
        Called with work done, work to do, and what is worked on.

    Returns
    -------
    Evidence
        The estimates of each row. A latent space of two dimensions is integrated exactly too, for the first 50 rows.
        Of counts it is log p(x | library size), the sample's own total being known, and with conditions log p(x |
        condition): the settings say so as ``given``.

    Raises
    ------
    InputError
        For a deterministic encoder, which has no posterior and no ELBO; for fewer than 1 row or 2 samples; and where
        the likelihood is not a distribution of the images: a Bernoulli likelihood gives probability to black and white
        alone, so its value for grey levels is not log p(x). Take ``binarised=SEED`` data for it.

    References
    ----------
    Burda, Grosse and Salakhutdinov (2016), Importance Weighted Autoencoders.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> ll.likelihood(run, data="digits:binarised=0", rows=3, samples=4).estimate.shape
    (3,)
    """
    STAGE.check(run)
    if rows < 1 or samples < 2:
        raise InputError(f"rows is {rows} and samples {samples}; expected at least 1 row and 2 samples of each")
    part = analysed(run, None if data is None else load(data), split)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(part))[:rows])
    inputs = plain(
        {"model": model_hash(run), "source": dict(part.source), "split": part.name, "rows": len(chosen)}
        | {"samples": samples, "seed": seed, "format": FORMAT, "terms": INDEPENDENT}
        | {"fingerprint": part.fingerprint["images"]}
    )
    config = run.config
    known = {"given": given} if (given := given_of(run)) else {}
    described = known | {"data": part.spec or part.name, "likelihood": config.likelihood, "label": config.label}

    def make() -> Evidence:
        """The estimate of the drawn rows."""
        torch.set_num_threads(config.hardware.threads)
        model = load_model(run, adapter)
        return estimate(
            model,
            part[chosen],
            part.row_ids[chosen],
            samples=samples,
            seed=seed,
            settings={**inputs, **described},
            told=told_of(model, part.take(chosen)),
            progress=progress,
        )

    return kept(run, STAGE, inputs, make, lambda found: save_evidence(run.path / FILE, found, inputs))
