"""Every score of a run with what is needed to judge it, as one table: one row per metric."""

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
    """One row per score: ``metric``, ``title``, ``better`` (higher or lower), ``value``; NaN for what is missing.

    ``value`` is the profile's own draw, ``whole`` the value of the full grid or all rows where it draws some of them;
    ``low`` and ``high`` bound the 95 % interval for ``whole``, or for ``value`` where there is none, and ``missing``
    says why something is not there. ``permuted`` and ``rotated`` are the 95 % quantiles that codes which know nothing,
    or know as much but not along axes, reach; ``reference`` is what the factors themselves reach as codes.
    ``active`` is the value of active dimensions alone, ``sampled`` that of posterior samples in place of means,
    ``overlap`` the share of test rows that were also trained on. ``aligned`` says whether the value exceeds
    both nulls (missing where there is one null or none, and for metrics that no rotation changes);
    ``parts`` are a metric's further numbers and ``settings`` how it was computed, as text.
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
        "reference",
        "active",
        "sampled",
    ]
    rows = [_row(name, score) for name, score in scores.items()]
    return pd.DataFrame(rows, columns=[*columns, "whole", "overlap", "aligned", "parts", "settings", "missing"])


def _row(name: str, score: Score) -> dict[str, Any]:
    metric = load("metrics", name).METRIC if name in names("metrics") else None
    low, high = score.bounds or (np.nan, np.nan)
    beside, better = score.beside, metric.better if metric else None
    judged = better == "higher" and (metric is None or metric.turns)
    return {
        "metric": name,
        "title": metric.title if metric else name,
        "better": better,
        "value": score.value,
        "low": low,
        "high": high,
        "permuted": score.nulls.get("permuted", np.nan),
        "rotated": score.nulls.get("rotated", np.nan) if metric is None or metric.turns else np.nan,
        "reference": np.nan if score.reference is None else score.reference,
        "active": beside.get("active", np.nan),
        "sampled": beside.get("sampled", np.nan),
        "whole": np.nan if score.whole is None else score.whole,
        "overlap": beside.get("overlap", np.nan),
        "aligned": score.aligned if judged else None,
        "parts": ", ".join(f"{part} {value:.3g}" for part, value in score.parts.items()),
        "settings": _settings(score.settings),
        "missing": missing(score),
    }


def missing(score: Score) -> str:
    """Why an interval, a null or a value beside a score is not there, in a line; empty where all are."""
    reasons = {"interval": score.no_interval} if score.no_interval else {}
    reasons |= {name: why for name, why in score.missing.items() if name != "interval"}
    return " · ".join(f"no {name}: {why}" for name, why in reasons.items())


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
