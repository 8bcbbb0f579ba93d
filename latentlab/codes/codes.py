"""Latent codes in memory: the table that every analysis reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.codes.h5ad_writer import free
from latentlab.codes.rates import active, row_rate
from latentlab.data.dataset import Factor, Rows, is_grid
from latentlab.errors import InputError

BLOCK = 65536


@dataclass(frozen=True, eq=False)
class Codes:
    """What a model's encoder made of a data set, one row per sample.

    Parameters
    ----------
    mean : array (n, d), float32
        The posterior mean.
    variance : array (n, d), optional
        The posterior variance; None for a deterministic encoder.
    factors : array (n, k), optional
        The factors of each row, as in `Dataset`: level indices or values, NaN where missing.
    specs : tuple of Factor
        What each column of ``factors`` is.
    labels : array (n,), optional
        The class of each row.
    row_ids : array (n,), optional
        The ids of the rows in their data set; 0 … n − 1 by default.
    distortion : array (n,), optional
        −log p(x|z) in nats at one posterior sample, NaN where it was not computed.
    grid : tuple of int, optional
        The levels per factor where the rows are a full grid in row-major order; None where the factors say otherwise.
    provenance : mapping
        Which model and which data the codes came from.
    label_names : tuple of str
        The names of the classes 0, 1, ….
    row_names : array (n,) of str, optional
        Texts by which the user's own tables call the rows, all different (cell barcodes, file names); None where a
        row's id is all there is.

    Raises
    ------
    InputError
        Where ``mean`` is not a matrix, or another array has not as many rows or, the variance, another shape.

    Examples
    --------
    >>> Codes(np.zeros((3, 2), np.float32), labels=np.array([0, 1, 1]))
    Codes(3 rows × 2 latent dimensions; labels)
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
    row_names: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        if getattr(self.mean, "ndim", None) != 2:
            came = getattr(self.mean, "shape", type(self.mean).__name__)
            raise InputError(f"codes are {came}; expected (rows, latent dimensions)")
        if self.row_ids is None:
            object.__setattr__(self, "row_ids", np.arange(len(self.mean), dtype=np.int64))
        for what in ("variance", "factors", "labels", "row_ids", "distortion", "row_names"):
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
    def active(self) -> NDArray[np.bool_]:
        """Which dimensions (d,) are in use: Var_x E[z|x] > 0.01; of a deterministic encoder every one that varies.

        The threshold is that of Burda et al. (2016) for a prior N(0, I). A deterministic encoder's scale is free, so
        there none means anything. The variance is over the rows at hand: of a few rows fewer dimensions may be active.

        >>> mean = np.array([[0.0, 0.0], [1.0, 0.1]], np.float32)
        >>> Codes(mean, np.ones_like(mean)).active.tolist(), Codes(mean).active.tolist()
        ([True, False], [True, True])
        """
        return active(self.mean.var(axis=0, dtype=np.float64), stochastic=self.variance is not None)

    def drawn(self, rows: int, seed: int = 0) -> NDArray[np.int64]:
        """The positions of rows chosen at random, in their order.

        Parameters
        ----------
        rows : int
            At most how many.
        seed : int, default 0
            Of the choice.

        Returns
        -------
        array (m,), int64
            Positions, all different.

        Examples
        --------
        >>> Codes(np.zeros((9, 1), np.float32)).drawn(3).tolist()
        [2, 4, 5]
        """
        return np.sort(np.random.default_rng(seed).permutation(len(self))[:rows])

    def sample(self, rows: int, seed: int = 0) -> Codes:
        """The codes of rows chosen at random, in their order.

        Parameters
        ----------
        rows : int
            At most how many.
        seed : int, default 0
            Of the choice.

        Returns
        -------
        Codes
            Those rows; all of them where they are no more.
        """
        return self if len(self) <= rows else self.take(self.drawn(rows, seed))

    @property
    def of_rows(self) -> int:
        """How many rows were encoded: more than there are here where a shared copy kept some of them."""
        return int(self.provenance.get("of_rows", len(self)))

    def positions(self, row_ids: NDArray[np.int64]) -> NDArray[np.int64]:
        """The positions of rows by their ids.

        Parameters
        ----------
        row_ids : array (m,)
            Ids.

        Returns
        -------
        array (m,), int64
            Where each stands.

        Raises
        ------
        InputError
            Where one is not there.

        Examples
        --------
        >>> Codes(np.zeros((3, 1), np.float32), row_ids=np.array([40, 10, 30])).positions(np.array([10, 40])).tolist()
        [1, 0]
        """
        places = located(self.row_ids, row_ids)
        if places is None:
            raise InputError("some rows are not among the codes; project again: `latentlab analyze … --only project`")
        return places

    def position(self, row: int | str) -> int:
        """The position of a row by its id or its name.

        Parameters
        ----------
        row : int or str
            The id, or the name; a text that no row has as its name may also be an id.

        Returns
        -------
        int
            Where it stands.

        Raises
        ------
        InputError
            Where it is not there; it says what ids or names there are.

        Examples
        --------
        >>> codes = Codes(np.zeros((2, 1), np.float32), row_ids=np.array([40, 10]), row_names=np.array(["a", "b"]))
        >>> codes.position(10), codes.position("a"), codes.position("10")
        (1, 0, 1)
        """
        return position_of(row, self.row_ids, self.row_names)

    def called(self, positions: Any) -> list[str]:
        """What rows are called: by their names where they have some, else by their ids.

        Parameters
        ----------
        positions : int, slice or array
            Where they stand.

        Returns
        -------
        list of str
            A text for each.

        Examples
        --------
        >>> Codes(np.zeros((2, 1), np.float32), row_ids=np.array([40, 10])).called([1])
        ['10']
        """
        known = self.row_ids if self.row_names is None else self.row_names
        chosen = known[positions if isinstance(positions, slice) else np.asarray(positions)]
        return [str(each) for each in np.atleast_1d(chosen).tolist()]

    def naming(self, row_id: int) -> str:
        """What the row of an id is called: its name where it has one, else its id, also where it is not among these.

        Parameters
        ----------
        row_id : int
            The id.

        Returns
        -------
        str
            The name, or the id.

        Examples
        --------
        >>> codes = Codes(np.zeros((2, 1), np.float32), row_ids=np.array([40, 10]), row_names=np.array(["a", "b"]))
        >>> codes.naming(10), codes.naming(99)
        ('b', '99')
        """
        found = np.flatnonzero(self.row_ids == row_id)
        return self.called(found[:1])[0] if len(found) else str(row_id)

    def take(self, rows: Any) -> Codes:
        """The codes of some rows alone, ids kept.

        Parameters
        ----------
        rows : slice, mask or array
            Their positions.

        Returns
        -------
        Codes
            Those rows; they are not a full grid any more.
        """
        pick = lambda array: None if array is None else array[rows]  # noqa: E731
        return replace(
            self,
            mean=self.mean[rows],
            variance=pick(self.variance),
            factors=pick(self.factors),
            labels=pick(self.labels),
            row_ids=self.row_ids[rows],
            distortion=pick(self.distortion),
            row_names=pick(self.row_names),
            grid=None,
        )

    @property
    def classes(self) -> dict[int, str]:
        """The name of each class that occurs, all different; empty where they have no names but their numbers.

        Rows without a label have none.

        >>> Codes(np.zeros((2, 1), np.float32), labels=np.array([1, 0]), label_names=("cat", "dog")).classes
        {0: 'cat', 1: 'dog'}
        """
        if self.labels is None or all(name == str(k) for k, name in enumerate(self.label_names)):
            return {}
        known: dict[int, str] = {}
        for k in np.unique(self.labels[self.labels >= 0]).tolist():
            name = self.label_names[k] if k < len(self.label_names) else str(k)
            known[k] = name if name not in known.values() else free(f"{name} ({k})", known.values())
        return known

    def class_names(self, positions: Any = slice(None)) -> list[str | None]:
        """The names of the classes of rows.

        Parameters
        ----------
        positions : slice or array
            Where the rows stand; all by default.

        Returns
        -------
        list of str or None
            A name for each, None where a row has no label or classes have no names; empty where there are no labels.

        Examples
        --------
        >>> Codes(np.zeros((2, 1), np.float32), labels=np.array([-1, 0]), label_names=("cat", "dog")).class_names()
        [None, 'cat']
        """
        known = self.classes
        return [] if self.labels is None else [known.get(k) for k in self.labels[positions].tolist()]

    def spec(self, name: str) -> Factor | None:
        """What is known of a factor.

        Parameters
        ----------
        name : str
            The factor's name; ``label`` is one where there are no others.

        Returns
        -------
        Factor or None
            None where there is none of that name.
        """
        if not self.specs and name == "label":
            return Factor("label", "categorical", self.label_names if self.classes else ())
        return next((spec for spec in self.specs if spec.name == name), None)

    def factor_names(self) -> tuple[str, ...]:
        """The factors' names.

        Returns
        -------
        tuple of str
            In the order of the columns of ``factors``.
        """
        return tuple(spec.name for spec in self.specs)

    def __repr__(self) -> str:
        known = ", ".join(self.factor_names()) or ("labels" if self.labels is not None else "no factors")
        return f"Codes({len(self):,} rows × {self.latent_dim} latent dimensions; {known})"


def position_of(row: int | str, row_ids: NDArray[np.int64], row_names: NDArray[np.str_] | None) -> int:
    """The position of the row with that id or name among the rows (n,) of those ids and names."""
    names = row_names if isinstance(row, str) else None
    if names is not None and len(found := np.flatnonzero(names == row)):
        return int(found[0])
    known = not isinstance(row, str) or re.fullmatch(r"\d{1,18}", row)
    if known and len(found := np.flatnonzero(row_ids == int(row))):
        return int(found[0])
    if names is not None:
        raise InputError(f"no row is called {row!r:.42}; these are {len(names):,} rows, such as {names[0][:40]!r}")
    raise InputError(f"no row has the id {row!s:.40}; ids go from {row_ids.min()} to {row_ids.max()}")


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
