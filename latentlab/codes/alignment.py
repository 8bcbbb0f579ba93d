"""Two runs' pictures and neighbourhoods side by side: projections turned onto one another, and shared neighbours.

Projections of two runs come turned, mirrored and scaled at will. They are laid over the first by the turn that
brings the same rows nearest (orthogonal Procrustes; Gower and Dijksterhuis 2004, chapter 4) and given its spread, which
changes no shape within a picture. How much of a neighbourhood two codes share needs no picture at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.projections import Projection
from latentlab.errors import InputError

NEIGHBOURS = 15


@dataclass(frozen=True, eq=False)
class Overlap:
    """Of each row's ``neighbours`` nearest in one code, the share (n,) that are nearest in the other, in [0, 1].

    ``chance`` is what two unrelated codes share on average: neighbours / (n − 1).
    """

    row_ids: NDArray[np.int64]
    share: NDArray[np.float64]
    neighbours: int

    @property
    def mean(self) -> float:
        """The mean over rows."""
        return float(self.share.mean())

    @property
    def chance(self) -> float:
        """What two unrelated codes share on average."""
        return self.neighbours / (len(self.share) - 1)


def overlap(a: Codes, b: Codes, row_ids: NDArray[np.int64], *, neighbours: int = NEIGHBOURS) -> Overlap:
    """How far the neighbourhoods of those rows agree in two codes, Euclidean and among those rows alone.

    It grows with the share of all rows that is looked at only through ``chance``: compare values of equal rows.

    >>> codes = Codes(np.random.default_rng(0).normal(size=(100, 2)).astype("f4"))
    >>> overlap(codes, codes, codes.row_ids).mean
    1.0
    """
    from sklearn.neighbors import NearestNeighbors

    k = min(neighbours, len(row_ids) - 1)
    if k < 1:
        raise InputError(f"{len(row_ids)} rows are in common; neighbours need at least two")
    near = []
    for codes in (a, b):
        points = codes.mean[codes.positions(row_ids)]
        near.append(NearestNeighbors(n_neighbors=k).fit(points).kneighbors(return_distance=False))
    shared = (near[0][:, :, None] == near[1][:, None, :]).any(axis=2).mean(axis=1)
    return Overlap(row_ids, shared, k)


def shared_row(codes: Sequence[Codes], wanted: int | None = None) -> int | None:
    """A row id that all codes have: the one wanted where they do, else that nearest to the first code's median.

    Each dimension counts in units of its own spread. None where no row is in all.
    """
    ids = codes[0].row_ids
    for other in codes[1:]:
        ids = np.intersect1d(ids, other.row_ids)
    if not len(ids) or (wanted is not None and wanted in ids):
        return wanted if len(ids) else None
    points = codes[0].mean[codes[0].positions(ids)]
    spread = points.std(axis=0)
    scaled = (points - np.median(points, axis=0)) / np.where(spread > 0, spread, 1)
    return int(ids[np.argmin((scaled**2).sum(axis=1))])


def aligned(projections: Sequence[Projection]) -> list[Projection]:
    """The rows that all pictures have, in each laid over the first; ``settings["aligned"]`` is how well, in [0, 1].

    That is Procrustes' R²: the share of the first picture's variance that the other, laid over it, accounts for. 1 for
    pictures that are the same but for turning, mirroring, scaling and shifting.
    """
    ids = np.sort(projections[0].row_ids)
    for other in projections[1:]:
        ids = np.intersect1d(ids, other.row_ids)
    if len(ids) < 3:
        raise InputError(f"the projections have {len(ids)} rows in common; project codes of the same rows")
    places = (np.intersect1d(ids, each.row_ids, return_indices=True)[2] for each in projections)
    first, *others = (each.xy[at].astype(np.float64) for each, at in zip(projections, places, strict=True))
    centre = first.mean(axis=0)
    target = first - centre
    found = [replace(projections[0], xy=first.astype(np.float32), row_ids=ids)]
    for projection, xy in zip(projections[1:], others, strict=True):
        turned, agreement = _onto(target, xy - xy.mean(axis=0))
        settings = {**projection.settings, "aligned": agreement}
        found.append(replace(projection, xy=(turned + centre).astype(np.float32), row_ids=ids, settings=settings))
    return found


def _onto(target: NDArray[np.float64], points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Centred points turned and mirrored onto a centred target, given its spread, and how much of it they explain."""
    u, singular, vt = np.linalg.svd(points.T @ target)
    of_target, of_points = float((target**2).sum()), float((points**2).sum())
    if of_target == 0 or of_points == 0:
        return points, float("nan")
    return points @ (u @ vt) * np.sqrt(of_target / of_points), float(singular.sum() ** 2 / (of_target * of_points))
