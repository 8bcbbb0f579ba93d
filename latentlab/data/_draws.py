"""Training rows several times over, so that each pass over an image draws its bits again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from latentlab.data.dataset import Dataset
from latentlab.errors import InputError

MOST = 1000


def drawn(data: Dataset, times: Any) -> Dataset:
    """The data set with each row of its part ``train`` (of all of it, where it has none) there `times` times.

    Each has a row id of its own, from which ``binarised`` draws its bits: the first keeps the row's id, and so its
    bits; other parts stay as they are. Raises `InputError` for a number that is not 1 to 1,000.

    >>> from latentlab.data import load
    >>> len(load("digits")), len(load("digits:binarised=0,draws=3"))
    (1797, 5391)
    """
    if not isinstance(times, int) or not 1 <= times <= MOST:
        raise InputError(f"draws is {times!r}; expected how often each training image is drawn, 1 to {MOST:,}")
    train = data.splits.get("train", range(len(data)))
    rows, extra = np.arange(len(data), dtype=np.int64), len(train) * (times - 1)
    before, repeated, after = np.split(rows, [train.start, train.stop])
    apart = np.repeat(np.arange(times), len(train)) * (int(data.row_ids.max(initial=0)) + 1)
    ids = [data.row_ids[before], np.tile(data.row_ids[repeated], times) + apart, data.row_ids[after]]
    moved = {name: _moved(part, train, extra) for name, part in data.splits.items()}
    return replace(
        data.take(np.concatenate([before, np.tile(repeated, times), after])),
        name=data.name,
        row_ids=np.concatenate(ids),
        splits=moved,
        source={**data.source, "draws": times},
    )


def _moved(part: range, train: range, extra: int) -> range:
    """Where a part lies when `extra` rows follow those of ``train``."""
    return range(part.start + extra * (part.start >= train.stop), part.stop + extra * (part.stop >= train.stop))
