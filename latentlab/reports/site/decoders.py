"""What the page of the live comparison loads of each run: its decoder, and its sliders next to every other run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from latentlab.browser.stage import every_pair
from latentlab.errors import attempt
from latentlab.models.live import live
from latentlab.reports.pictures import traversed
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd

MOST = 24  # runs: a decoder of 64×64 takes 0.7 MB


def moved(
    runs: Sequence[Run],
    tables: Mapping[str, pd.DataFrame],
    *,
    weights: bool,
    progress: Callable[[int, int], None],
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """By name, what is loaded of the runs that decode, and why there is nothing of others."""
    models: dict[str, Any] = {}
    left: dict[str, str] = {}
    for run in runs:
        model, why = _model(run, tables, weights=weights)
        if why:
            left[run.name] = why
        else:
            models[run.name] = model
    published = sorted(models, key=lambda name: models[name] is None)[:MOST]  # those with weights first
    left |= {name: f"decoders of at most {MOST} runs are published" for name in models if name not in published}
    chosen = [run for run in runs if run.name in published]
    if not chosen:
        return {}, left
    some = [tables[run.name] for run in chosen]
    return every_pair(chosen, [models[run.name] for run in chosen], tables=some, progress=progress), left


def _model(run: Run, tables: Mapping[str, pd.DataFrame], *, weights: bool) -> tuple[Any, str]:
    """The run's model; None where stored traversals have to do, and why the run cannot be moved at all."""
    if run.name not in tables:
        return None, "its codes cannot be read, or are not there"
    if run.sampled:
        return None, "it has only a decoder: its codes are samples from the prior"
    if not run.decodes:
        return None, "there is no decoder for its codes"
    model = attempt(partial(live, run), None)[0] if weights else None
    return model, "" if model is not None else attempt(partial(traversed, run), None)[1]
