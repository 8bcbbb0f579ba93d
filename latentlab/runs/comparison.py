"""Runs side by side: what each setting cost, what it brought, and how far its seeds disagree.

One row per run (`compare`, of `latentlab.runs.row`) and one row per setting (`summarise`); `latentlab.runs.choice`
judges which setting is best.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.errors import InputError
from latentlab.runs.config import RunConfig, seeded
from latentlab.runs.row import COSTS, HEAD, ROWS, TAIL, row_of, scale
from latentlab.runs.run import Run
from latentlab.runs.study import Study

if TYPE_CHECKING:
    import pandas as pd

# What makes two runs of one objective different settings rather than seeds of one.
OTHERS = {
    "latent_dim": "latent size",
    "network": "network",
    "likelihood": "likelihood",
    "sigma": "sigma",
    "steps": "steps",
    "batch_size": "batch size",
    "learning_rate": "learning rate",
    "data": "data",
    "split": "split",
}
FORMULA, BREAKS = ("=", "+", "-", "@"), ("\t", "\n")  # what a spreadsheet takes for the start of a formula
SIGNED = re.compile(r"[+-]\d{1,30}([.,]\d{1,30})?")  # a class called so is a number there, and no formula
Runs = Run | Study | Iterable[Run | Study]


class _Told(dict[str, Any]):
    """A caveat and its runs. pandas copies ``attrs`` with each column that is taken; this one is its own copy."""

    def __deepcopy__(self, memo: dict[int, Any]) -> _Told:
        return self


def compare(runs: Runs, *, metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """Compare runs in a table, one row per run: setting, cost and scores; a missing analysis is NaN.

    Parameters
    ----------
    runs : Study, Run or iterable of both
        What to compare.
    metrics : sequence of str, optional
        Some of the metrics that the runs have; by default all.

    Returns
    -------
    DataFrame
        One row per run, with the columns below. ``attrs["metrics"]`` lists the metrics found; a metric that is
        also a cost, like ``rate``, is not among them. ``attrs["caveats"]`` has the ways in which the scored data lie
        outside the domain of scores, with the runs that each applies to. ``attrs["left_out"]`` says why folders of a
        study are not taken for runs.

    Raises
    ------
    InputError
        Where there are no runs, or no run has a metric that is named.

    Notes
    -----
    ``setting`` is the label and whatever else differs between the runs, so that equal settings differ in ``seed``
    alone. ``normalised_beta`` is β·d/D for d latent dimensions and D pixels times channels (Higgins et al. 2017,
    section 4). ``distortion``, ``rate`` and ``elbo`` = −(distortion + rate) are means in nats per example over the
    ``judged_rows`` whose distortion was computed. ``rows`` of the ``of_rows`` encoded ones are there (a shared copy
    keeps some).

    Each metric has its value under its own name, ``<metric>_whole`` over all rows where that is a draw from them,
    ``_low`` and ``_high`` for the interval of ``_whole`` or of the value where there is no other, ``_no_interval`` for
    why there is none, ``_null`` for what rotated codes reach, ``_standardised`` for the value to be compared with it,
    ``_permuted`` for what shuffled rows reach, ``_profile`` for the profile it was computed under, ``<metric>.<part>``
    for further numbers of it.

    ``data`` and ``fingerprint`` say which images and factors the codes were made of, ``scale`` on what scale the
    distortion is measured: values of different data, profiles or scales are not compared by
    `latentlab.runs.choice.choice`.

    ``flags`` names what to beware of: ``no model`` (imported codes alone), ``collapsed`` (no active unit),
    ``diverged``, ``unfinished``, ``mixed files`` (of two trainings), ``stale codes`` or ``stale scores`` (made from
    other weights or codes than are there now), ``not encoded``, ``not scored``, ``labels only``, ``no factors``,
    ``older scores`` (computed by an older version of a metric than those of other runs). ``error`` is why a run or a
    file of it could not be read.

    Examples
    --------
    >>> from latentlab.system.resources import shipped_study
    >>> table = compare(Study(shipped_study()))
    >>> {"run", "setting", "seed", "distortion", "rate"} <= set(table.columns)
    True
    """
    import pandas as pd

    given = [runs] if isinstance(runs, Run | Study) or not isinstance(runs, Iterable) else list(runs)
    for each in given:
        if not isinstance(each, Run | Study):
            raise InputError(f"compare got a {type(each).__name__}, {each!r:.60}; expected a Study, a Run or several")
    found, broken = _gather(given)
    if not found and not broken:
        raise InputError("there are no runs to compare; expected a study or a list of runs")
    settings = settings_of(found)
    rows = [{**row_of(run), "setting": setting} for run, setting in zip(found, settings, strict=True)]
    rows += [{"run": name, "state": "broken", "flags": "broken", "error": why} for name, why in broken.items()]
    metrics = _chosen(sorted({key for row in rows for key in row.get("_metrics", ())}), metrics)
    _flag_older(rows, metrics)
    starts = tuple(f"{metric}{mark}" for metric in metrics for mark in "._")
    extra = [key for key in dict.fromkeys(key for row in rows for key in row) if key.startswith(starts)]
    table = pd.DataFrame(rows, columns=[*HEAD, *COSTS, *ROWS, *_woven(metrics, extra), *TAIL])
    scores = [key for key in _woven(metrics, extra) if not key.endswith(("_profile", "_no_interval"))]
    numbers = ["beta", "normalised_beta", *COSTS, *scores]
    table[numbers] = table[numbers].astype(float)
    for key in ("seed", "latent_dim", "steps", *ROWS):
        table[key] = table[key].astype("Int64")
    table.attrs["metrics"] = metrics
    table.attrs["caveats"] = _caveats(rows)
    studies = (each for each in given if isinstance(each, Study))
    table.attrs["left_out"] = {name: why for each in studies for name, why in each.left_out.items()}
    return table


def _caveats(rows: Sequence[Mapping[str, Any]]) -> list[_Told]:
    """Every condition that was kept with the scores of a run: the first run's words, and all runs that it holds for."""
    found: dict[str, _Told] = {}
    for row in rows:
        for each in row.get("_caveats", ()):
            found.setdefault(each["which"], _Told(each, runs=[]))["runs"].append(row["run"])
    return list(found.values())


def _gather(runs: Iterable[Run | Study]) -> tuple[list[Run], dict[str, str]]:
    found: list[Run] = []
    broken: dict[str, str] = {}
    for each in runs:
        if isinstance(each, Study):
            found += each.runs
            broken |= each.broken
        else:
            found.append(each)
    return found, broken


def _chosen(found: list[str], wanted: Sequence[str] | None) -> list[str]:
    """The metrics found, or those of them that are wanted, in that order."""
    unknown = [name for name in wanted or () if name not in found]
    if unknown:
        raise InputError(f"the runs have no score {unknown[0]!r}; they have: {', '.join(found) or 'none'}"[:200])
    return found if wanted is None else list(wanted)


def _flag_older(rows: list[dict[str, Any]], metrics: Sequence[str]) -> None:
    """Flag runs with a score by an older version of its metric than other runs': the two are not comparable."""
    having = [row for row in rows if "_metrics" in row]
    newest = {metric: max(row["_metrics"].get(metric, 1) for row in having) for metric in metrics}
    for row in having:
        if any(row["_metrics"].get(metric, newest[metric]) < newest[metric] for metric in metrics):
            row["flags"] = ", ".join([*filter(None, [row["flags"]]), "older scores"])


def _woven(metrics: Sequence[str], extra: Sequence[str]) -> list[str]:
    """Each metric followed by its further columns."""
    own = lambda metric: sorted({key for key in extra if key.startswith((f"{metric}.", f"{metric}_"))})  # noqa: E731
    woven = [column for metric in metrics for column in (metric, *(key for key in own(metric) if key not in metrics))]
    return list(dict.fromkeys(woven))


def settings_of(runs: Sequence[Run]) -> list[str]:
    """The setting of each run: its objective with its first option, and whatever else differs among these runs.

    Codes that were imported without a model differ in their name and their size.
    """
    trained = [run.config for run in runs if run.config.has_model]
    varying = [key for key in OTHERS if len({getattr(config, key) for config in trained}) > 1]
    sizes = len({run.config.latent_dim for run in runs}) > 1

    def more(config: RunConfig) -> str:
        keys = varying if config.has_model else ["latent_dim"] * sizes
        return "".join(f", {OTHERS[key]} {getattr(config, key)}" for key in keys)

    options = _differing([run.config.objective for run in runs])
    return [run.config.label_by(options[run.config.objective["name"]]) + more(run.config) for run in runs]


def told_apart(runs: Sequence[Run]) -> list[str]:
    """The runs' settings, with the seed where that alone tells two of them apart.

    Parameters
    ----------
    runs : sequence of Run
        The runs.

    Returns
    -------
    list of str
        One each, as in ``β = 4``.

    Examples
    --------
    >>> told_apart([])
    []
    """
    settings = settings_of(runs)
    if len(set(settings)) == len(settings):
        return settings
    return [seeded(setting, run.config.seed) for setting, run in zip(settings, runs, strict=True)]


def _differing(objectives: Iterable[Mapping[str, Any]]) -> dict[str, set[str]]:
    """By the name of an objective, those of its options that do not have the same value each time."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for each in objectives:
        found.setdefault(each["name"], []).append(each)
    return {
        name: {key for key in set().union(*those) if any(other.get(key) != those[0].get(key) for other in those)}
        for name, those in found.items()
    }


def errors_of(table: pd.DataFrame) -> dict[str, str]:
    """Why runs of `compare`'s table, or files of them, could not be read, by folder."""
    wrong = table[table["error"].fillna("") != ""]
    return {str(row.run if row.path != row.path else row.path): str(row.error) for row in wrong.itertuples()}


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """One row per setting of `compare`'s table: ``n`` seeds, and each measure's mean, sd, minimum and maximum over
    them.

    Runs that are broken or diverged are left out and counted in ``left_out``. One seed has no sd: it is NaN, not 0.
    """
    import pandas as pd

    measures = [*COSTS, *table.attrs.get("metrics", [])]
    values = {measure: table[measure].to_numpy(float) for measure in measures}
    usable = ~table["state"].isin(["broken", "diverged"]).to_numpy()
    firsts = table[["label", "objective", "beta", "normalised_beta", "latent_dim"]].to_dict("records")
    rows = []
    for setting, places in _places(table["setting"]).items():
        good = [place for place in places if usable[place]]
        row = {**firsts[places[0]], "n": len(good), "left_out": len(places) - len(good)}
        for measure in measures:
            ends = zip(("mean", "sd", "min", "max"), _spread(values[measure][good]), strict=True)
            row |= {f"{measure}_{end}": value for end, value in ends}
        rows.append({"setting": setting, **row})
    found = pd.DataFrame(rows)
    found.attrs["metrics"] = list(table.attrs.get("metrics", []))
    return found


def _places(settings: Iterable[Any]) -> dict[str, list[int]]:
    """Where each setting stands, in the order in which they come; a broken run has none."""
    found: dict[str, list[int]] = {}
    for place, setting in enumerate(settings):
        if isinstance(setting, str):
            found.setdefault(setting, []).append(place)
    return found


def _spread(values: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Mean, sd, minimum and maximum of those that are known; NaN where there are too few."""
    known = values[~np.isnan(values)]
    if not len(known):
        return math.nan, math.nan, math.nan, math.nan
    return known.mean(), known.std(ddof=1) if len(known) > 1 else math.nan, known.min(), known.max()


def over_all_rows(table: pd.DataFrame) -> pd.DataFrame:
    """`compare`'s table with each metric's value over all rows, where the profile's value is that of a draw from them.

    It is what an interval is for, so that it stands beside intervals.
    """
    drawn = [name for name in table.attrs.get("metrics", []) if f"{name}_whole" in table]
    return table.assign(**{name: table[f"{name}_whole"].fillna(table[name]) for name in drawn})


def csv_of(table: pd.DataFrame) -> bytes:
    """A table as CSV; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    safe = table.rename(columns=_unread)
    for key in safe.select_dtypes(exclude="number"):
        safe[key] = [_unread(cell) for cell in safe[key]]
    return bytes(safe.to_csv(index=False).encode())


def _unread(cell: Any) -> Any:
    """Text as no spreadsheet reads it as a formula; anything else as it is.

    Spreadsheets pass over white space in front of a sign, and take the full-width forms of signs for signs.
    """
    if not isinstance(cell, str):
        return cell
    if SIGNED.fullmatch(cell):
        return cell
    start = unicodedata.normalize("NFKC", cell[:100]).lstrip()[:1]
    cell = cell.replace("\r\n", "\n").replace("\r", "\n")  # quoted as one cell, which a lone carriage return is not
    return f"'{cell}" if start in FORMULA or cell[:1] in BREAKS else cell


def scale_of(run: Run) -> str:
    """On what scale a run's distortion is measured: its kind of likelihood, and which draw of bits it judges.

    The images are those that the run's codes were made of, or that it was trained on while it has none that can be
    read; `compare` says why they cannot.
    """
    found: str = row_of(run).get("scale") or scale(run.config.likelihood, run.config.source)
    return found


def check_comparable(runs: Iterable[Run]) -> None:
    """Raise an `InputError` where the runs' distortions lie on different scales."""
    scales: dict[str, str] = {}
    for run in runs:
        with suppress(InputError):  # one whose configuration is damaged has no scale
            scales.setdefault(scale_of(run), run.name)
    if len(scales) > 1:
        named = " but ".join(f"{name[-40:]} {scale}" for scale, name in list(scales.items())[:2])
        raise InputError(
            f"likelihoods differ: {named}; their nats are on different scales, so compare them separately"[:200]
        )
