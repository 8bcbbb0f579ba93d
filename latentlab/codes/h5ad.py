"""Reading ``codes.h5ad``, and saving codes that are in memory; `h5ad_writer` writes them block by block.

The file is a valid AnnData file written with h5py alone; ``docs/codes-format.md`` specifies it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import BLOCK, Codes, located
from latentlab.codes.h5ad_writer import FORMAT, RESERVED, free, mark, writing
from latentlab.data import Form
from latentlab.data.dataset import Dataset, Factor, Rows
from latentlab.errors import InputError
from latentlab.system import chunks
from latentlab.system.files import check_format
from latentlab.system.hdf5 import check_texts, reading
from latentlab.system.quarantine import apart
from latentlab.system.stamps import remembered

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
    "read_provenance",
    "read_rows",
    "read_summary",
    "save_codes",
    "writing",
]


def save_codes(path: Path, codes: Codes) -> None:
    """Publish codes that are in memory as a ``codes.h5ad``."""
    data = Dataset(
        name="codes",
        shape=(len(codes), 1),
        read=lambda rows: np.zeros((len(rows), 1), np.float32),
        form=Form("table", (1,)),
        factors=codes.factors,
        specs=codes.specs,
        labels=codes.labels,
        label_names=codes.label_names,
        row_ids=codes.row_ids,
        grid=codes.grid,
    )
    stochastic = codes.variance is not None
    about: dict[str, Any] = {"provenance": codes.provenance, "row_names": codes.row_names}
    with writing(path, data, codes.latent_dim, stochastic=stochastic, **about) as writer:
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
            row_names=_row_names(obs, path) if described.get("row_names") else None,
        )


@remembered
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


@remembered
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
        raise InputError(f"{path}: {dataset.name} is not a numeric column of the expected type; encode the data again")
    return chunks.read(dataset)


def _labels(obs: Any, path: Path) -> NDArray[np.int64] | None:
    """The classes' numbers; those of an export, whose column ``label`` has the names, stand in another one."""
    if "label" not in obs:
        return None
    return _column(obs, "label_code" if isinstance(obs["label"], h5py.Group) else "label", path, "iu")


def _row_names(obs: Any, path: Path) -> NDArray[np.str_]:
    """The texts of the index, where they are the user's own names of the rows and not their ids."""
    index = _element(obs, "_index", path)
    check_texts(index)
    return np.array([text.decode() if isinstance(text, bytes) else str(text) for text in chunks.read(index)], np.str_)


def _label_names(described: Mapping[str, Any], path: Path) -> tuple[str, ...]:
    names = described.get("label_names", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{path}: label_names is not a list of texts; encode the data again")
    return tuple(names)


def _matrix(dataset: Any, path: Path) -> NDArray[np.float32]:
    if getattr(dataset, "ndim", 0) != 2 or dataset.dtype.kind != "f":
        raise InputError(f"{path}: {dataset.name} is not a matrix of floats; expected (rows, latent dimensions)")
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
