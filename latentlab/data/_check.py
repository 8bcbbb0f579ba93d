"""What a data set holds and what is wrong with it, as a small table."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np

from latentlab.data.dataset import Dataset, Rows, Samples, check_ids, labelled
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError, MissingError
from latentlab.system.limits import LOOKING, rows_at_once
from latentlab.system.quarantine import apart

ROWS = 20_000
BLOCK = 256
Finding = dict[str, str | bool]


def check(spec: str | Path | Dataset) -> list[Finding]:
    """What a data set holds and what is wrong with it.

    Parameters
    ----------
    spec : str, Path or Dataset
        As `load` takes it.

    Returns
    -------
    list of dict
        ``{"what", "found", "problem", "usable"}`` each, without a problem where all is well. What makes a data set
        unusable is the last finding, and the only one that is not ``usable``.

    Raises
    ------
    MissingError
        Where nothing is at that path.

    Notes
    -----
    It reads at most 20,000 rows, evenly spread, so a folder's images are decoded and an array's numbers looked at.

    Examples
    --------
    >>> [finding["problem"] for finding in check("digits")]
    ['', '', '', '']
    """
    if isinstance(spec, Dataset):
        return _findings(spec)
    return _read(str(spec))


@apart(seconds=LOOKING)
def _read(spec: str) -> list[Finding]:
    from latentlab.data import load

    try:
        data = load(spec)
    except MissingError:
        raise
    except InputError as error:
        return [_finding("data set", spec, str(error), usable=False)]
    return _findings(data)


def _findings(data: Dataset) -> list[Finding]:
    findings = [
        _finding("data set", f"{data.name} ({data.source.get('name', 'unknown')})"),
        _finding("samples", data.form.described(len(data))),
    ]
    if data.splits:
        findings.append(_finding("splits", ", ".join(f"{name} {len(rows):,}" for name, rows in data.splits.items())))
    if data.labels is not None:
        findings.append(_labels(data))
    findings += [_finding("remark", remark) for remark in data.remarks]
    findings += _ids(data)
    findings += [_factor(data, column) for column in range(len(data.specs))]
    return [*findings, *_values(data)]


def _finding(what: str, found: str, problem: str = "", *, usable: bool = True) -> Finding:
    return {"what": what, "found": found, "problem": problem, "usable": usable}


def _labels(data: Dataset) -> Finding:
    labels = np.asarray(data.labels)
    known = labels[labelled(labels, data.label_names)]
    values, counts = np.unique(known, return_counts=True)
    if not len(values):
        return _finding("labels", "no class", "no row has a label: −1 marks rows without one")
    sizes = f"{counts.min():,} to {counts.max():,}" if counts.min() < counts.max() else f"{counts.min():,}"
    found = f"{len(values)} classes of {sizes} {data.form.plural}"
    if without := len(labels) - len(known):
        found += f"; {without:,} of {len(labels):,} rows have no label"
    return _finding("labels", found, "only one class" if len(values) == 1 else "")


def _ids(data: Dataset) -> list[Finding]:
    try:
        check_ids(data)
    except InputError as error:
        return [_finding("row ids", f"{len(np.unique(data.row_ids)):,} of {len(data):,} differ", str(error))]
    return []


def _factor(data: Dataset, column: int) -> Finding:
    if data.factors is None:
        raise InputError(f"{data.name} describes factors but contains none")
    spec, values = data.specs[column], data.factors[:, column]
    missing = int(np.isnan(values).sum())
    levels = len(np.unique(values[~np.isnan(values)]))
    problem = "never varies" if levels < 2 else f"missing in {missing:,} rows" if missing else ""
    return _finding(f"factor {spec.name}", f"{spec.kind}, {levels:,} values", problem)


def _values(data: Dataset) -> list[Finding]:
    """Whether every sample can be read, and what its kind finds in the values."""
    rows = np.unique(np.linspace(0, len(data) - 1, min(len(data), ROWS)).astype(np.int64))
    step, read = rows_at_once(math.prod(data.form.shape), BLOCK), [0]

    marks: list[int] = []

    def blocks() -> Iterator[Samples]:
        for start in range(0, len(rows), step):
            block = data.read(rows[start : start + step])
            marks.extend(hash(sample.tobytes()) for sample in block)
            yield block
            read[0] = start + step

    try:
        examined = kind_of(data.form).examined(data.form, blocks())
    except InputError as error:
        return [_finding("values", f"{read[0]:,} of {len(rows):,} rows were read", str(error), usable=False)]
    return [_finding(what, found, problem) for what, found, problem in examined] + _alike(data, rows, marks)


def _alike(data: Dataset, rows: Rows, marks: list[int]) -> list[Finding]:
    """How many samples are the same as another, and how many of them are in two splits."""
    _, kind, times = np.unique(np.array(marks), return_inverse=True, return_counts=True)
    if len(times) == len(rows):
        return []
    within = {name: set(kind[np.isin(rows, part)].tolist()) for name, part in data.splits.items()}
    across = [
        f"{len(within[one] & within[other]):,} are in both {one} and {other}"
        for one, other in combinations(within, 2)
        if within[one] & within[other]
    ]
    found = f"{len(rows) - len(times):,} of {len(rows):,} {data.form.plural} repeat another"
    return [_finding("duplicates", found, ", ".join(across))]
