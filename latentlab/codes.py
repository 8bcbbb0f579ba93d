"""Latent codes: the table every analysis reads, and how it lies in HDF5.

``codes.h5ad`` is a valid AnnData file written with h5py alone; ``docs/codes-format.md`` specifies it. The posterior
means are written row block by row block, so memory does not grow with the number of rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import Dataset, Factor, Rows
from latentlab.errors import InputError
from latentlab.files import publish
from latentlab.hdf5 import check_format, reading

FORMAT = 1
BLOCK = 65536
RESERVED = {"row", "label", "rate", "distortion", "_index"}


@dataclass(frozen=True, eq=False)
class Codes:
    """What a model's encoder made of a data set, one row an image.

    ``mean`` (n, d) float32 is the posterior mean, ``variance`` (n, d) the posterior variance or None for a
    deterministic encoder. ``factors`` (n, k) float64, ``specs``, ``labels`` and ``row_ids`` are the data set's.
    ``distortion`` (n,) is −log p(x|z) in nats at one posterior sample, NaN where it was not computed. ``provenance``
    says which model and which data it came from; ``grid`` gives the levels per factor where the rows are a full grid
    in row-major order.
    """

    mean: NDArray[np.float32]
    variance: NDArray[np.float32] | None = None
    factors: NDArray[np.float64] | None = None
    specs: tuple[Factor, ...] = ()
    labels: NDArray[np.int64] | None = None
    row_ids: Rows = field(default=None)  # type: ignore[arg-type]
    distortion: NDArray[np.float32] | None = None
    grid: tuple[int, ...] | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mean.ndim != 2:
            raise InputError(f"codes are {self.mean.shape}; expected (rows, latent dimensions)")
        if self.row_ids is None:
            object.__setattr__(self, "row_ids", np.arange(len(self.mean), dtype=np.int64))
        for what in ("variance", "factors", "labels", "row_ids", "distortion"):
            array = getattr(self, what)
            if array is not None and len(array) != len(self.mean):
                raise InputError(
                    f"codes has {len(self.mean)} rows but {what} has {len(array)}; were both made from the same split?"
                )
        if self.variance is not None and self.variance.shape != self.mean.shape:
            raise InputError(
                f"codes are {self.mean.shape} but variance is {self.variance.shape}; expected one for each"
            )

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def latent_dim(self) -> int:
        """d, the number of latent dimensions."""
        return self.mean.shape[1]

    @property
    def rate(self) -> NDArray[np.float32] | None:
        """KL(q(z|x) ‖ N(0, I)) of each row (n,) in nats; None for a deterministic encoder."""
        if self.variance is None:
            return None
        return np.concatenate([row_rate(*block) for block in self._blocks()]).astype(np.float32)

    def _blocks(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        if self.variance is None:
            raise InputError("a deterministic encoder has no posterior variance, so its codes have no rate")
        for start in range(0, len(self), BLOCK):
            yield self.mean[start : start + BLOCK], self.variance[start : start + BLOCK]

    @property
    def of_rows(self) -> int:
        """How many rows were encoded: more than there are here where a shared copy kept some of them."""
        return int(self.provenance.get("of_rows", len(self)))

    def take(self, rows: Any) -> Codes:
        """The codes of those row positions alone, ids kept."""
        pick = lambda array: None if array is None else array[rows]  # noqa: E731
        return replace(
            self,
            mean=self.mean[rows],
            variance=pick(self.variance),
            factors=pick(self.factors),
            labels=pick(self.labels),
            row_ids=self.row_ids[rows],
            distortion=pick(self.distortion),
            grid=None,
        )

    def factor_names(self) -> tuple[str, ...]:
        """The factors' names, in the order of the columns of ``factors``."""
        return tuple(spec.name for spec in self.specs)

    def __repr__(self) -> str:
        known = ", ".join(self.factor_names()) or ("labels" if self.labels is not None else "no factors")
        return f"Codes({len(self):,} rows × {self.latent_dim} latent dimensions; {known})"


def rate_parts(mean: NDArray[Any], variance: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The two parts of KL(N(μ, σ²) ‖ N(0, 1)) per entry, in nats: ½μ² and ½(σ² − 1 − log σ²)."""
    mu, var = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    return 0.5 * mu**2, 0.5 * (var - 1 - np.log(var))


def row_rate(mean: NDArray[Any], variance: NDArray[Any]) -> NDArray[np.float64]:
    """KL(q ‖ N(0, I)) of each row (n,), in nats: the sum over dimensions of both parts."""
    centred, width = rate_parts(mean, variance)
    return (centred + width).sum(axis=1)


@dataclass
class _Moments:
    """Sums over rows in a fixed order, from which the per-dimension columns come."""

    count: int = 0
    total: Any = 0.0
    centred: Any = 0.0
    width: Any = 0.0
    square: Any = 0.0

    def add(self, mean: NDArray[np.float32], variance: NDArray[np.float32] | None) -> None:
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
    path: Path, data: Dataset, latent_dim: int, *, stochastic: bool, provenance: Mapping[str, Any]
) -> Iterator[CodesWriter]:
    """Write ``codes.h5ad`` block by block; it is published when the block ends, whole or not at all."""
    with publish(path) as temporary, h5py.File(temporary, "w", libver=("earliest", "v110")) as file:
        writer = CodesWriter(file, data, latent_dim, stochastic=stochastic)
        yield writer
        writer.finish(provenance)


class CodesWriter:
    """Fills a ``codes.h5ad``: `add` blocks of rows in order, `distortion` once, then `finish`."""

    def __init__(self, file: Any, data: Dataset, latent_dim: int, *, stochastic: bool) -> None:
        self.file, self.data, self.stochastic = file, data, stochastic
        shape = (len(data), latent_dim)
        self.position, self.moments = 0, _Moments()
        for name in ("layers", "obsm", "varm", "obsp", "varp", "uns"):
            mark(file.create_group(name), "dict", "0.1.0")
        self.mean = mark(file.create_dataset("X", shape, "f4"), "array", "0.2.0")
        self.variance = self.rate = None
        if stochastic:
            self.variance = mark(file["layers"].create_dataset("variance", shape, "f4"), "array", "0.2.0")
            self.rate = np.empty(len(data), np.float32)
        self.distortion: NDArray[np.float32] | None = None

    def add(self, mean: NDArray[np.float32], variance: NDArray[np.float32] | None) -> None:
        """The next rows' posterior means and variances (k, d)."""
        if not np.isfinite(mean).all():
            raise InputError("the encoder gave a NaN or an infinite code; the checkpoint has diverged")
        rows = slice(self.position, self.position + len(mean))
        self.mean[rows] = mean
        if self.variance is not None and self.rate is not None and variance is not None:
            self.variance[rows] = variance
            self.rate[rows] = row_rate(mean, variance)
        self.moments.add(mean, variance)
        self.position += len(mean)

    def finish(self, provenance: Mapping[str, Any]) -> None:
        """Write the annotations of rows and of dimensions, and where it all came from."""
        if self.position != len(self.data):
            raise InputError(f"{self.position} of {len(self.data)} rows were encoded; encode all before publishing")
        columns, names = self._row_columns()
        _table(self.file, "obs", [str(i) for i in self.data.row_ids], columns)
        _table(self.file, "var", [f"z{j}" for j in range(self.mean.shape[1])], self._dimension_columns())
        described = {
            "format": FORMAT,
            "factors": [
                {"name": s.name, "kind": s.kind, "values": list(s.values), "column": column}
                for s, column in zip(self.data.specs, names, strict=True)
            ],
            "grid": self.data.grid,
            "provenance": dict(provenance),
        }
        text = json.dumps(described, sort_keys=True, ensure_ascii=False, allow_nan=False)
        mark(self.file["uns"].create_dataset("latentlab", data=text, dtype=h5py.string_dtype()), "string", "0.2.0")
        mark(self.file, "anndata", "0.1.0")

    def _row_columns(self) -> tuple[dict[str, NDArray[Any]], list[str]]:
        data = self.data
        columns: dict[str, NDArray[Any]] = {"row": data.row_ids}
        names = _column_names(data.specs)
        if data.factors is not None:
            columns |= {name: data.factors[:, k] for k, name in enumerate(names)}
        optional = {"label": data.labels, "rate": self.rate, "distortion": self.distortion}
        return columns | {key: value for key, value in optional.items() if value is not None}, names

    def _dimension_columns(self) -> dict[str, NDArray[Any]]:
        m = self.moments
        columns: dict[str, NDArray[Any]] = {"variance_of_mean": m.square / m.count}
        if self.stochastic:
            centred, width = m.centred / m.count, m.width / m.count
            columns |= {"kl": centred + width, "kl_mean_part": centred, "kl_variance_part": width}
            columns["active"] = columns["variance_of_mean"] > 0.01
        return columns


def _column_names(specs: Iterable[Factor]) -> list[str]:
    """Factor names as HDF5 column names: no slash, none that the format has taken, no two alike."""
    names: list[str] = []
    for spec in specs:
        name = re.sub(r"[/\0]", "_", spec.name) or "factor"
        while name in RESERVED or name in names:
            name = f"factor {name}"
        names.append(name)
    return names


def mark(element: Any, kind: str, version: str) -> Any:
    element.attrs["encoding-type"], element.attrs["encoding-version"] = kind, version
    return element


def _table(file: Any, name: str, index: list[str], columns: Mapping[str, NDArray[Any]]) -> None:
    group = mark(file.create_group(name), "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    group.attrs["column-order"] = np.array(list(columns), dtype=h5py.string_dtype())
    mark(group.create_dataset("_index", data=index, dtype=h5py.string_dtype()), "string-array", "0.2.0")
    for column, values in columns.items():
        mark(group.create_dataset(column, data=values), "array", "0.2.0")


def save_codes(path: Path, codes: Codes) -> None:
    """Publish codes that are in memory as a ``codes.h5ad``."""
    data = Dataset(
        name="codes",
        shape=(len(codes), 1, 1, 1),
        read=lambda rows: np.zeros((len(rows), 1, 1, 1), np.uint8),
        factors=codes.factors,
        specs=codes.specs,
        labels=codes.labels,
        row_ids=codes.row_ids,
        grid=codes.grid,
    )
    stochastic = codes.variance is not None
    with writing(path, data, codes.latent_dim, stochastic=stochastic, provenance=codes.provenance) as writer:
        writer.distortion = codes.distortion
        for start in range(0, len(codes), BLOCK):
            block = slice(start, start + BLOCK)
            writer.add(codes.mean[block], None if codes.variance is None else codes.variance[block])


def load_codes(path: Path) -> Codes:
    """The codes in a ``codes.h5ad``; an `InputError` names the element that is missing or malformed."""
    with reading(path, "codes") as file:
        described = _described(file, path)
        obs = _element(file, "obs", path)
        mean = _matrix(_element(file, "X", path), path)
        factors = described["factors"]
        columns = [_column(obs, f["column"], path, "fiub").astype(np.float64) for f in factors]
        grid = described.get("grid")
        optional = lambda key, kinds: _column(obs, key, path, kinds) if key in obs else None  # noqa: E731
        return Codes(
            mean=mean,
            variance=_matrix(file["layers/variance"], path) if "layers/variance" in file else None,
            factors=np.column_stack(columns) if columns else None,
            specs=tuple(Factor(f["name"], f["kind"], tuple(f["values"])) for f in factors),
            labels=optional("label", "iu"),
            row_ids=_column(obs, "row", path, "iu"),
            distortion=optional("distortion", "f"),
            grid=tuple(grid) if grid else None,
            provenance=described["provenance"],
        )


def read_provenance(path: Path) -> dict[str, Any]:
    """Where a ``codes.h5ad`` came from, without reading the codes."""
    with reading(path, "codes") as file:
        found: dict[str, Any] = _described(file, path)["provenance"]
        return found


def read_summary(path: Path) -> dict[str, Any]:
    """What a ``codes.h5ad`` comes to, without reading the codes: rows, distortion, rate, active units, factors.

    ``distortion`` and ``rate`` are means in nats over the rows whose distortion was computed (``judged_rows`` of
    them), so that −(distortion + rate) is their ELBO; where none was, the rate is the mean over all rows. What a
    deterministic encoder does not have is NaN, its ``active_units`` None.
    """
    with reading(path, "codes") as file:
        described, obs, var = _described(file, path), _element(file, "obs", path), _element(file, "var", path)
        rows = len(_element(obs, "row", path))
        column = lambda key: np.asarray(obs[key][()], np.float64) if key in obs else np.full(rows, np.nan)  # noqa: E731
        distortion, rate = column("distortion"), column("rate")
        judged = np.isfinite(distortion)
        return {
            "rows": rows,
            "judged_rows": int(judged.sum()),
            "distortion": float(distortion[judged].mean()) if judged.any() else float("nan"),
            "rate": float(rate[judged if judged.any() else slice(None)].mean()),
            "active_units": int(var["active"][()].sum()) if "active" in var else None,
            "factors": tuple(f["name"] for f in described["factors"]),
            "labels": "label" in obs,
            "provenance": described["provenance"],
        }


def _element(group: Any, key: str, path: Path) -> Any:
    if not isinstance(group, h5py.Group) or key not in group:
        raise InputError(f"{path} has no {group.name.rstrip('/')}/{key}; expected codes written by latentlab (encode)")
    return group[key]


def _column(group: Any, key: str, path: Path, kinds: str) -> NDArray[Any]:
    dataset = _element(group, key, path)
    if getattr(dataset, "ndim", 0) != 1 or dataset.dtype.kind not in kinds:
        raise InputError(f"{path}: {dataset.name} is no column of numbers of its kind; encode the data again")
    return np.asarray(dataset[()])


def _matrix(dataset: Any, path: Path) -> NDArray[np.float32]:
    if getattr(dataset, "ndim", 0) != 2 or dataset.dtype.kind != "f":
        raise InputError(f"{path}: {dataset.name} is no matrix of floats; expected (rows, latent dimensions)")
    return np.asarray(dataset[()], np.float32)


def _described(file: Any, path: Path) -> dict[str, Any]:
    text = _element(_element(file, "uns", path), "latentlab", path)[()]
    try:
        described = dict(json.loads(text))
        version = described["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path}: uns/latentlab is not the JSON that the codes format describes") from error
    check_format(version, FORMAT, path)
    return described
