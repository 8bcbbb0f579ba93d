"""A dimension explained in one row: how much it is used, what it follows, and what it does to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.explain.record import Effects
from latentlab.analysis.leakage.record import load_leakage, table
from latentlab.codes.dimensions import dimensions, knowledge
from latentlab.errors import InputError
from latentlab.runs.run import Run

if TYPE_CHECKING:
    import pandas as pd


def explained(run: Run, effects: Effects) -> pd.DataFrame:
    """One row a latent dimension, the most important first, with what is known of it side by side.

    ``kl`` or ``variance_of_mean``, ``active``; ``top_factor`` and ``mi`` as in `latentlab.codes.dimensions`, and the
    factor
    that it knows next most of, ``second_factor`` with ``second_mi``: what moves as well when the dimension is moved,
    if only because the data tie the two together. ``leakage`` and ``leaks_into`` are what `latentlab leakage` read off
    decoded images, missing where it was not at this run or the dimension changes no factor. ``strength``, ``area`` and
    ``straightness`` (the mean over codes, 95 % of them between ``_low`` and ``_high``) are `Effects`'.
    ``strength_share`` is the share of the sum of squares: a dimension may be used by the encoder and yet do nothing, or
    the other way round.
    """
    import pandas as pd

    codes = run.codes()
    if len(effects.strength) != codes.latent_dim:
        raise InputError(
            f"effects are of {len(effects.strength)} dimensions, the codes of {codes.latent_dim}; make anew"
        )
    ranked = dimensions(codes, notes=run.notes())
    order = ranked["index"].to_numpy()
    power = effects.strength**2
    used = "kl" if codes.variance is not None else "variance_of_mean"
    low, high = _quantiles(effects.straightness)
    second, second_mi = _second(run, ranked["top_factor"].tolist(), order)
    found = pd.DataFrame(
        {
            "dim": ranked["dim"],
            "index": order,
            used: ranked[used],
            "active": ranked["active"].to_numpy(object),
            "top_factor": ranked["top_factor"],
            "mi": ranked["mi"],
            "mi_low": ranked["mi_low"],
            "mi_high": ranked["mi_high"],
            "second_factor": second,
            "second_mi": second_mi,
            **_leaks(run, order),
            "strength": effects.strength[order],
            "strength_share": (power / power.sum() if power.any() else power)[order],
            "area": effects.area[order],
            "straightness": _means(effects.straightness)[order],
            "straightness_low": low[order],
            "straightness_high": high[order],
            "name": ranked["name"],
        }
    )
    found.attrs |= {**ranked.attrs, "rows": len(effects.settings.get("rows", ()))}
    return found


def _second(run: Run, top: list[str | None], order: np.ndarray) -> tuple[list[str | None], list[float]]:
    """The factor that each dimension knows most of after its top one, where there is a top one and it is above 0.06."""
    from latentlab.codes.dimensions import FLOOR

    known = knowledge(run.codes())
    names: list[str | None] = []
    values: list[float] = []
    for first, j in zip(top, order, strict=True):
        others = [(mi, name) for mi, name in zip(known.normalised[j], known.factors, strict=True) if name != first]
        mi, name = max(others, default=(0.0, ""))
        there = first is not None and mi > FLOOR
        names.append(name if there else None)
        values.append(float(mi) if there else np.nan)
    return names, values


def _leaks(run: Run, order: np.ndarray) -> dict[str, list[Any]]:
    """How much another factor changes along each dimension, and which: `latentlab.analysis.leakage.record.table`."""
    nothing: dict[str, list[Any]] = {"leakage": [np.nan] * len(order), "leaks_into": [None] * len(order)}
    if not run.has("leakage"):
        return nothing
    rows = table(load_leakage(run)).set_index("dim").reindex([f"z{j}" for j in order])
    return {"leakage": rows["leakage"].tolist(), "leaks_into": rows["into"].tolist()}


def _means(values: np.ndarray) -> np.ndarray:
    """The mean of each row over what is known of it, NaN where nothing is."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis=1)
    return np.asarray(np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan))


def _quantiles(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = [
        np.quantile(row[np.isfinite(row)], [0.025, 0.975]) if np.isfinite(row).any() else (np.nan,) * 2
        for row in values
    ]
    low, high = np.array(ends, np.float64).T
    return low, high
