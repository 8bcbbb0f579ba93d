"""Samples that are in memory already: arrays of any kind, data frames, tensors, as a `Dataset`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from latentlab.data._arrays import from_arrays as in_file
from latentlab.data._arrays import labels_of
from latentlab.data._names import column_name, one_level
from latentlab.data._of_kind import dataset_of
from latentlab.data._tensors import array_of, from_torch, items_of
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def is_samples(given: Any) -> bool:
    """Whether something is samples in memory: an array, a sparse matrix, a data frame, a tensor, a torch data set.

    Parameters
    ----------
    given : object
        Anything.

    Returns
    -------
    bool
        Whether `from_arrays` reads it.

    Examples
    --------
    >>> is_samples(np.zeros((2, 3))), is_samples("digits")
    (True, False)
    """
    return hasattr(given, "__array_interface__") or _is_frame(given) or _is_sparse(given) or from_torch(given)


def is_annotated(given: Any) -> bool:
    """Whether something is an AnnData object.

    Parameters
    ----------
    given : object
        Anything.

    Returns
    -------
    bool
        Whether it is.
    """
    return type(given).__module__.partition(".")[0] == "anndata"


def from_arrays(
    x: Any,
    kind: str | None = None,
    *,
    feature_names: Sequence[str] = (),
    axis: ArrayLike | None = None,
    axis_unit: str = "",
    unit: str = "",
    columns: Mapping[str, str] | None = None,
    factors: Any = None,
    labels: Any = None,
    row_ids: ArrayLike | None = None,
    name: str = "array",
    axes: str = "",
    stored: str = "",
    stretch: str = "",
    colours: Sequence[int] = (),
) -> Dataset:
    """Samples in memory, of any kind, as a `Dataset`.

    Parameters
    ----------
    x
        An array of n samples: images (n, h, w), (n, h, w, c) or (n, c, h, w), rows of a table or counts (n, d), signals
        (n, t) or (n, channels, t); a sparse matrix of counts; a pandas DataFrame, whose columns are inputs, also those
        of words; a torch tensor, or a Dataset of samples, of pairs (sample, label) or of mappings with ``image`` and
        ``label``, whose labels with fractions are a factor, ``target``; an AnnData, whose X is read
        (`load` takes its layers by name).
    kind
        ``image``, ``table``, ``counts`` or ``signal``. None infers it where it is plain: floats (n, d) are a table,
        with an `axis` signals; bytes with three or four axes are images. Whole numbers (n, d) from 0, and floats with
        three axes outside [0, 1], are asked for.
    feature_names
        Of columns, features or channels.
    axis, axis_unit
        Where the points of signals lie, (t,), and in which unit.
    unit
        Of the values.
    columns
        Of a DataFrame: the kind of a column, ``numeric``, ``binary`` or ``category``, where it is not to be inferred.
    factors
        An array (n, k), a mapping of names to columns (n,), or a DataFrame; of a DataFrame x also names of its columns.
    labels
        Words or whole numbers (n,); of a DataFrame x also the name of a column.
    row_ids
        Whole numbers or names (n,), all different; of a DataFrame x also the name of a column, and by default
        its index.
    name
        What the data set is called.
    axes
        The order of the axes of images, ``nhwc``, where the shape does not tell.
    stored
        ``float32`` or ``float64``: images of floats in [0, 1] are kept as they are, not as 8 bits.
    stretch
        ``asinh`` or ``log1p``, for images with few very bright pixels: what the model sees of the values.
    colours
        The channels of images, from 1, that are shown: three as red, green and blue, others side by side.

    Returns
    -------
    Dataset
        Samples (n, *shape), and what is known of each row.

    Raises
    ------
    InputError
        For anything else, and where the kind cannot be told.

    Examples
    --------
    >>> from_arrays([[1.5, 2.0], [0.5, 1.0]], feature_names=("a", "b"), labels=["x", "y"], name="two")
    Dataset('two': 2 rows of 2 columns; labels)
    """
    if is_annotated(x):
        if unknown := [key for key, given in (("columns", columns), ("feature_names", feature_names)) if given]:
            raise InputError(f"{unknown[0]} was given, but x is an AnnData, which holds them; change its obs or var")
        from latentlab.data import _annotated

        layer = _annotated.dataset_of(_annotated.of_anndata(x), kind=kind or "")
        return _known(replace(layer, name=name), factors, labels, row_ids)
    about: dict[str, Any] = {"feature_names": feature_names, "axis": axis, "axis_unit": axis_unit, "unit": unit}
    told = {key: value for key, value in about.items() if value is not None and len(value)}
    how = {key: value for key, value in (("stored", stored), ("stretch", stretch), ("colours", colours)) if value}
    if how and (_is_frame(x) or _is_sparse(x)):
        raise InputError(f"{min(how)} was given, but x is a {type(x).__name__}; it is for arrays of images")
    if _is_frame(x):
        if "feature_names" in told:
            raise InputError("feature_names was given, but x is a DataFrame, whose columns have names; rename them")
        kind = kind or ("signal" if "axis" in told else "table")
        return _of_frame(x, kind, columns or {}, told, factors, labels, row_ids, name)
    if columns:
        raise InputError(
            f"columns was given, but x is a {type(x).__name__}, not a DataFrame; use kind and feature_names"
        )
    said: tuple[str, ...] = ()
    if from_torch(x):
        items = items_of(x, name)
        x, said = items.samples, (items.said,) if items.said else ()
        if items.measured:
            factors = {"target": items.beside} if factors is None else factors
        else:
            labels = items.beside if labels is None else labels
    if _is_sparse(x):
        if kind not in (None, "counts"):
            raise InputError(f"{name} is a sparse matrix, which is read as counts; for a {kind} give x.toarray()")
        data = dataset_of(Path(name), x.tocsr(), kind or "counts", told)
    else:
        data = in_file(Path(name), {"images": array_of(x, name), **_as_arrays(told)}, axes, kind or "", how)
    data = replace(data, name=name, source={"name": "array"}, remarks=(*data.remarks, *said))
    return _known(data, factors, labels, row_ids)


def _as_arrays(told: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    return {key: np.asarray(value) for key, value in told.items()}


def _of_frame(
    frame: pd.DataFrame,
    kind: str,
    columns: Mapping[str, str],
    about: Mapping[str, Any],
    factors: Any,
    labels: Any,
    row_ids: Any,
    name: str,
) -> Dataset:
    from latentlab.data._roles import Roles
    from latentlab.data._table import of_frame

    frame = one_level(frame)
    check_order(name, frame, {"factors": factors, "labels": labels})
    named = isinstance(factors, str) or (isinstance(factors, list | tuple) and all(isinstance(f, str) for f in factors))
    roles = Roles(
        columns,
        factors=((factors,) if isinstance(factors, str) else tuple(factors)) if named else (),
        labels=labels if isinstance(labels, str) else "",
        ids=row_ids if isinstance(row_ids, str) else "",
        kind=kind,
        about=about,
    )
    data = of_frame(frame, roles, name=name)
    rest = (None if named else factors, None if roles.labels else labels, None if roles.ids else row_ids)
    return _known(data, *rest)


def _known(data: Dataset, factors: Any, labels: Any, row_ids: Any) -> Dataset:
    """The data set with more that is known of its rows."""
    if factors is not None:
        values, specs = _factors(data.name, factors, len(data))
        data = replace(data, factors=values, specs=specs)
    if labels is not None:
        numbers, names = _labels(labels, data.name, len(data))
        data = replace(data, labels=numbers, label_names=names)
    if row_ids is not None:
        ids, called = _row_ids(data.name, row_ids, len(data))
        data = replace(data, row_ids=ids, row_names=called)
    return data


def _labels(given: Any, name: str, n: int) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Labels as numbers (n,), and the classes' names: an array's, or what pandas holds otherwise, as categories."""
    where = f"{name}: labels"
    if _is_plain(given):
        return labels_of(Path(name), array_of(given, where), n)
    from latentlab.data._factors import labels_of as of_column

    column = _column(given)
    if len(column) != n:
        raise InputError(f"{where} are {len(column)}; expected {n}, one for each sample")
    return of_column(column, where)


def _is_plain(given: Any) -> bool:
    """Whether NumPy holds it as it is, in a type that says what it is."""
    if hasattr(given, "detach"):
        return True
    try:
        return isinstance(getattr(given, "dtype", np.dtype(int)), np.dtype) and np.asarray(given).dtype != object
    except Exception:  # `array_of` says what makes no array
        return True


def _row_ids(name: str, given: Any, n: int) -> tuple[NDArray[np.int64], NDArray[np.str_] | None]:
    """Ids (n,) as numbers, and the names where they are no whole numbers."""
    import pandas as pd

    from latentlab.data._ids import ids_of, numbered

    ids = array_of(given if _is_plain(given) else _column(given).to_numpy(np.str_), f"{name}: row_ids")
    if ids.dtype.kind not in "iuUS" or ids.shape != (n,):
        raise InputError(f"row_ids are {ids.dtype} {ids.shape}; expected ({n},) whole numbers or names, all different")
    return numbered(ids_of(pd.Series(ids), f"{name}: row_ids"))


def check_order(name: str, x: Any, told: Mapping[str, Any], called: str = "x") -> None:
    """Raise an `InputError` where factors or labels have the rows of a data frame in another order than it."""
    if not _is_frame(x):
        return
    import pandas as pd

    index = x.index
    every = [(what, part) for what, given in told.items() for part in (_parts(given) or [given])]
    framed = [(what, part.index) for what, part in every if isinstance(part, pd.DataFrame | pd.Series)]
    for what, other in framed:
        if len(other) == len(index) and not other.equals(index) and set(other) == set(index):
            raise InputError(
                f"{name}: {what} have the rows of {called} in another order; pass {what}.loc[{called}.index]"
            )


def _parts(given: Any) -> list[Any]:
    """The columns of a mapping of names to columns; nothing of anything else."""
    return list(given.values()) if isinstance(given, Mapping) else []


def _factors(name: str, given: Any, n: int) -> tuple[NDArray[np.float64], tuple[Factor, ...]]:
    """Values (n, k) and what they are: words are levels, named or numbered columns as in a table."""
    import pandas as pd

    from latentlab.data._factors import factors_of

    if isinstance(given, pd.DataFrame):
        given = one_level(given)
        if not given.columns.is_unique:
            twice = given.columns[given.columns.duplicated()][0]
            raise InputError(f"{name}: two factors are called {twice[:40]!r}; name each once")
    if isinstance(given, pd.Series):
        given = {"factor 1" if given.name is None else column_name(given.name): given}
    if not isinstance(given, Mapping) and not _is_frame(given):
        values = array_of(given, f"{name}: factors")
        values = values[:, None] if values.ndim == 1 else values
        given = {f"factor {k + 1}": column for k, column in enumerate(values.T)}
    frame = pd.DataFrame({column_name(key): _column(column) for key, column in given.items()})
    if len(frame) != n or not len(frame.columns):
        raise InputError(f"factors are {frame.shape}; expected ({n}, k), one row for each sample")
    found = factors_of(frame, list(frame.columns), name)
    assert found.values is not None
    return found.values, found.specs


def _column(given: Any) -> pd.Series[Any]:
    import pandas as pd

    if isinstance(given, pd.Series):
        return given.reset_index(drop=True)
    own = isinstance(given, pd.Index | pd.api.extensions.ExtensionArray)
    return pd.Series(given if own else np.asarray(given))


def _is_frame(given: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.DataFrame)


def _is_sparse(given: Any) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(given))
