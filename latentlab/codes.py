"""Latent codes: the table every analysis reads, and how it lies in HDF5.

``codes.h5ad`` is a valid AnnData file written with h5py alone (`codes_writer`); ``docs/codes-format.md`` specifies it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from latentlab import chunks
from latentlab.codes_writer import FORMAT, RESERVED, free, mark, rate_parts, row_rate, writing
from latentlab.data.dataset import Dataset, Factor, Rows, is_grid
from latentlab.errors import InputError
from latentlab.hdf5 import check_format, check_texts, reading
from latentlab.quarantine import apart

__all__ = [
    "BLOCK",
    "FORMAT",
    "RESERVED",
    "Codes",
    "encoded",
    "free",
    "load_codes",
    "located",
    "mark",
    "rate_parts",
    "read_provenance",
    "read_rows",
    "read_summary",
    "row_rate",
    "save_codes",
    "writing",
]
BLOCK = 65536


@dataclass(frozen=True, eq=False)
class Codes:
    """What a model's encoder made of a data set, one row an image.

    ``mean`` (n, d) float32 is the posterior mean, ``variance`` (n, d) the posterior variance or None for a
    deterministic encoder. ``factors`` (n, k) float64, ``specs``, ``labels`` and ``row_ids`` are the data set's.
    ``distortion`` (n,) is −log p(x|z) in nats at one posterior sample, NaN where it was not computed. ``provenance``
    says which model and which data it came from; ``grid`` gives the levels per factor where the rows are a full grid
    in row-major order, None where the factors say otherwise. ``label_names`` are the names of the classes 0, 1, ….
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
    label_names: tuple[str, ...] = ()

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
        if not is_grid(self.grid, len(self), self.factors):
            object.__setattr__(self, "grid", None)

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

    def positions(self, row_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions (m,) of row ids (m,); an `InputError` where one is not there.

        >>> Codes(np.zeros((3, 1), np.float32), row_ids=np.array([40, 10, 30])).positions(np.array([10, 40])).tolist()
        [1, 0]
        """
        places = located(self.row_ids, row_ids)
        if places is None:
            raise InputError("some rows are not among the codes; project anew: `latentlab analyze … --only project`")
        return places

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

    @property
    def classes(self) -> dict[int, str]:
        """The name of each label that occurs, all different; empty where they have no names but their numbers.

        >>> Codes(np.zeros((2, 1), np.float32), labels=np.array([1, 0]), label_names=("cat", "dog")).classes
        {0: 'cat', 1: 'dog'}
        """
        if self.labels is None or all(name == str(k) for k, name in enumerate(self.label_names)):
            return {}
        known: dict[int, str] = {}
        for k in np.unique(self.labels).tolist():
            name = self.label_names[k] if 0 <= k < len(self.label_names) else str(k)
            known[k] = name if name not in known.values() else free(f"{name} ({k})", known.values())
        return known

    def spec(self, name: str) -> Factor | None:
        """What is known of the factor of that name; ``label`` is one where there are no others."""
        if not self.specs and name == "label":
            return Factor("label", "categorical", self.label_names if self.classes else ())
        return next((spec for spec in self.specs if spec.name == name), None)

    def factor_names(self) -> tuple[str, ...]:
        """The factors' names, in the order of the columns of ``factors``."""
        return tuple(spec.name for spec in self.specs)

    def __repr__(self) -> str:
        known = ", ".join(self.factor_names()) or ("labels" if self.labels is not None else "no factors")
        return f"Codes({len(self):,} rows × {self.latent_dim} latent dimensions; {known})"


def save_codes(path: Path, codes: Codes) -> None:
    """Publish codes that are in memory as a ``codes.h5ad``."""
    data = Dataset(
        name="codes",
        shape=(len(codes), 1, 1, 1),
        read=lambda rows: np.zeros((len(rows), 1, 1, 1), np.uint8),
        factors=codes.factors,
        specs=codes.specs,
        labels=codes.labels,
        label_names=codes.label_names,
        row_ids=codes.row_ids,
        grid=codes.grid,
    )
    stochastic = codes.variance is not None
    with writing(path, data, codes.latent_dim, stochastic=stochastic, provenance=codes.provenance) as writer:
        for start in range(0, len(codes), BLOCK):
            block = slice(start, start + BLOCK)
            writer.add(codes.mean[block], None if codes.variance is None else codes.variance[block])
            if codes.distortion is not None:
                writer.judge(block, codes.distortion[block])


@apart(Codes, Factor)
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
            labels=_labels(obs, path),
            row_ids=_column(obs, "row", path, "iu"),
            distortion=optional("distortion", "f"),
            grid=tuple(grid) if grid else None,
            provenance=described["provenance"],
            label_names=_label_names(described, path),
        )


@apart()
def read_provenance(path: Path) -> dict[str, Any]:
    """Where a ``codes.h5ad`` came from, without reading the codes."""
    with reading(path, "codes") as file:
        found: dict[str, Any] = _described(file, path)["provenance"]
        return found


def read_rows(path: Path) -> Rows:
    """The row ids (n,) of a ``codes.h5ad``, without reading the codes."""
    with reading(path, "codes") as file:
        return _column(_element(file, "obs", path), "row", path, "iu").astype(np.int64)


def encoded(path: Path, rows: int) -> Iterator[tuple[NDArray[np.float32], Any, Any]]:
    """Mean, variance and distortion of that many rows at a time of a ``codes.h5ad``; None for what it does not have."""
    with reading(path, "codes") as file:
        mean = chunks.Checked(_element(file, "X", path))
        found = [file.get("layers/variance"), _element(file, "obs", path).get("distortion")]
        others = [None if each is None else chunks.Checked(each) for each in found]
        for start in range(0, len(mean), rows):
            block = slice(start, start + rows)
            variance, distortion = (None if each is None else np.asarray(each[block], np.float32) for each in others)
            yield np.asarray(mean[block], np.float32), variance, distortion


@apart()
def read_summary(path: Path) -> dict[str, Any]:
    """What a ``codes.h5ad`` comes to, without reading the codes: rows, distortion, rate, active units, factors.

    ``distortion`` and ``rate`` are means in nats over the rows whose distortion was computed (``judged_rows`` of
    them), so that −(distortion + rate) is their ELBO; where none was, the rate is the mean over all rows. What a
    deterministic encoder does not have is NaN, its ``active_units`` None.
    """
    with reading(path, "codes") as file:
        described, obs, var = _described(file, path), _element(file, "obs", path), _element(file, "var", path)
        rows = len(_element(obs, "row", path))
        column = lambda key: np.asarray(chunks.read(obs[key]), np.float64) if key in obs else np.full(rows, np.nan)  # noqa: E731
        distortion, rate = column("distortion"), column("rate")
        judged = np.isfinite(distortion)
        return {
            "rows": rows,
            "judged_rows": int(judged.sum()),
            "distortion": float(distortion[judged].mean()) if judged.any() else float("nan"),
            "rate": float(rate[judged if judged.any() else slice(None)].mean()),
            "active_units": int(chunks.read(var["active"]).sum()) if "active" in var else None,
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
    return chunks.read(dataset)


def _labels(obs: Any, path: Path) -> NDArray[np.int64] | None:
    """The classes' numbers; those of an export, whose column ``label`` has the names, stand in another one."""
    if "label" not in obs:
        return None
    return _column(obs, "label_code" if isinstance(obs["label"], h5py.Group) else "label", path, "iu")


def _label_names(described: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    names = described.get("label_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: label_names is not a list of texts; encode the data again")
    return tuple(names)


def _matrix(dataset: Any, path: Path) -> NDArray[np.float32]:
    if getattr(dataset, "ndim", 0) != 2 or dataset.dtype.kind != "f":
        raise InputError(f"{path}: {dataset.name} is no matrix of floats; expected (rows, latent dimensions)")
    return np.asarray(chunks.read(dataset), np.float32)


def _described(file: Any, path: Path) -> dict[str, Any]:
    held = _element(_element(file, "uns", path), "latentlab", path)
    text = ""
    if getattr(held, "shape", None) == ():
        check_texts(held)
        text = held[()]  # a single value has no chunks
    try:
        described = dict(json.loads(text))
        version = described["format"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InputError(f"{path}: uns/latentlab is not the JSON that the codes format describes") from error
    check_format(version, FORMAT, path)
    return described


def located(known: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Where each of the wanted ids (m,) stands among the known ones (n,), all different; None where one is not there.

    >>> located(np.array([40, 10, 30]), np.array([10, 40])).tolist()
    [1, 0]
    """
    last = len(known) - 1
    if (known[1:] > known[:-1]).all():  # as they mostly are: no need to order a million of them
        places = np.searchsorted(known, wanted).clip(max=last)
    else:
        order = np.argsort(known, kind="stable")
        places = order[np.searchsorted(known, wanted, sorter=order).clip(max=last)]
    return places if (known[places] == wanted).all() else None
