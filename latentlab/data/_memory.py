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
from latentlab.data._of_kind import dataset_of
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError
from latentlab.system.precision import unmasked

if TYPE_CHECKING:
    import pandas as pd

LARGEST = 1 << 33  # bytes that a torch data set may come to


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
    return hasattr(given, "__array_interface__") or _is_frame(given) or _is_sparse(given) or _from_torch(given)


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
) -> Dataset:
    """Samples in memory, of any kind, as a `Dataset`.

    Parameters
    ----------
    x
        An array of n samples: images (n, h, w), (n, h, w, c) or (n, c, h, w), rows of a table or counts (n, d), signals
        (n, t) or (n, channels, t); a sparse matrix of counts; a pandas DataFrame, whose columns are inputs, also those
        of words; a torch tensor or Dataset, whose second items are the labels; an AnnData, whose X is read
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
    if _is_frame(x):
        if "feature_names" in told:
            raise InputError("feature_names was given, but x is a DataFrame, whose columns have names; rename them")
        kind = kind or ("signal" if "axis" in told else "table")
        return _of_frame(x, kind, columns or {}, told, factors, labels, row_ids, name)
    if columns:
        raise InputError(
            f"columns was given, but x is a {type(x).__name__}, not a DataFrame; use kind and feature_names"
        )
    if _from_torch(x):
        x, read = _of_torch(x, name)
        labels = read if labels is None else labels
    if _is_sparse(x):
        data = dataset_of(Path(name), x.tocsr(), kind or "counts", told)
    else:
        data = in_file(Path(name), {"images": _array(x, name), **_as_arrays(told)}, axes, kind or "")
    return _known(replace(data, name=name, source={"name": "array"}), factors, labels, row_ids)


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
        numbers, names = labels_of(Path(data.name), _array(labels, f"{data.name}: labels"), len(data))
        data = replace(data, labels=numbers, label_names=names)
    if row_ids is not None:
        ids, called = _row_ids(data.name, row_ids, len(data))
        data = replace(data, row_ids=ids, row_names=called)
    return data


def _row_ids(name: str, given: Any, n: int) -> tuple[NDArray[np.int64], NDArray[np.str_] | None]:
    """Ids (n,) as numbers, and the names where they are no whole numbers."""
    import pandas as pd

    from latentlab.data._ids import ids_of, numbered

    ids = _array(given, f"{name}: row_ids")
    if ids.dtype.kind not in "iuUS" or ids.shape != (n,):
        raise InputError(f"row_ids are {ids.dtype} {ids.shape}; expected ({n},) whole numbers or names, all different")
    return numbered(ids_of(pd.Series(ids), f"{name}: row_ids"))


def check_order(name: str, x: Any, told: Mapping[str, Any], called: str = "x") -> None:
    """Raise an `InputError` where factors or labels have the rows of a data frame in another order than it."""
    if not _is_frame(x):
        return
    import pandas as pd

    index = x.index
    framed = {what: given.index for what, given in told.items() if isinstance(given, pd.DataFrame | pd.Series)}
    for what, other in framed.items():
        if len(other) == len(index) and not other.equals(index) and set(other) == set(index):
            raise InputError(
                f"{name}: {what} have the rows of {called} in another order; pass {what}.loc[{called}.index]"
            )


def _factors(name: str, given: Any, n: int) -> tuple[NDArray[np.float64], tuple[Factor, ...]]:
    """Values (n, k) and what they are: words are levels, named or numbered columns as in a table."""
    import pandas as pd

    from latentlab.data._factors import factors_of

    if not isinstance(given, Mapping) and not _is_frame(given):
        values = _array(given, f"{name}: factors")
        values = values[:, None] if values.ndim == 1 else values
        given = {f"factor {k + 1}": column for k, column in enumerate(values.T)}
    frame = pd.DataFrame({str(key): _column(column) for key, column in given.items()})
    if len(frame) != n or not len(frame.columns):
        raise InputError(f"factors are {frame.shape}; expected ({n}, k), one row for each sample")
    found = factors_of(frame, list(frame.columns), name)
    assert found.values is not None
    return found.values, found.specs


def _column(given: Any) -> pd.Series[Any]:
    import pandas as pd

    return given.reset_index(drop=True) if isinstance(given, pd.Series) else pd.Series(np.asarray(given))


def _array(given: Any, name: str) -> NDArray[Any]:
    if hasattr(given, "detach"):
        given = given.detach().cpu().numpy()
    try:
        found = unmasked(given, name)
    except InputError:
        raise
    except Exception as error:  # NumPy asks the object itself, which may raise anything
        raise InputError(f"{name} is a {type(given).__name__} that makes no array; expected numbers") from error
    if found.dtype == object:
        raise InputError(f"{name} is an array of objects; expected numbers, all rows of one length, or a DataFrame")
    return found


def _is_frame(given: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(given, pandas.DataFrame)


def _is_sparse(given: Any) -> bool:
    sparse = sys.modules.get("scipy.sparse")
    return sparse is not None and bool(sparse.issparse(given))


def _from_torch(given: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor | torch.utils.data.Dataset)


def _of_torch(given: Any, name: str) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """All samples of a tensor or a map-style data set, and the labels where its items are pairs with numbers."""
    if hasattr(given, "detach"):
        return _array(given, name), None
    if not hasattr(given, "__len__"):
        raise InputError(f"{name} is a data set without a length; expected one that is read by index")
    first = given[0]
    paired = isinstance(first, tuple | list)
    sample = _array(first[0] if paired else first, name)
    if sample.nbytes * len(given) > LARGEST:
        raise InputError(f"{name} comes to {sample.nbytes * len(given):,} bytes; write an ll.Dataset with read instead")
    items = [given[i] for i in range(len(given))]
    x = np.stack([_array(item[0] if paired else item, name) for item in items])
    if not paired or len(first) < 2 or np.asarray(first[1]).size != 1:
        return x, None
    return x, np.array([np.asarray(item[1]).item() for item in items])
