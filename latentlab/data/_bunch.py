"""Tables that scikit-learn holds, as data sets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from latentlab.data.dataset import Dataset, Factor
from latentlab.data.kinds import kind_named


def table(
    name: str,
    bunch: Any,
    *,
    labels: Any = None,
    label_names: Iterable[str] = (),
    factor: tuple[Factor, Any] | None = None,
) -> Dataset:
    """The data of a ``Bunch`` as a table under its own names of columns, with labels or one factor."""
    x, form = kind_named("table").of_array(name, bunch.data, feature_names=tuple(map(str, bunch.feature_names)))
    return Dataset(
        name,
        x.shape,
        x.__getitem__,
        labels=None if labels is None else labels.astype(np.int64),
        label_names=tuple(map(str, label_names)),
        factors=None if factor is None else np.asarray(factor[1], np.float64)[:, None],
        specs=() if factor is None else (factor[0],),
        source={"name": name},
        form=form,
    )
