"""A dimension explained in one row: how much it is used, what it follows, and what it does to the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latentlab.analysis.explain import STAGE
from latentlab.analysis.explain.record import Effects
from latentlab.analysis.leakage.record import load_leakage, table
from latentlab.codes.dimensions import dimensions, second_factors
from latentlab.codes.symbols import symbol
from latentlab.data import Form
from latentlab.errors import InputError
from latentlab.runs.run import Run

NAMED = 4  # features that are named in a dimension's row

if TYPE_CHECKING:
    import pandas as pd


def explained(run: Run, effects: Effects | None) -> pd.DataFrame:
    """One row per latent dimension, the most important first, with what is known of it side by side.

    ``name`` is the user's or the one that it earned (``named_by``); ``detection`` is how well what was found detects
    (`Names`), missing where no names were sought. ``kl`` or ``variance_of_mean``, ``active``; ``top_factor`` and ``mi``
    as in `latentlab.codes.dimensions`, and the factor that it knows next most of, ``second_factor`` with ``second_mi``:
    what moves as well when the dimension is moved, if only because the data tie the two together. ``leakage`` and
    ``leaks_into`` are what `latentlab leakage` read off decoded images, missing where it was not at this run or the
    dimension changes no factor. ``strength``, ``area`` and ``straightness`` (the mean over codes, 95 % of them between
    ``_low`` and ``_high``) are `Effects`'. ``strength_share`` is the share of the sum of squares: a dimension may be
    used by the encoder and yet do nothing, or the other way round. ``up`` and ``down``, where samples are no images,
    are the features that go farthest up and down as the dimension rises (`features` has them all). Without a decoder
    there are no effects, and none of their columns.
    """
    import pandas as pd

    codes = run.codes()
    if effects is not None and len(effects.strength) != codes.latent_dim:
        raise InputError(
            f"effects are of {len(effects.strength)} dimensions, the codes of {codes.latent_dim}; recompute them"
        )
    ranked = dimensions(codes, notes=run.named())
    order = ranked["index"].to_numpy()
    used = "kl" if codes.variance is not None else "variance_of_mean"
    second = second_factors(codes, ranked.set_index("index")["top_factor"].sort_index().tolist()).iloc[order]
    table = pd.DataFrame(
        {
            "dim": ranked["dim"],
            "index": order,
            used: ranked[used],
            "active": ranked["active"].to_numpy(object),
            "top_factor": ranked["top_factor"],
            "mi": ranked["mi"],
            "mi_low": ranked["mi_low"],
            "mi_high": ranked["mi_high"],
            "second_factor": second["second_factor"].to_numpy(object),
            "second_mi": second["second_mi"].to_numpy(),
            **_leaks(run, order),
            **({} if effects is None else _moved(run, effects, order)),
            "name": ranked["name"],
            "named_by": ranked["named_by"],
            **_detections(run, order),
        }
    )
    table.attrs |= {**ranked.attrs, "rows": 0 if effects is None else len(effects.settings.get("rows", ()))}
    return table


def _moved(run: Run, effects: Effects, order: np.ndarray) -> dict[str, Any]:
    """What each dimension does to decoded samples."""
    power, (low, high) = effects.strength**2, _quantiles(effects.straightness)
    return {
        "strength": effects.strength[order],
        "strength_share": (power / power.sum() if power.any() else power)[order],
        "area": effects.area[order],
        "straightness": _means(effects.straightness)[order],
        "straightness_low": low[order],
        "straightness_high": high[order],
        **_extremes(run, effects, order),
    }


def _detections(run: Run, order: np.ndarray) -> dict[str, Any]:
    """How well the names that were found detect, among all held-out rows and among hard pairs."""
    columns = ("detection", "detection_low", "detection_high", "hard", "why")
    if not run.has("names"):
        return {**dict.fromkeys(columns[:-1], np.nan), "why": ""}
    found = run.read("names").to_frame()
    if len(found) != len(order):
        raise InputError(f"names are of {len(found)} dimensions, the codes of {len(order)}; recompute them")
    return {column: found[column].to_numpy()[order] for column in columns}


def features(run: Run, effects: Effects, top: int | None = None) -> pd.DataFrame:
    """The features that each latent dimension moves, one row each: what goes up with it, and what goes down.

    Parameters
    ----------
    run, effects
        A run and what `latentlab explain` measured on it.
    top
        At most this many features up and as many down for each dimension; all of them by default.

    Returns
    -------
    One row per dimension and feature, the most important dimension first, in it the features that go up and then those
    that go down, the largest effect first. ``effect`` is the change from the 2.5 % to the 97.5 % quantile of the
    dimension's codes, the mean over the codes around which it was measured, ``effect_low`` and ``effect_high`` its 95 %
    interval (of each feature by itself), ``unit`` its unit: log₂ of the fold for counts, the values' own for the rest.
    ``typical`` is the mean decoded value. The sign of a dimension itself is arbitrary: another training may turn it.

    Raises
    ------
    InputError
        For images, whose effects are maps, and where the effects are of an older version.
    """
    import pandas as pd

    check_features(run)
    form = run.config.form
    if effects.shift is None or effects.typical is None:
        raise InputError(f"{run.path}: the effects are of an older version and list no features; recompute them")
    names = feature_names(form)
    effect, low, high = (each.reshape(len(each), -1).astype(np.float64) for each in effects.shift)
    parts = []
    for row in dimensions(run.codes(), notes=run.named()).to_dict("records"):
        j = int(row["index"])
        for direction, order in _ranked(effect[j], top):
            parts.append(
                pd.DataFrame(
                    {
                        "dim": row["dim"],
                        "active": row["active"],
                        "top_factor": row["top_factor"],
                        "direction": direction,
                        "rank": np.arange(1, len(order) + 1),
                        "feature": [names[k] for k in order],
                        "effect": effect[j, order],
                        "effect_low": low[j, order],
                        "effect_high": high[j, order],
                        "unit": form.change_unit,
                        "typical": effects.typical.ravel()[order].astype(np.float64),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def check_features(run: Run) -> None:
    """Raise an `InputError` where no features can be listed for the run: it decodes nothing, or images."""
    STAGE.check(run)
    if run.config.form.kind == "image":
        raise InputError(f"{run.path}: the effects of images are maps, so no features are listed; see figure effects")


def _ranked(effect: np.ndarray, top: int | None) -> list[tuple[str, np.ndarray]]:
    """The features that go up and those that go down, the farthest first."""
    order = np.argsort(-effect, kind="stable")
    up, down = order[effect[order] > 0], order[effect[order] < 0][::-1]
    return [("up", up[:top]), ("down", down[:top])]


def feature_names(form: Form) -> list[str]:
    """What each number of a sample is called, in order: its column, or its channel and place on the axis."""
    first = form.names or tuple(f"{'channel' if form.ndim > 1 else 'feature'} {i}" for i in range(form.shape[0]))
    if form.ndim == 1:
        return list(first)
    places = form.axis or tuple(range(form.shape[-1]))
    unit = f" {form.axis_unit}" if form.axis_unit else ""
    points = [f"{place:g}{unit}" for place in places]
    return points if len(first) == 1 else [f"{name}, {point}" for name in first for point in points]


def _extremes(run: Run, effects: Effects, order: np.ndarray) -> dict[str, list[str]]:
    """The features that each dimension moves most, up and down, by name; nothing for images."""
    if effects.shift is None:
        return {}
    names, effect = feature_names(run.config.form), effects.shift[0].reshape(len(effects.strength), -1)
    ranked = [dict(_ranked(effect[j], NAMED)) for j in order]
    used, between = run.codes().active, "; " if any("," in name for name in names) else ", "
    return {
        way: [
            between.join(names[k][:24] for k in each[way]) if used[j] else ""
            for j, each in zip(order, ranked, strict=True)
        ]
        for way in ("up", "down")
    }


def _leaks(run: Run, order: np.ndarray) -> dict[str, list[Any]]:
    """How much another factor changes along each dimension, and which: `latentlab.analysis.leakage.record.table`."""
    nothing: dict[str, list[Any]] = {"leakage": [np.nan] * len(order), "leaks_into": [None] * len(order)}
    if not run.has("leakage"):
        return nothing
    rows = table(load_leakage(run)).set_index("dim").reindex([symbol(j) for j in order])
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
