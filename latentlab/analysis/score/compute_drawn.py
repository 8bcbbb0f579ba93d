"""Scores from the rows that a profile draws: a model is scored without encoding all samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

import numpy as np
import torch
from numpy.random import RandomState
from numpy.typing import NDArray

from latentlab.analysis.score.calls import Material, arguments
from latentlab.analysis.score.domain import caveats
from latentlab.analysis.score.material import material
from latentlab.analysis.score.profiles._protocol import BATCH, Protocol
from latentlab.analysis.score.scoring import Scores, each_metric
from latentlab.data import Dataset
from latentlab.errors import InputError
from latentlab.models import Model, load_model
from latentlab.models.encoding import posteriors
from latentlab.models.load import encoding_threads
from latentlab.runs.data import analysed
from latentlab.runs.run import Run
from latentlab.system.progress import Progress, silent
from latentlab.system.registry import load

MOST = 50_000  # rows that a metric may draw; FactorVAE's and β-VAE's scores draw most of a grid
NO_INTERVAL = "redraws need the codes of all rows: latentlab analyze RUN --only encode,score"


def score_drawn(
    run: Run,
    data: Dataset | None = None,
    *,
    metrics: Sequence[str] | None = None,
    profile: str = "dlib",
    adapter: str | Model | None = None,
    progress: Progress = silent,
) -> Scores:
    """The scores that the codes of all rows would have, from the rows alone that the profile's protocol draws.

    Nothing is kept, and there are no intervals or nulls, which need the codes of all rows.

    Parameters
    ----------
    run : Run
        The run, of a model with a stochastic encoder.
    data : Dataset, optional
        What to encode; by default what the run was trained on.
    metrics : sequence of str, optional
        Which to compute; all of the profile by default.
    profile : str, default "dlib"
        The protocol that scores follow.
    adapter : str or Model, optional
        What a run of a user's own model needs: the ``FILE.py:NAME`` it was imported with, or the model.
    progress : callable
        Called with rows encoded and rows in all.

    Returns
    -------
    Scores
        By metric; those that draw more than 50,000 rows are in ``skipped``.

    Raises
    ------
    InputError
        For a model without a stochastic encoder, whose codes are standardised by all rows before they are scored, and
        for data without factors and labels.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> import latentlab as ll
    >>> run = ll.train("digits", f"{mkdtemp()}/run", steps=2, latent_dim=2)
    >>> sorted(score_drawn(run, metrics=["mig", "sap"]).scores)
    ['mig', 'sap']
    """
    if not (run.encodes and run.config.stochastic) or run.config.conditions is not None:
        raise InputError(
            f"{run.name} has no encoder that gives a variance, or one that is told conditions; its codes are scored "
            "from all rows: leave out --encode protocol"
        )
    data, rules = analysed(run, data), load("analysis/score/profiles", profile)
    if data.factors is None and data.labels is None:
        raise InputError(f"{data.name} has neither factors nor labels, so there is nothing to compare codes with")
    numbers = np.arange(len(data), dtype=np.float64)[:, None]
    numbered = material(numbers, np.ones_like(numbers), data)
    drawn, skipped = _drawn(list(metrics if metrics is not None else rules.PROTOCOLS), numbered, rules)
    rows = np.unique(np.concatenate([np.empty(0, np.int64), *drawn.values()]))
    mean, variance = _encoded(run, data, rows, adapter, progress)
    found = each_metric(material(mean, variance, data), list(drawn), rules, why=NO_INTERVAL)
    some = material(mean[rows], variance[rows], data.take(rows)) if len(rows) else None
    return replace(found, skipped=skipped | found.skipped, caveats=() if some is None else caveats(some))


def _drawn(
    metrics: Sequence[str], numbered: Material, rules: ModuleType
) -> tuple[dict[str, NDArray[np.int64]], dict[str, str]]:
    """The rows that each metric is called with, where the codes are the rows' own numbers, and why some have none."""
    drawn: dict[str, NDArray[np.int64]] = {}
    skipped: dict[str, str] = {}
    for name in metrics:
        metric, protocol = load("metrics", name).METRIC, rules.PROTOCOLS.get(name, Protocol())
        try:
            call = arguments(metric, numbered, protocol, RandomState(rules.SEED), BATCH)
        except InputError as error:
            skipped[name] = str(error)
            continue
        given = [call.args[0], *call.args[2:3]] if metric.needs in ("split", "labels") else [call.args[0]]
        rows = np.unique(np.concatenate([np.asarray(each).ravel() for each in given])).astype(np.int64)
        if len(rows) > MOST:
            skipped[name] = f"draws {len(rows):,} rows, more than {MOST:,}: latentlab analyze RUN --only encode,score"
        else:
            drawn[name] = rows
    return drawn, skipped


def _encoded(
    run: Run, data: Dataset, rows: NDArray[np.int64], adapter: str | Model | None, progress: Progress
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and variances (n, d) of all rows, of which those that are not drawn are 0 and 1."""
    torch.set_num_threads(run.config.hardware.threads)
    model = load_model(run, adapter)
    mean = np.zeros((len(data), run.config.latent_dim))
    variance = np.ones_like(mean)
    done = 0
    for block in posteriors(model, data.take(rows), encoding_threads(run)) if len(rows) else ():
        here = rows[done : done + len(block[0])]
        mean[here], variance[here] = block
        done += len(here)
        progress(done, len(rows))
    return mean, variance
