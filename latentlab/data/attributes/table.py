"""Attributes of rows of a table: the columns themselves, a category as one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data.attributes._attribute import Attribute
from latentlab.data.kinds import Form
from latentlab.data.kinds._form import Samples


class Rows(NamedTuple):
    """Rows (n, d) in standard deviations, the names of their columns, and what each column is."""

    values: NDArray[np.float64]
    names: tuple[str, ...]
    columns: tuple[str, ...]


def prepared(form: Form, samples: Samples) -> Rows:
    """The columns in units that compare."""
    d = form.shape[0]
    names = form.names or tuple(f"feature {k}" for k in range(d))
    return Rows(np.asarray(form.to_model(samples), np.float64), names, form.columns or ("numeric",) * d)


def numeric(rows: Rows) -> list[Attribute]:
    """Every column of numbers or of yes and no."""
    words = {"numeric": ("low", "high"), "binary": ("0", "1")}
    kept = [k for k, column in enumerate(rows.columns) if column in words]
    return [Attribute(rows.names[k], rows.values[:, k], *words[rows.columns[k]]) for k in kept]


def category(rows: Rows) -> list[Attribute]:
    """Every category, whose levels are columns of the table."""
    found = []
    for column in dict.fromkeys(each for each in rows.columns if each.startswith("category ")):
        places = [k for k, each in enumerate(rows.columns) if each == column]
        name, levels = column.removeprefix("category "), rows.values[:, places]
        values = np.where(np.isnan(levels).any(axis=1), np.nan, np.nan_to_num(levels).argmax(axis=1))
        labels = tuple(rows.names[k].removeprefix(f"{name}=") for k in places)
        found.append(Attribute(name, values, kind="categorical", labels=labels))
    return found
