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


def places_of(ids: Texts, theirs: Texts) -> tuple[NDArray[np.int64], bool]:
    """Where each id (n,) stands among theirs (m,), −1 where it does not, and whether it was found as a number alone.

    Ids are compared as they are written; where some are not found so, but all are without leading zeros, in that way.

    >>> places_of(np.array(["007", "7"]), np.array(["7", "007"]))[0].tolist()
    [1, 0]
    >>> places_of(np.array(["7", "8"]), np.array(["008", "007"]))
    (array([1, 0]), True)
    """
    places = pd.Index(theirs).get_indexer(pd.Index(ids))
    if (places < 0).any():
        bare, others = (pd.Index([without_zeros(each) for each in side.tolist()]) for side in (ids, theirs))
        if bare.is_unique and others.is_unique and (found := others.get_indexer(bare)).min() >= 0:
            return found, True
    return places, False


def without_zeros(text: str) -> str:
    """A whole number without leading zeros; any other text as it is."""
    return text.lstrip("0") or "0" if text.isdecimal() else text


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
