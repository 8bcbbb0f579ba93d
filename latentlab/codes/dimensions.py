"""What each latent dimension holds: its KL, whether it is in use, and the factor it knows most about.

The table that the figures and the dashboard read. Everything is read from codes; nothing is decoded.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.codes import BLOCK, Codes
from latentlab.codes.labels import as_factor
from latentlab.codes.rates import ACTIVE, active, rate_parts
from latentlab.codes.symbols import symbol, symbols
from latentlab.data.dataset import FactorKind
from latentlab.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

ROWS = 20_000
BINS = 20
DRAWS = 20
FLOOR = 0.06  # a smaller share of a factor's entropy is negligible, however certain


def dimensions(
    codes: Codes, *, notes: Mapping[str, Any] | None = None, rows: int = ROWS, draws: int = DRAWS, seed: int = 0
) -> pd.DataFrame:
    """One row per latent dimension, the most important first: by KL, or by variance where there is no KL.

    ``dim`` is the name (``z0``), ``index`` the position; ``kl`` = ``kl_mean_part`` + ``kl_variance_part`` in nats, the
    means over all rows of ½μ² and ½(σ² − 1 − log σ²); ``variance_of_mean`` is Var_x E[z|x], ``share`` its share of the
    sum; ``active`` is Var > 0.01. A deterministic encoder has neither KL nor a scale, so there ``kl`` and ``active``
    are missing and the order is that of the variance.

    ``top_factor`` is the factor that the dimension knows most about, ``mi`` that mutual information over the factor's
    entropy, both less what permuted factors have (`beyond`), in [0, 1], from `BINS` equal-width bins on at most `rows`
    seeded rows; ``mi_low`` and ``mi_high`` bound
    its 95 % interval over redraws of the rows. It is missing where the information does not exceed what permuted
    factors reach (95 % of them), or exceeds their mean by less than `FLOOR`. Data without factors but with labels
    count the label as one.

    ``name`` and ``note`` are the user's (`Run.notes`), or the name is one that the dimension earned (`Run.named`);
    ``named_by`` is ``user`` or ``detection``, and empty where there is no name. ``attrs`` says what the table was
    ranked by and made from. An inactive dimension has no top factor either: what its mean still shows drowns in the
    posterior's noise.

    Do not read a high ``mi`` as disentanglement: several dimensions may know the same factor.

    >>> rng = np.random.default_rng(0)
    >>> mean = np.c_[rng.normal(size=500) * 0.01, rng.normal(size=500)].astype("f4")
    >>> dimensions(Codes(mean, np.full((500, 2), 0.5, "f4")))[["dim", "active"]].values.tolist()
    [['z1', True], ['z0', False]]
    """
    import pandas as pd

    if len(codes) < 2:
        raise InputError(f"codes has {len(codes)} row; a table of dimensions needs at least two")
    d, moments = codes.latent_dim, _moments(codes)
    table = pd.DataFrame(
        {
            "dim": symbols(d),
            "index": range(d),
            **moments,
            **_top_factors(codes, rows, draws, seed),
        }
    )
    table = with_names(table, notes or {})
    table["active"] = table["active"].astype("boolean")
    silent = ~table["active"].fillna(True).to_numpy(bool)
    table.loc[silent, ["mi", "mi_low", "mi_high"]] = np.nan
    table.loc[silent, "top_factor"] = None
    by = "kl" if codes.variance is not None else "variance_of_mean"
    table = table.sort_values([by, "index"], ascending=[False, True], kind="stable").reset_index(drop=True)
    table.attrs |= {
        "ranked_by": "KL" if by == "kl" else "variance of the code",
        "active": f"Var_x E[z|x] > {ACTIVE}" if by == "kl" else "undefined: a deterministic encoder's scale is free",
        "rows": min(rows, len(codes)),
        "of_rows": codes.of_rows,
        "seed": seed,
        "factors": list(factors_of(codes)[1]),
    }
    return table


def with_names(table: pd.DataFrame, notes: Mapping[str, Any]) -> pd.DataFrame:
    """A table of dimensions with the names and notes in `notes` (`Run.notes`, `Run.named`) and whose a name is."""
    named = notes.get("dimensions", {})
    entries = [named.get(str(j), {}) for j in table["index"]]
    given = {what: [each.get(what, "") for each in entries] for what in ("name", "note")}
    return table.assign(**given, named_by=[_named_by(each) for each in entries])


def _named_by(entry: Mapping[str, Any]) -> str:
    return "" if not entry.get("name") else "detection" if entry.get("earned") else "user"


def clearest(table: pd.DataFrame) -> pd.DataFrame:
    """The active dimensions of a table: those that the user named, then by mutual information with their factor."""
    some = table[table["active"].fillna(True).astype(bool)]
    some = some.assign(_own=some["named_by"] == "user")
    order = some.sort_values(["_own", "mi"], ascending=False, kind="stable", na_position="last")
    return order.drop(columns="_own")


def _moments(codes: Codes) -> dict[str, Any]:
    starts, middle = range(0, len(codes), BLOCK), codes.mean.mean(axis=0, dtype=np.float64)
    variance = sum(np.square(codes.mean[s : s + BLOCK] - middle).sum(axis=0) for s in starts) / len(codes)
    found = {"variance_of_mean": variance, "share": variance / variance.sum() if variance.any() else variance}
    if codes.variance is None:
        missing = np.full(codes.latent_dim, np.nan)
        return dict.fromkeys(("kl", "kl_mean_part", "kl_variance_part"), missing) | found | {"active": None}
    sums = [
        [p.sum(axis=0) for p in rate_parts(codes.mean[s : s + BLOCK], codes.variance[s : s + BLOCK])] for s in starts
    ]
    centred, width = np.sum(sums, axis=0) / len(codes)
    return (
        {"kl": centred + width, "kl_mean_part": centred, "kl_variance_part": width}
        | found
        | {"active": active(variance, stochastic=True)}
    )


def factors_of(codes: Codes) -> tuple[Floats, tuple[str, ...], tuple[FactorKind, ...]]:
    """The factors that vary: columns (n, k), names and kinds; the label is one where there are no others."""
    if codes.factors is not None and codes.specs:
        names, kinds, columns = codes.factor_names(), tuple(s.kind for s in codes.specs), codes.factors
    elif codes.labels is not None:
        names, kinds, columns = ("label",), ("categorical",), as_factor(codes.labels, codes.label_names)
    else:
        return np.empty((len(codes), 0)), (), ()
    kept = [k for k in range(columns.shape[1]) if len(np.unique(columns[~np.isnan(columns[:, k]), k])) > 1]
    return columns[:, kept], tuple(names[k] for k in kept), tuple(kinds[k] for k in kept)


@dataclass(frozen=True, eq=False)
class Knowledge:
    """Mutual information over the factor's entropy (d, k), in [0, 1], from ``rows`` of ``of_rows``.

    ``normalised`` is that `beyond` chance, ``plain`` as MIG has it: with what few rows seem to tell.
    """

    normalised: Floats
    plain: Floats
    factors: tuple[str, ...]
    rows: int
    of_rows: int


def knowledge(codes: Codes, *, rows: int = ROWS, seed: int = 0) -> Knowledge:
    """What each latent dimension knows of each factor on at most `rows` seeded rows: I(z_j; v_k) / H(v_k) `beyond`."""
    some = codes.sample(rows, seed)
    columns, names, kinds = factors_of(some)
    plain = _normalised(some.mean, columns, kinds)
    shares = beyond(plain, chance(codes, rows=rows, seed=seed)) if names else plain
    return Knowledge(shares, plain, names, len(some), codes.of_rows)


def chance(codes: Codes, *, rows: int = ROWS, seed: int = 0) -> Floats:
    """What the dimensions seem to know of permuted factors (d, k), on average over draws, on at most `rows` rows.

    Bins and levels that few rows fill tell each other apart by themselves: of 30 known rows most of the entropy.
    """
    some, rng = codes.sample(rows, seed), np.random.default_rng(seed)
    columns, _, kinds = factors_of(some)
    return np.asarray(_permuted(some.mean, columns, kinds, DRAWS, rng).mean(axis=0))


def beyond(shares: Floats, chances: Floats) -> Floats:
    """Shares of a factor's entropy corrected for chance: (share − chance) / (1 − chance), in [0, 1].

    The adjusted mutual information of Vinh et al. (2010), with the factor's entropy as the upper bound.

    >>> beyond(np.array([0.75, 0.5, 1.0]), np.array([0.5, 0.6, 0.5])).tolist()
    [0.5, 0.0, 1.0]
    """
    return np.asarray(np.clip((shares - chances) / np.maximum(1 - chances, np.finfo(float).eps), 0, 1))


def entropies(codes: Codes) -> dict[str, float]:
    """The entropy of each varying factor in nats, over all rows."""
    from latentlab.metrics._arrays import levels_of
    from latentlab.metrics._information import entropy

    columns, names, kinds = factors_of(codes)
    levels = [levels_of(column, kind, BINS)[0] for column, kind in zip(columns.T, kinds, strict=True)]
    return {
        name: float(entropy(np.bincount(each[each >= 0]), axis=0)) for name, each in zip(names, levels, strict=True)
    }


def _normalised(mean: NDArray[Any], columns: Floats, kinds: tuple[FactorKind, ...]) -> Floats:
    from latentlab.metrics._information import information

    if columns.shape[1] == 0:
        return np.empty((mean.shape[1], 0))
    found = information(mean, columns, BINS, kinds)
    return _shares(found.mutual, found.factor)


def _shares(mutual: NDArray[Any], entropy: NDArray[Any]) -> Floats:
    """Mutual information (…, d, k) over the factors' entropy (…, k); 0 of a factor that has none."""
    return mutual / np.where(entropy > 0, entropy, np.inf)[..., None, :]


def _top_factors(codes: Codes, rows: int, draws: int, seed: int) -> dict[str, Any]:
    """Columns ``top_factor``, ``mi``, ``mi_low`` and ``mi_high``, one entry per dimension."""
    some, rng, d = codes.sample(rows, seed), np.random.default_rng(seed), codes.latent_dim
    columns, names, kinds = factors_of(some)
    if not names or not draws:
        missing = np.full(d, np.nan)
        return {"top_factor": None} | dict.fromkeys(("mi", "mi_low", "mi_high"), missing)
    found, excess, least = _beyond_chance(some.mean, columns, kinds, draws, rng)
    each, top = np.arange(d), excess.argmax(axis=1)
    known = excess[each, top] > least
    spread = _spread(codes, len(some), names, draws, rng)[each, top]
    mi = found[each, top]
    half = 1.96 * spread * np.where(mi > 0, mi / np.maximum(excess[each, top], np.finfo(float).eps), 1)  # in its scale
    return {
        "top_factor": [names[k] if ok else None for k, ok in zip(top, known, strict=True)],
        "mi": np.where(known, mi, np.nan),
        "mi_low": np.where(known, np.clip(mi - half, 0, 1), np.nan),
        "mi_high": np.where(known, np.clip(mi + half, 0, 1), np.nan),
    }


def second_factors(codes: Codes, top: Sequence[str | None], *, rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """The factor that each dimension knows most of besides its top one, judged as `dimensions` judges that.

    One row per dimension, in the order of the dimensions, with ``second_factor`` and ``second_mi``; `top` has the top
    factors, and a dimension without one has no second one either.
    """
    import pandas as pd

    some = codes.sample(rows, seed)
    columns, names, kinds = factors_of(some)
    second: list[tuple[str | None, float]] = [(None, math.nan)] * codes.latent_dim
    if len(names) > 1:
        found, excess, least = _beyond_chance(some.mean, columns, kinds, DRAWS, np.random.default_rng(seed))
        for j, first in enumerate(top):
            others = np.where([name == first for name in names], -np.inf, excess[j])
            k = int(others.argmax())
            if first is not None and others[k] > least[j]:
                second[j] = names[k], float(found[j, k])
    return pd.DataFrame(second, columns=["second_factor", "second_mi"])


def _beyond_chance(
    mean: NDArray[Any], columns: Floats, kinds: tuple[FactorKind, ...], draws: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Information `beyond` chance (d, k), by how much it exceeds that of permuted factors, and what has to be exceeded
    (d,).

    What permuted factors reach differs by factor: most where few rows are known, or values many.
    """
    found = _normalised(mean, columns, kinds)
    null = _permuted(mean, columns, kinds, draws, rng)
    by_chance = null.mean(axis=0)
    reached = np.quantile((null - by_chance).max(axis=2), 0.95, axis=0)
    return beyond(found, by_chance), found - by_chance, np.maximum(reached, FLOOR)


def _permuted(
    mean: NDArray[Any], columns: Floats, kinds: tuple[FactorKind, ...], draws: int, rng: np.random.Generator
) -> Floats:
    """Normalised information (draws, d, k) with the factors in other orders of their rows."""
    from latentlab.metrics._information import permuted

    orders = [rng.permutation(len(mean)) for _ in range(draws)]
    mutual, entropies = permuted(mean, columns, BINS, kinds, orders)
    return _shares(mutual.astype(np.float64), entropies.astype(np.float64))


def _spread(codes: Codes, used: int, names: tuple[str, ...], draws: int, rng: np.random.Generator) -> Floats:
    """Standard deviation (d, k) of the normalised information of `used` rows, from redraws with all recomputed.

    A draw of m of n rows without replacement varies by σ²(1/m − 1/n), an estimate from `used` rows by σ²/used. Drawing
    with replacement instead would repeat rows, which plug-in information takes for knowledge.
    """
    from latentlab.metrics._information import counted, together

    columns, known, kinds = factors_of(codes)
    kept = [known.index(name) for name in names]
    columns, kinds = columns[:, kept], tuple(kinds[k] for k in kept)
    n = len(codes)
    m = max(1, min(used, n // 2))
    drawn = (rng.choice(n, m, replace=False) for _ in range(draws))
    counts = [counted(codes.mean[rows], columns[rows], BINS, kinds) for rows in drawn]
    mutual, entropies = together(counts)
    found = _shares(mutual.astype(np.float64), entropies.astype(np.float64))
    return found.std(axis=0, ddof=1) * np.sqrt((1 / used) / (1 / m - 1 / n))


def response(codes: Codes, factor: str, *, rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """How each latent dimension responds to a factor: mean and spread of the code at every value of it.

    One row a (dimension, value): ``dim``, ``index``, ``value`` (level or value of the factor), ``mean``, ``sd``,
    ``rows``. A flat curve does not mean that a dimension knows nothing of the factor: it may know it together with
    another.
    """
    import pandas as pd

    from latentlab.metrics._arrays import levels_of

    some = codes.sample(rows, seed)
    columns, names, kinds = factors_of(some)
    if factor not in names:
        raise InputError(f"the codes have no varying factor {factor!r}; they have: {', '.join(names) or 'none'}"[:200])
    column, kind = columns[:, names.index(factor)], kinds[names.index(factor)]
    levels, _ = levels_of(column, kind, BINS)
    found = []
    for level in np.unique(levels[levels >= 0]):
        here = levels == level
        block, value = some.mean[here].astype(np.float64), float(column[here].mean())
        found += [
            {"dim": symbol(j), "index": j, "value": value, "mean": m, "sd": s, "rows": int(here.sum())}
            for j, (m, s) in enumerate(zip(block.mean(axis=0), block.std(axis=0), strict=True))
        ]
    return pd.DataFrame(found)
