"""Writing ``codes.h5ad`` row block by row block: memory does not grow with the number of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from latentlab.codes.rates import active, rate_parts, row_rate
from latentlab.codes.symbols import symbols
from latentlab.data.dataset import Dataset, Factor, Rows
from latentlab.errors import InputError
from latentlab.system.hdf5 import publishing

FORMAT = 1
RESERVED = {"row", "label", "rate", "distortion", "_index"}
EXPORTED = {"label_code"}  # what an export adds


@dataclass
class _Moments:
    """Sums over rows in a fixed order, from which the per-dimension columns come."""

    count: int = 0
    total: Any = 0.0
    centred: Any = 0.0
    width: Any = 0.0
    square: Any = 0.0

    def add(self, mean: NDArray[np.float32], variance: NDArray[np.float32] | None) -> None:
        """Take another block of means and variances (k, d) in."""
        block = mean.astype(np.float64)
        here = block.mean(axis=0)
        # Chan's update keeps the variance exact where a naive sum of squares would cancel.
        delta = here - (self.total / self.count if self.count else 0.0)
        count = self.count + len(block)
        self.square = self.square + ((block - here) ** 2).sum(axis=0) + delta**2 * self.count * len(block) / count
        self.total, self.count = self.total + block.sum(axis=0), count
        if variance is not None:
            centred, width = rate_parts(mean, variance)
            self.centred, self.width = self.centred + centred.sum(axis=0), self.width + width.sum(axis=0)


@contextmanager
def writing(
    path: Path,
    data: Dataset,
    latent_dim: int,
    *,
    stochastic: bool,
    provenance: Mapping[str, Any],
    row_names: NDArray[np.str_] | None = None,
) -> Iterator[CodesWriter]:
    """Write ``codes.h5ad`` block by block; it is published when the block ends, whole or not at all."""
    with publishing(path, libver=("earliest", "v110")) as file:
        writer = CodesWriter(file, data, latent_dim, stochastic=stochastic, row_names=row_names)
        yield writer
        writer.finish(provenance)


class CodesWriter:
    """Fills a ``codes.h5ad``: `add` blocks of rows in order, `judge` some of them, then `finish`."""

    def __init__(
        self,
        file: Any,
        data: Dataset,
        latent_dim: int,
        *,
        stochastic: bool,
        row_names: NDArray[np.str_] | None = None,
    ) -> None:
        self.file, self.data, self.stochastic = file, data, stochastic
        self.row_names = data.row_names if row_names is None else row_names
        shape = (len(data), latent_dim)
        self.position, self.moments = 0, _Moments()
        for name in ("layers", "obsm", "varm", "obsp", "varp", "uns"):
            mark(file.create_group(name), "dict", "0.1.0")
        self.mean = mark(file.create_dataset("X", shape, "f4"), "array", "0.2.0")
        self.variance = None
        if stochastic:
            self.variance = mark(file["layers"].create_dataset("variance", shape, "f4"), "array", "0.2.0")
        self.names = _column_names(data.specs)
        self.rows = _frame(file, "obs", len(data))
        self.columns: dict[str, Any] = {}

    def add(self, mean: NDArray[np.float32], variance: NDArray[np.float32] | None) -> None:
        """The next rows' posterior means and variances (k, d)."""
        if not np.isfinite(mean).all():
            raise InputError("the encoder returned a NaN or infinite code; the checkpoint has diverged")
        if variance is not None and not ((variance > 0) & np.isfinite(variance)).all():
            row = self.position + int(np.flatnonzero(~((variance > 0) & np.isfinite(variance)).all(axis=1))[0])
            raise InputError(
                f"the encoder returned for row {row} a posterior variance of 0, infinity or NaN, so its rate is "
                "infinite; "
                "bound its log-variance to ±80, unless the checkpoint has diverged"
            )
        rows = slice(self.position, self.position + len(mean))
        self._describe(rows)
        self.mean[rows] = mean
        if self.variance is not None and variance is not None:
            self.variance[rows] = variance
            self._column("rate", np.float32)[rows] = row_rate(mean, variance)
        self.moments.add(mean, variance)
        self.position += len(mean)

    def judge(self, rows: Rows | slice, distortion: NDArray[np.float32]) -> None:
        """The distortion (k,) in nats of those rows (k,), ascending; rows that are never judged have NaN."""
        self._column("distortion", np.float32)[rows] = distortion

    def finish(self, provenance: Mapping[str, Any]) -> None:
        """Write what remains to be said of rows and of dimensions, and where it all came from."""
        if self.position != len(self.data):
            raise InputError(f"{self.position} of {len(self.data)} rows were encoded; encode all before publishing")
        self.rows.attrs["column-order"] = np.array(list(self.columns), dtype=h5py.string_dtype())
        dimensions = self._dimension_columns()
        group = _frame(self.file, "var", self.mean.shape[1])
        group["_index"][:] = symbols(self.mean.shape[1])
        for column, values in dimensions.items():
            mark(group.create_dataset(column, data=values), "array", "0.2.0")
        group.attrs["column-order"] = np.array(list(dimensions), dtype=h5py.string_dtype())
        described = {
            "format": FORMAT,
            "factors": [
                {"name": s.name, "kind": s.kind, "values": list(s.values), "column": column}
                for s, column in zip(self.data.specs, self.names, strict=True)
            ],
            "grid": self.data.grid,
            **({"label_names": list(self.data.label_names)} if self.data.labels is not None else {}),
            **({"row_names": True} if self.row_names is not None else {}),
            "provenance": dict(provenance),
        }
        text = json.dumps(described, sort_keys=True, ensure_ascii=False, allow_nan=False)
        mark(self.file["uns"].create_dataset("latentlab", data=text, dtype=h5py.string_dtype()), "string", "0.2.0")
        mark(self.file, "anndata", "0.1.0")

    def _column(self, name: str, kind: Any) -> Any:
        """The column of `obs`, made when it is first asked for."""
        if name not in self.columns:
            fill = np.nan if np.dtype(kind).kind == "f" else 0
            made = self.rows.create_dataset(name, (len(self.data),), kind, fillvalue=fill)
            self.columns[name] = mark(made, "array", "0.2.0")
        return self.columns[name]

    def _describe(self, rows: slice) -> None:
        """What the data set says of those rows."""
        data = self.data
        called = data.row_ids if self.row_names is None else self.row_names
        self.rows["_index"][rows] = [str(each) for each in called[rows]]
        self._column("row", np.int64)[rows] = data.row_ids[rows]
        if data.factors is not None:
            for k, name in enumerate(self.names):
                self._column(name, np.float64)[rows] = data.factors[rows, k]
        if data.labels is not None:
            self._column("label", data.labels.dtype)[rows] = data.labels[rows]

    def _dimension_columns(self) -> dict[str, NDArray[Any]]:
        m = self.moments
        columns: dict[str, NDArray[Any]] = {"variance_of_mean": m.square / m.count}
        if self.stochastic:
            centred, width = m.centred / m.count, m.width / m.count
            columns |= {"kl": centred + width, "kl_mean_part": centred, "kl_variance_part": width}
            columns["active"] = active(columns["variance_of_mean"], stochastic=True)
        return columns


def _column_names(specs: Iterable[Factor]) -> list[str]:
    """Factor names as HDF5 column names: no slash, none that the format has taken, no two alike."""
    return unlike([re.sub(r"[/\0]", "_", spec.name) or "factor" for spec in specs], {*RESERVED, *EXPORTED})


def unlike(names: Sequence[str], taken: Collection[str]) -> list[str]:
    """Names of columns beside those that are taken: a name that is not keeps it, another becomes `free` of all names.

    >>> unlike(["z0", "factor z0", "a", "a"], ["z0"])
    ['factor factor z0', 'factor z0', 'a', 'factor a']
    """
    used, found = {*taken, *names}, []
    for k, name in enumerate(names):
        found.append(free(name, used) if name in taken or name in names[:k] else name)
        used.add(found[-1])
    return found


def free(name: str, taken: Collection[str]) -> str:
    """The name of a column, with ``factor`` before it as often as it takes until it is none of the others.

    >>> free("row", ["row", "label"])
    'factor row'
    """
    while name in taken:
        name = f"factor {name}"
    return name


def mark(element: Any, kind: str, version: str) -> Any:
    """The element with the attributes by which AnnData knows its kind."""
    element.attrs["encoding-type"], element.attrs["encoding-version"] = kind, version
    return element


def _frame(file: Any, name: str, rows: int) -> Any:
    """An empty table of that many rows, whose index is still to be filled."""
    group = mark(file.create_group(name), "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    mark(group.create_dataset("_index", (rows,), h5py.string_dtype()), "string-array", "0.2.0")
    return group
