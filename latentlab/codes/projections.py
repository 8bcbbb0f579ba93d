"""Two-dimensional pictures of the codes: PCA and UMAP, with how far they can be trusted.

A projection is a picture, never the latent space itself: UMAP keeps neighbourhoods and gives up distances, and PCA
keeps the directions of largest variance. Each therefore carries its trustworthiness and continuity (Venna and Kaski,
2001), measured on a sample of its own rows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from latentlab.codes.codes import Codes
from latentlab.data.dataset import Rows
from latentlab.errors import InputError
from latentlab.system.files import check_format
from latentlab.system.hdf5 import numbers, publishing, reading
from latentlab.system.precision import NARROW, check_sizes
from latentlab.system.quarantine import apart
from latentlab.system.registry import choose
from latentlab.system.validation import validate

FORMAT = 1
ROWS = 20_000
JUDGED = 2_000
NEIGHBOURS = 15
PLACED = 5
UMAP_COMPARES_ALL = 4096  # below so many rows
SEARCHED = 30_000  # rows whose neighbours are searched exactly
SETTLED = {"precomputed_knn", "unique"}  # settings of UMAP under which it takes no neighbours from elsewhere


@dataclass(frozen=True, eq=False)
class Projection:
    """A 2-D picture of some rows.

    Parameters
    ----------
    xy : array (m, 2), float32
        A point for each row.
    row_ids : array (m,)
        The ids of the rows.
    settings : mapping
        Method, seed, parameters and versions.
    faithfulness : mapping
        ``trustworthiness`` and ``continuity`` in [0, 1], higher is better: how many neighbours in the picture are
        neighbours in the codes, and the reverse.
    """

    xy: NDArray[np.float32]
    row_ids: Rows
    settings: Mapping[str, Any] = field(default_factory=dict)
    faithfulness: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.row_ids.ndim != 1 or self.xy.shape != (len(self.row_ids), 2) or not np.isfinite(self.xy).all():
            came = f"xy {self.xy.shape}, row ids {self.row_ids.shape}"
            raise InputError(f"a projection has {came}; expected finite (m, 2) and (m,)")


def project(codes: Codes, method: str = "umap", *, rows: int = ROWS, seed: int = 0, **parameters: Any) -> Projection:
    """Project codes to two dimensions: at most `rows` seeded random rows of them.

    Parameters
    ----------
    codes : Codes
        What is drawn: their means (n, d), of at least 4 rows.
    method : {"umap", "pca"}, default "umap"
        How codes become points.
    rows : int
        At most how many rows, chosen by the seed.
    seed : int, default 0
        Of the rows and of the method.
    **parameters
        Settings of the method, as in ``n_neighbors=30`` for UMAP.

    Returns
    -------
    Projection
        Points (rows, 2), the ids of their rows, and how faithful the picture is. Equal codes give equal pictures,
        however many rows are alike.

    Raises
    ------
    InputError
        For an unknown method, fewer than 4 rows, and codes that are not finite or whose squares are not.

    Examples
    --------
    >>> import numpy as np
    >>> codes = Codes(np.random.default_rng(0).normal(size=(50, 3)).astype("f4"))
    >>> project(codes, "pca").xy.shape
    (50, 2)
    """
    choose(method, METHODS, what="projection method")
    if len(codes) < 4:
        raise InputError(f"codes has {len(codes)} rows; a projection needs at least 4")
    if not codes.latent_dim or not np.isfinite(codes.mean).all():
        raise InputError(f"codes are {codes.mean.shape} with NaN or infinity among them; expected finite numbers")
    check_sizes(codes.mean, limits=NARROW)
    chosen = codes.drawn(rows, seed)
    points = codes.mean[chosen]
    xy, settings = METHODS[method](points, seed, parameters)
    settings = {"method": method, "seed": seed, "of_rows": codes.of_rows, **settings}
    return Projection(xy.astype(np.float32), codes.row_ids[chosen], settings, faithfulness(points, xy, seed=seed))


def _pca(points: NDArray[Any], seed: int, parameters: Mapping[str, Any]) -> tuple[NDArray[Any], dict[str, Any]]:
    from sklearn.decomposition import PCA

    if points.shape[1] == 1:
        return np.column_stack([points[:, 0], np.zeros(len(points))]), {"explained_variance_ratio": [1.0, 0.0]}
    pca = PCA(n_components=2, svd_solver="full", random_state=seed, **parameters)
    with np.errstate(invalid="ignore"):  # codes that have all collapsed vary in no direction: 0 of 0
        xy = pca.fit_transform(points.astype(np.float64))
    explained = np.nan_to_num(pca.explained_variance_ratio_).tolist()
    settings = {"explained_variance_ratio": explained, "versions": {"scikit-learn": version("scikit-learn")}}
    return xy, settings


def _umap(points: NDArray[Any], seed: int, parameters: Mapping[str, Any]) -> tuple[NDArray[Any], dict[str, Any]]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its imports and its single thread under a seed are no news to the user
        from umap import UMAP, layouts, umap_, utils

        keep_compiled(layouts, umap_, utils)
        chosen = {"n_neighbors": min(NEIGHBOURS, len(points) - 1), "min_dist": 0.1, "metric": "euclidean", **parameters}
        init = "spectral" if len(points) > 100 and _most_alike(points) < chosen["n_neighbors"] else "random"
        found = _found(points, chosen)
        xy = UMAP(n_components=2, random_state=seed, n_jobs=1, init=init, **found, **chosen).fit_transform(points)
    versions = {name: version(name) for name in ("umap-learn", "numba", "scikit-learn")}
    return xy, {"parameters": chosen, "versions": versions}


def _found(points: NDArray[Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The nearest neighbours of each row and their distances, as UMAP takes them; nothing where it searches for them.

    UMAP compares all pairs of fewer than 4,096 rows. Of more it finds most neighbours by NN-descent, which each process
    compiles again: 25 processor seconds, where an exact search takes one.
    """
    count = chosen["n_neighbors"]
    here = UMAP_COMPARES_ALL <= len(points) <= SEARCHED and chosen["metric"] == "euclidean"
    if not here or not 2 <= count < len(points) or SETTLED & chosen.keys():
        return {}
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):  # among equally distant rows, the choice may depend on the number of threads
        distances, rows = NearestNeighbors(n_neighbors=count).fit(points).kneighbors(points)
    return {"precomputed_knn": (rows, distances.astype(np.float32))}


def keep_compiled(*modules: ModuleType) -> None:
    """Have numba keep on disk what it compiles of these modules, as it does of ours.

    UMAP leaves that out: every process compiled it again, which took four times as long as a picture of 1,800 rows.
    """
    from numba.core.dispatcher import Dispatcher

    for module in modules:
        for each in vars(module).values():
            if isinstance(each, Dispatcher) and each.py_func.__module__ == module.__name__ and not each.overloads:
                with suppress(RuntimeError):  # read-only installation without a home
                    each.enable_caching()


def _most_alike(points: NDArray[Any]) -> int:
    """How many rows are equal to one another, at most.

    Rows with equal ones alone for neighbours make a graph whose eigenvectors are not unique: ARPACK then draws on a
    random state of its own, so that a spectral start differs from call to call.
    """
    return int(np.unique(points, axis=0, return_counts=True)[1].max())


def place(projection: Projection, codes: Codes, points: NDArray[Any]) -> NDArray[np.float64]:
    """Where codes (m, d) lie in a picture (m, 2): exactly in one by PCA, which is linear in the codes; in any other in
    the middle of the `PLACED` rows that are nearest to them in the codes, which is no more than a hint."""
    known = codes.mean[codes.positions(projection.row_ids)].astype(np.float64)
    if projection.settings.get("method") == "pca":
        design = np.column_stack([known, np.ones(len(known))])
        weights = np.linalg.lstsq(design, projection.xy.astype(np.float64), rcond=None)[0]
        return np.asarray(np.column_stack([points, np.ones(len(points))]) @ weights)
    from scipy.spatial import cKDTree

    near = min(PLACED, len(known))
    nearest = cKDTree(known).query(np.asarray(points, np.float64), k=range(1, near + 1))[1]
    return np.asarray(projection.xy[nearest].astype(np.float64).mean(axis=1))


METHODS: Mapping[str, Callable[..., tuple[NDArray[Any], dict[str, Any]]]] = {"pca": _pca, "umap": _umap}


def faithfulness(points: NDArray[Any], xy: NDArray[Any], *, seed: int = 0) -> dict[str, float]:
    """Trustworthiness and continuity of a picture (m, 2) of points (m, d), on at most 2,000 of them."""
    from sklearn.manifold import trustworthiness

    some = np.sort(np.random.default_rng(seed).permutation(len(points))[:JUDGED])
    neighbours = min(NEIGHBOURS, (len(some) - 1) // 2)
    high, low = points[some].astype(np.float64), np.asarray(xy)[some].astype(np.float64)
    return {
        "trustworthiness": float(trustworthiness(high, low, n_neighbors=neighbours)),
        "continuity": float(trustworthiness(low, high, n_neighbors=neighbours)),
        "neighbours": neighbours,
        "judged_rows": len(some),
    }


def save_projections(path: Path, projections: Mapping[str, Projection], inputs: Mapping[str, Any]) -> None:
    """Publish ``projections.h5``: one group a method."""
    with publishing(path) as file:
        file.attrs["format"] = FORMAT
        file.attrs["inputs"] = json.dumps(inputs, sort_keys=True)
        for name, projection in projections.items():
            group = file.create_group(name)
            group.attrs["settings"] = json.dumps(projection.settings, sort_keys=True)
            group.attrs["faithfulness"] = json.dumps(projection.faithfulness, sort_keys=True)
            group.create_dataset("xy", data=projection.xy)
            group.create_dataset("row", data=projection.row_ids)


def thin(path: Path, out: Path, row_ids: Rows, inputs: Mapping[str, Any]) -> None:
    """Publish the part of a ``projections.h5`` that lies in those rows; the pictures stay those of the full codes."""
    found = load_projections(path)
    keep = {name: np.isin(each.row_ids, row_ids) for name, each in found.items()}
    parts = {k: replace(v, xy=v.xy[keep[k]], row_ids=v.row_ids[keep[k]]) for k, v in found.items()}
    save_projections(out, parts, inputs)


@apart(Projection)
def load_projections(path: Path) -> dict[str, Projection]:
    """The projections in a ``projections.h5``, by method."""
    with reading(path, "projections") as file:
        check_format(int(file.attrs["format"]), FORMAT, path)
        return {name: _projection(file[name]) for name in file}  # not items(): it would keep h5py locked if one fails


class _Settings(BaseModel):
    """What figures read of a projection's settings."""

    of_rows: int = 0
    explained_variance_ratio: tuple[float, float] | None = None


def _projection(group: Any) -> Projection:
    settings, faithful = (json.loads(group.attrs[key]) for key in ("settings", "faithfulness"))
    validate(_Settings, settings, f"{group.file.filename}: {group.name[1:]}")
    faithful = validate(dict[str, float], faithful, f"{group.file.filename}: {group.name[1:]}")
    return Projection(numbers(group["xy"], "f"), numbers(group["row"], "iu"), settings, faithful)
