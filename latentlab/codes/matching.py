"""Which latent dimension of one run is which of another: matched by rank correlation of their codes.

Dimensions of two trained models come in any order and sign. They are paired by the assignment (Hungarian method) that
makes the sum of absolute Spearman correlations largest, on rows that both runs encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

ROWS = 3_000
MATCHED = 0.5  # a weaker rank correlation is a pairing forced by the assignment, not a likeness


def match(a: Codes, b: Codes, *, rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """One row per pair: ``a``, ``b`` (positions of dimensions, −1 for none), ``rho`` in [−1, 1], ``matched``.

    Only active dimensions take part (all of a deterministic encoder), on at most `rows` seeded random rows that both
    hold: on a grid's first rows dead dimensions agree by chance. ``matched`` is abs(rho) ≥ 0.5; what is left over
    stands at the end with rho NaN. Ranked by abs(rho). ``attrs["rows"]`` is the number of rows used.
    """
    import pandas as pd
    from scipy.optimize import linear_sum_assignment

    check_same_images(a, b)
    left, right = _common(a, b, rows, seed)
    active = [np.flatnonzero(each.active).tolist() for each in (a, b)]
    rho = _spearman(left[:, active[0]], right[:, active[1]])
    pairs = [(active[0][i], active[1][j], rho[i, j]) for i, j in zip(*linear_sum_assignment(-np.abs(rho)), strict=True)]
    pairs.sort(key=lambda pair: -abs(pair[2]))
    alone = [(i, -1) for i in active[0] if i not in {p[0] for p in pairs}]
    alone += [(-1, j) for j in active[1] if j not in {p[1] for p in pairs}]
    found = [{"a": i, "b": j, "rho": r, "matched": abs(r) >= MATCHED} for i, j, r in pairs]
    found += [{"a": i, "b": j, "rho": np.nan, "matched": False} for i, j in alone]
    table = pd.DataFrame(found, columns=["a", "b", "rho", "matched"])
    table.attrs["rows"] = len(left)
    return table


def alongside(matches: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Several `match` tables of one first run as one: one row per dimension of it, its partner in each of the others.

    ``first`` is the dimension's position, ``other1``, ``rho1``, ``matched1`` what the first table says of it, and so
    on. Ranked by the mean abs(rho). Dimensions of the others that have no partner stand at the end, side by side with
    nothing (−1) and each other: being in one row means nothing there.
    """
    import pandas as pd

    rows: dict[int, dict[str, Any]] = {}
    alone: list[list[int]] = []
    for k, table in enumerate(matches, start=1):
        for pair in table[table["a"] >= 0].itertuples():
            row = rows.setdefault(int(pair.a), {"first": int(pair.a)})
            row |= {f"other{k}": int(pair.b), f"rho{k}": float(pair.rho), f"matched{k}": bool(pair.matched)}
        alone.append(table.loc[table["a"] < 0, "b"].tolist())
    strength = {
        a: np.mean([np.nan_to_num(abs(row[f"rho{k + 1}"])) for k in range(len(matches))]) for a, row in rows.items()
    }
    found = [rows[a] for a in sorted(rows, key=lambda a: -strength[a])]
    for left in zip_longest(*alone, fillvalue=-1):
        ends = [{f"other{k}": b, f"rho{k}": np.nan, f"matched{k}": False} for k, b in enumerate(left, start=1)]
        found.append({"first": -1} | {key: value for end in ends for key, value in end.items()})
    columns = [f"{key}{k + 1}" for k in range(len(matches)) for key in ("other", "rho", "matched")]
    table = pd.DataFrame(found, columns=["first", *columns])
    table.attrs["rows"] = min((each.attrs["rows"] for each in matches), default=0)
    return table


def check_same_images(a: Codes, b: Codes) -> None:
    """Raise an `InputError` where two codes of the same rows of one source were made from images that differ."""
    made = [each.provenance.get("inputs", {}) for each in (a, b)]
    images = {each.get("fingerprint", {}).get("images") for each in made}
    alike = made[0].get("source") == made[1].get("source") and np.array_equal(a.row_ids, b.row_ids)
    if alike and None not in images and len(images) > 1:
        names = " and ".join(str(each.provenance.get("run", "?"))[-60:] for each in (a, b))
        raise InputError(f"the codes of {names} were made from different images; encode the same data with both")


def _common(a: Codes, b: Codes, rows: int, seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    ids, in_a, in_b = np.intersect1d(a.row_ids, b.row_ids, return_indices=True)
    if len(ids) < 3:
        raise InputError(f"the runs have {len(ids)} rows in common; match codes of the same data")
    some = np.sort(np.random.default_rng(seed).permutation(len(ids))[:rows])
    return a.mean[in_a[some]], b.mean[in_b[some]]


def _spearman(x: NDArray[np.float32], y: NDArray[np.float32]) -> NDArray[np.float64]:
    return standard_ranks(x).T @ standard_ranks(y)


def standard_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """The ranks of each column (n, d), with mean 0 and norm 1: their products are Spearman correlations."""
    from scipy.stats import rankdata

    ranks = np.asarray(rankdata(values, axis=0), np.float64)
    ranks -= ranks.mean(axis=0)
    return np.asarray(ranks / np.maximum(np.linalg.norm(ranks, axis=0), 1e-12))
