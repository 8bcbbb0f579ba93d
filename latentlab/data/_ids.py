"""Rows by the ids that a user's own tables give them: checked, and numbered."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from latentlab.errors import InputError

NUMBER = re.compile(r"0|[1-9]\d{0,14}")  # a whole number that JavaScript holds exactly
LONGEST = 200
Texts = NDArray[np.str_]


def ids_of(column: pd.Series[Any], where: str) -> Texts:
    """The ids (n,) in a column as texts; an `InputError` where one is missing, too long or there twice.

    >>> ids_of(pd.Series([3.0, 1.0]), "t").tolist()
    ['3', '1']
    """
    if column.isna().any():
        raise InputError(f"{where}: row {int(np.flatnonzero(column.isna())[0]) + 1} has no id; give every row one")
    if pd.api.types.is_float_dtype(column):
        if not np.isfinite(column.astype(float)).all() or (column % 1 != 0).any():
            raise InputError(f"{where} holds fractions; expected whole numbers or names as ids")
        column = column.astype("int64")
    found = np.array([str(each) for each in column.tolist()], np.str_)
    if found.dtype.itemsize // 4 > LONGEST:
        raise InputError(f"{where} holds texts of more than {LONGEST} letters; expected short ids")
    if (twice := pd.Series(found).duplicated()).any():
        first = str(found[twice.to_numpy(bool)][0])[:40]
        raise InputError(
            f"{where} holds the id {first!r} more than once ({int(twice.sum()):,} repeats); ids are unique"
        )
    return found


def numbered(ids: Texts) -> tuple[NDArray[np.int64], Texts | None]:
    """Row ids (n,) of those texts, and the texts where they say more than the numbers do.

    Whole numbers are kept. Of other texts the id is a hash of 52 bits: a row has the same one in every file that names
    it, whatever else is in that file and in whatever order.

    >>> numbered(np.array(["7", "3"]))[0].tolist(), numbered(np.array(["a", "b"]))[0].tolist()
    ([7, 3], [3564032869835195, 1093183016534933])
    """
    if all(map(NUMBER.fullmatch, ids.tolist())):
        return ids.astype(np.int64), None
    found = np.array([int(sha256(text.encode()).hexdigest()[:13], 16) for text in ids.tolist()], np.int64)
    if len(np.unique(found)) < len(found):
        raise InputError(f"two of {len(ids):,} ids have the same hash, by a rare accident; use whole numbers as ids")
    return found, ids
