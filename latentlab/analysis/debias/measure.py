"""How common a row is under the latent distribution, and weights that even it out (Amini et al. 2019).

A histogram for each latent dimension counts where the codes of the data lie; a row whose code falls into sparse bins is
rare. `latentlab train --weights` then draws rare rows more often. No label is read anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import Codes
from latentlab.codes.symbols import symbol
from latentlab.errors import InputError
from latentlab.results import Result, plain

if TYPE_CHECKING:
    import pandas as pd

BINS = 10
SMOOTHING = 0.01
LARGEST_ID = 1 << 30  # weights are an array whose positions are row ids
TAILS = (0.001, 0.999)  # the outermost bins are open: one stray code must not squeeze all others into one bin
Combine = Literal["product", "maximum"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Commonness(Result):
    """How common each row is, and the weights that follow.

    Parameters
    ----------
    share : array (n, m)
        The smoothed share of rows in the bin of each of the dimensions that count.
    weights : array (n,)
        Of mean 1, higher for rarer rows.
    dimensions : tuple of int
        The m dimensions that count.
    row_ids : array (n,)
        The ids of the rows.
    settings : dict
        How it was computed.
    """

    share: Floats
    weights: Floats
    dimensions: tuple[int, ...]
    row_ids: NDArray[np.int64]
    settings: dict[str, object]

    def to_frame(self) -> pd.DataFrame:
        """The weights as a table.

        Returns
        -------
        DataFrame
            One row per example, the rarest first: its row id and weight.
        """
        import pandas as pd

        order = np.argsort(-self.weights, kind="stable")
        return pd.DataFrame({"row": self.row_ids[order], "weight": self.weights[order]})

    def to_json(self) -> dict[str, Any]:
        """The weights as JSON.

        Returns
        -------
        dict
            Row ids, weights, the dimensions that count, the effective sample size and the settings.
        """
        parts = {"rows": self.row_ids, "weights": self.weights, "dimensions": self.dimensions}
        return plain({**parts, "effective": self.effective, "settings": self.settings})

    @property
    def effective(self) -> float:
        """Kish's effective sample size of the weights."""
        return effective_size(self.weights)

    def by_row_id(self) -> Floats:
        """The weights as `train` takes them.

        Returns
        -------
        array
            Entry i is that of the row with id i, NaN where none was weighed.

        Raises
        ------
        InputError
            Where an id is below 0 or too large.
        """
        if self.row_ids.min() < 0 or self.row_ids.max() >= LARGEST_ID:
            came = f"{self.row_ids.min():,} to {self.row_ids.max():,}"
            raise InputError(f"row ids go from {came}; weights need ids from 0 to {LARGEST_ID - 1:,}")
        found = np.full(int(self.row_ids.max()) + 1, np.nan)
        found[self.row_ids] = self.weights
        return found


def commonness(
    codes: Codes, *, bins: int = BINS, smoothing: float = SMOOTHING, combine: Combine = "product"
) -> Commonness:
    """How common each row is among these codes, and the weight it gets: w(x) ∝ Π_j 1 / (Q̂_j(z_j(x)) + α).

    Q̂_j is the share of rows in the bin of z_j, over `bins` bins of equal width between the 0.1 % and 99.9 % quantile
    (the outermost open), α the ``smoothing``: the larger it is, the nearer all weights are to one. Only active
    dimensions count (Var_x E[z|x] > 0.01; of a deterministic encoder all that vary): a dead one is noise, and would
    multiply noise into the weights. ``combine="maximum"`` takes the largest factor in place of the product, which
    keeps the weights within a factor (1 + α)/α of each other, whatever the number of dimensions: 101 at α = 0.01.

    Invariant to the scale, sign and order of the dimensions, not to a rotation. Codes without an active dimension
    weigh every row alike. Rare is not important: noise and mistakes are rare too, so look at the rarest rows first.

    Source: Amini et al. 2019, Uncovering and mitigating algorithmic bias through learned latent structure, eq. 4 and
    algorithm 1; the maximum is that of the authors' course software. They update the weights while training; here they
    come from a finished run.

    >>> mean = np.r_[np.zeros(90), np.ones(10)][:, None].astype("f4")
    >>> found = commonness(Codes(mean, np.full((100, 1), 0.1, "f4")))
    >>> found.weights[[0, -1]].round(2).tolist(), round(found.effective)
    ([0.58, 4.79], 39)
    """
    if len(codes) < 2:
        raise InputError(f"codes has {len(codes)} row; at least two are needed")
    check_settings(bins, smoothing)
    live = np.flatnonzero(codes.active)
    share = np.column_stack([np.empty((len(codes), 0)), *(_share(codes.mean[:, j], bins) + smoothing for j in live)])
    odds = -np.log(share)
    rarity = odds.sum(axis=1) if combine == "product" else odds.max(axis=1, initial=-np.log(1 + smoothing))
    weights = np.exp(rarity - rarity.max())
    settings: dict[str, object] = {
        "combine": combine,
        "bins": bins,
        "smoothing": smoothing,
        "dimensions": [symbol(j) for j in live.tolist()],
        "of_dimensions": codes.latent_dim,
        "rows": len(codes),
    }
    return Commonness(share, weights / weights.mean(), tuple(live.tolist()), codes.row_ids, settings)


def check_settings(bins: int, smoothing: float) -> None:
    """Raise an `InputError` for what `commonness` cannot weigh by."""
    if not 2 <= bins <= 1000 or not 0 < smoothing <= 1:
        raise InputError(f"bins is {bins} and smoothing {smoothing:g}; expected 2 to 1,000 bins, 0 < smoothing ≤ 1")


def effective_size(weights: NDArray[np.floating]) -> float:
    """Kish's effective sample size (Σw)² / Σw² of weights (n,): n for equal ones, 1 where one row has all the weight.

    >>> effective_size(np.array([1.0, 1.0, 0.0, 0.0]))
    2.0
    """
    w = np.asarray(weights, np.float64)
    return float(w.sum() ** 2 / (w**2).sum())


def _share(column: NDArray[np.floating], bins: int) -> Floats:
    """The share of rows in each row's bin (n,)."""
    low, high = np.quantile(column, TAILS)
    if low == high:
        low, high = column.min(), column.max()
    inner = np.linspace(low, high, bins + 1)[1:-1]
    place = np.searchsorted(inner, column, side="right")
    found: Floats = (np.bincount(place, minlength=bins) / len(column))[place]
    return found
