"""Every score of a run with what is needed to judge it, as one table: a row a metric."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.results import Score
from latentlab.system.registry import load, names

if TYPE_CHECKING:
    import pandas as pd

SAID = ("bins", "pruning", "threshold", "resamples")


def scorecard(scores: Mapping[str, Score]) -> pd.DataFrame:
    """One row a score: ``metric``, ``title``, ``better`` (higher or lower), ``value``; NaN for what is missing.

    ``low`` and ``high`` bound the 95 % interval for the value over all rows; ``permuted`` and ``rotated`` are the 95 %
    quantiles that codes which know nothing, or know as much but not along axes, reach; ``ceiling`` is what the factors
    themselves reach. ``active`` is the value of active dimensions alone, ``sampled`` that of posterior samples in place
    of means, ``whole`` that of the full grid or all rows, ``overlap`` the share of test rows that were also trained on.
    ``aligned`` says whether the value beats rotation (missing where there is no such null); ``parts`` are a metric's
    further numbers and ``settings`` how it was computed, as text.
    """
    import pandas as pd

    columns = [
        "metric",
        "title",
        "better",
        "value",
        "low",
        "high",
        "permuted",
        "rotated",
        "ceiling",
        "active",
        "sampled",
    ]
    rows = [_row(name, score) for name, score in scores.items()]
    return pd.DataFrame(rows, columns=[*columns, "whole", "overlap", "aligned", "parts", "settings"])


def _row(name: str, score: Score) -> dict[str, Any]:
    metric = load("metrics", name).METRIC if name in names("metrics") else None
    low, high = score.interval or (np.nan, np.nan)
    rotated, beside = score.nulls.get("rotated", np.nan), score.beside
    better = metric.better if metric else None
    return {
        "metric": name,
        "title": metric.title if metric else name,
        "better": better,
        "value": score.value,
        "low": low,
        "high": high,
        "permuted": score.nulls.get("permuted", np.nan),
        "rotated": rotated,
        "ceiling": np.nan if score.ceiling is None else score.ceiling,
        "active": beside.get("active", np.nan),
        "sampled": beside.get("sampled", np.nan),
        "whole": beside.get("full_grid", beside.get("all_rows", np.nan)),
        "overlap": beside.get("overlap", np.nan),
        "aligned": None if np.isnan(rotated) or better != "higher" else bool(score.value > rotated),
        "parts": ", ".join(f"{part} {value:.3g}" for part, value in score.parts.items()),
        "settings": _settings(score.settings),
    }


def _settings(found: Mapping[str, Any]) -> str:
    """How a score was computed, in a line: profile, rows, bins, pruning, estimator."""
    told = [str(found[key]) for key in ("profile", "rows_from") if key in found]
    told += [f"{key} {found[key]}" for key in SAID if key in found]
    estimator = found.get("estimator")
    if estimator is not None:
        named = estimator.get("estimator", "") if isinstance(estimator, Mapping) else estimator
        told.append(str(named).removeprefix("latentlab.metrics.").lstrip("_"))
    if "undefined" in found:
        told.append(f"undefined: {found['undefined']}")
    return " · ".join(told)
