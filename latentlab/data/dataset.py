"""Samples with what is known of them: factors, labels, row ids, splits, provenance."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from latentlab.data._fingerprint import Known, digest, of_rows
from latentlab.data._pixels import Typed
from latentlab.data._typed import factors_of, ids_of, labels_of, names_of
from latentlab.data.kinds import Form, image_form
from latentlab.errors import InputError

FactorKind = Literal["categorical", "ordinal", "continuous", "circular"]
TURNS = (2 * np.pi, 360.0, 1.0)  # a whole turn in radians, degrees and turns
KNOWN = {"factors": factors_of, "labels": labels_of, "row_ids": ids_of, "row_names": names_of}
Rows = NDArray[np.int64]
Images = NDArray[np.uint8]
Samples = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Factor:
    """One ground-truth factor of variation: a column of `Dataset.factors`.

    Parameters
    ----------
    name : str
        The factor's name.
    kind : {"categorical", "ordinal", "continuous", "circular"}
        How its values relate: without order, in ordered levels, as numbers, or in an order in which the last meets the
        first.
    values : tuple of float or str
        The name or value of each level where the column holds level indices 0 … len(values) − 1; empty where the column
        holds values themselves.

    Examples
    --------
    >>> Factor("shape", values=("square", "heart")).levels
    2
    """

    name: str
    kind: FactorKind = "categorical"
    values: tuple[float | str, ...] = ()

    @property
    def levels(self) -> int:
        """How many levels there are; 0 where the column holds values themselves."""
        return len(self.values)


def angles(factor: Factor, column: NDArray[np.float64]) -> NDArray[np.float64]:
    """A circular factor's column of `Dataset.factors` in radians, whatever the unit of its values; NaN where missing.

    Levels are evenly spaced round the circle, the last one step before the first; where the values of first and last
    lie a whole turn apart (2π, 360 or 1) they are one place. A column of values themselves is in radians.

    >>> angles(Factor("azimuth", "circular", (0, 90, 180, 270)), np.array([0.0, 1, 3])).round(2).tolist()
    [0.0, 1.57, 4.71]
    """
    if not factor.levels:
        return column
    first, last = factor.values[0], factor.values[-1]
    named = isinstance(first, str) or isinstance(last, str)
    closed = not named and any(np.isclose(float(last) - float(first), turn) for turn in TURNS)
    return np.asarray(2 * np.pi * column / (factor.levels - int(closed)))


@dataclass(frozen=True, eq=False)
class Dataset:
    """Samples (n, *shape) of one `Form`, by default images (n, c, h, w) in uint8, and what is known of each row.

    ``data[rows]`` reads samples (k, *shape) at an int, a slice, a mask or an index array.

    Parameters
    ----------
    name : str
        What the data are called.
    shape : tuple of int
        (n, *shape).
    read : callable
        Takes int64 row positions (k,) and returns samples (k, *shape). What it returns is checked: of images in bytes,
        bool and float in [0, 1] become uint8 as in arrays, anything else is an `InputError`; samples of another form
        are numbers of the dtype that it names.
    factors : array (n, k), float64, optional
        Level indices or values, NaN where missing.
    specs : tuple of Factor
        What each column of ``factors`` is.
    labels : array (n,), optional
        The class of each row.
    label_names : tuple of str
        The names of the classes 0, 1, ….
    row_ids : array (n,), optional
        Stable ids: a row keeps its id in every subset. 0 … n − 1 by default.
    grid : tuple of int, optional
        The levels per factor where the rows are the full grid of all combinations in row-major order; where ``factors``
        say otherwise it becomes None.
    splits : mapping of str to range
        Published parts as ranges of rows.
    source : mapping
        Where the samples came from; it goes into the codes made of them.
    spec : str
        What `load` was given, where it was.
    remarks : tuple of str
        Sentences on what was assumed or skipped as the data were read.
    form : Form, optional
        What one sample is; an image in bytes by default.
    row_names : array (n,) of str, optional
        The names by which other tables know the rows, as cells have barcodes.

    Raises
    ------
    InputError
        Where the shape does not belong to the form, or factors, labels or ids are no such arrays.

    Examples
    --------
    >>> images = np.zeros((4, 1, 8, 8), np.uint8)
    >>> data = Dataset("black", images.shape, images.__getitem__, labels=np.array([0, 0, 1, 1]))
    >>> data, data[1:3].shape
    (Dataset('black': 4 images 1×8×8; labels), (2, 1, 8, 8))
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[Rows], Samples]
    factors: NDArray[np.float64] | None = None
    specs: tuple[Factor, ...] = ()
    labels: NDArray[np.int64] | None = None
    label_names: tuple[str, ...] = ()
    row_ids: Rows = field(default=None)  # type: ignore[arg-type]
    grid: tuple[int, ...] | None = None
    splits: Mapping[str, range] = field(default_factory=dict)
    source: Mapping[str, Any] = field(default_factory=dict)
    spec: str = ""
    remarks: tuple[str, ...] = ()
    form: Form = None  # type: ignore[assignment]
    row_names: NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        wanted = 4 if self.form is None else 1 + self.form.ndim
        if not isinstance(self.name, str) or not isinstance(self.shape, tuple) or len(self.shape) != wanted:
            came = f"name {self.name!r:.40} and shape {self.shape!r:.40}"
            kind = "(n, channels, height, width)" if wanted == 4 else f"(n, {self.form.size})"
            raise InputError(f"a data set has {came}; expected a text and {kind}, or name its form")
        if self.form is None:
            object.__setattr__(self, "form", image_form(self.shape[1:]))
        if self.shape[1:] != self.form.shape:
            raise InputError(f"{self.name}: samples have shape {self.shape[1:]}, but their form is {self.form.size}")
        if self.row_ids is None:
            object.__setattr__(self, "row_ids", np.arange(len(self), dtype=np.int64))
        for what, typed in KNOWN.items():
            if (given := getattr(self, what)) is not None:
                object.__setattr__(self, what, typed(self.name, given, len(self)))
        for what, array in (
            ("factors", self.factors),
            ("labels", self.labels),
            ("row_ids", self.row_ids),
            ("row_names", self.row_names),
        ):
            if array is not None and len(array) != len(self):
                raise InputError(
                    f"{self.name}: {what} has {len(array)} rows but there are {len(self)} {self.form.plural}"
                )
        if not all(isinstance(spec, Factor) for spec in self.specs):
            raise InputError(f"{self.name}: specs hold something else than ll.data.Factor; expected one a factor")
        names = [spec.name for spec in self.specs]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise InputError(f"{self.name}: two factors are called {twice[:60]!r}; name each once")
        if self.factors is not None and self.factors.shape[1] != len(self.specs):
            raise InputError(
                f"{self.name}: factors has {self.factors.shape[1]} columns but {len(self.specs)} factors are described"
            )
        if not isinstance(self.read, Known | Typed):
            object.__setattr__(self, "read", Typed(self.read, self.name, self.form))
        if not is_grid(self.grid, len(self), self.factors):
            object.__setattr__(self, "grid", None)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any) -> Samples:
        """Samples (k, *shape) at those row positions (an int, a slice, a mask or an index array)."""
        positions = np.arange(len(self), dtype=np.int64)[rows]
        return self.read(np.atleast_1d(positions))

    @cached_property
    def fingerprint(self) -> dict[str, str]:
        """What the data are, whatever they are called: SHA-256 hashes of ``images``, ``factors`` and ``labels``.

        ``images`` covers every number of every sample, what its columns are, and the row ids, ``factors`` the values,
        names, kinds and levels, ``labels`` the numbers and the class names; what a data set does not have is an empty
        text. All samples are read once, a block at a time, unless they are known by the bytes of their files or by how
        they are drawn.
        """
        known = self.read.digest() if isinstance(self.read, Known) else of_rows(self.read, self.shape)
        factors = "" if self.factors is None else _of_factors(self.factors, self.specs, self.grid)
        labels = "" if self.labels is None else digest(np.asarray(self.labels, np.int64), *self.label_names)
        form = () if self.form.bytes else (self.form.kind, self.form.names, self.form.columns, self.form.axis)
        return {"images": digest(known, self.shape, self.row_ids, *form), "factors": factors, "labels": labels}

    def take(self, rows: Any, name: str | None = None) -> Dataset:
        """The data set of some rows alone, ids kept.

        Parameters
        ----------
        rows : int, slice, mask or array
            Their positions.
        name : str, optional
            What it is called; by default as this one.

        Returns
        -------
        Dataset
            Those rows; it is not a full grid any more unless it is all rows in order.
        """
        positions = np.atleast_1d(np.arange(len(self), dtype=np.int64)[rows])
        whole = len(positions) == len(self) and bool((positions == np.arange(len(self))).all())
        return replace(
            self,
            name=name or self.name,
            shape=(len(positions), *self.form.shape),
            read=self.read if whole else self._reader(positions),
            factors=None if self.factors is None else self.factors[positions],
            labels=None if self.labels is None else self.labels[positions],
            row_ids=self.row_ids[positions],
            row_names=None if self.row_names is None else self.row_names[positions],
            grid=self.grid if whole else None,
            splits=self.splits if whole else {},
            spec=self.spec if whole else "",
        )

    def _reader(self, positions: Rows) -> Callable[[Rows], Samples]:
        return self.read.take(positions) if isinstance(self.read, Known) else lambda rows: self.read(positions[rows])

    @cached_property
    def _parts(self) -> dict[str, Dataset]:
        """The parts that were asked for: each keeps its fingerprint."""
        return {}

    def split(self, name: str) -> Dataset:
        """One published part of the data.

        Parameters
        ----------
        name : str
            ``train``, ``test``, …, or ``all`` for everything.

        Returns
        -------
        Dataset
            That part, ids kept.

        Raises
        ------
        InputError
            Where there is no such part.
        """
        if name == "all":
            return self
        if name in self._parts:
            return self._parts[name]
        if name not in self.splits:
            known = ", ".join([*self.splits, "all"])
            raise InputError(f"{self.name} has no split {name!r}; it has: {known}")
        part = self.splits[name]
        self._parts[name] = self.take(slice(part.start, part.stop), name=f"{self.name}:{name}")
        return self._parts[name]

    def __repr__(self) -> str:
        known = ", ".join(spec.name for spec in self.specs) or ("labels" if self.labels is not None else "no factors")
        return f"Dataset({self.name!r}: {self.form.described(len(self))}; {known})"


def is_grid(grid: Any, rows: int, factors: NDArray[np.floating] | None = None) -> bool:
    """Whether that many rows, with these factors (n, k), can be all combinations of `grid` levels in row-major order.

    Each factor must have one value per level of its axis, whatever the levels of the others are.

    >>> is_grid((2, 2), 4, np.array([[0, 0], [0, 1], [1, 0], [1, 1]])), is_grid((2, 2), 4, np.eye(4)[:, :2])
    (True, False)
    """
    if grid is None:
        return True
    if min(grid, default=0) < 1 or int(np.prod(grid, dtype=object)) != rows:
        return False
    if factors is None:
        return True
    if factors.shape[1] != len(grid):
        return False
    for axis, column in enumerate(factors.T):
        levels = np.moveaxis(column.reshape(grid), axis, 0).reshape(grid[axis], -1)
        if not (levels == levels[:, :1]).all() or len(np.unique(levels[:, 0])) < grid[axis]:
            return False
    return True


def labelled(labels: NDArray[np.int64], names: Sequence[str] = ()) -> NDArray[np.bool_]:
    """Which rows (n,) have a label. −1 says that a row has none where the other labels count up from 0, or are 1, 2, ….

    It is a class as good as any where that is not so: two classes called −1 and 1, ratings from −2 to 2. Where classes
    have names, these are those of 0, 1, …, also among rows that have none of the first class.

    >>> labelled(np.array([-1, 0, 1])).tolist(), labelled(np.array([-1, 1, 1])).tolist()
    ([False, True, True], [True, True, True])
    >>> labelled(np.array([-1, 1, 1]), ["cat", "dog"]).tolist()
    [False, True, True]
    """
    if len(names):
        return labels >= 0
    known = labels != -1
    others = np.unique(labels[known])
    from_one = len(others) > 1 and np.array_equal(others, np.arange(1, len(others) + 1))
    return known if not len(others) or others[0] == 0 or from_one else np.ones(len(labels), bool)


def _of_factors(factors: NDArray[np.float64], specs: tuple[Factor, ...], grid: tuple[int, ...] | None) -> str:
    levels = None if grid is None else tuple(map(int, grid))
    return digest(np.asarray(factors, np.float64), *map(_described, specs), levels)


def _described(factor: Factor) -> str:
    values = (value if isinstance(value, str) else float(value) for value in factor.values)
    return repr((factor.name, factor.kind, *values))


def check_ids(data: Dataset) -> None:
    """Raise an `InputError` where two rows have one id, by which codes, weights and other tables find them."""
    ids = np.sort(data.row_ids)
    if (twice := ids[1:] == ids[:-1]).any():
        raise InputError(
            f"{data.name}: row_ids has {int(ids[1:][twice][0])} more than once ({int(twice.sum()):,} repeats); "
            "expected an id of its own for each row"
        )


def check_form(data: Dataset, form: Form, whose: str) -> None:
    """Raise an `InputError` where samples are of another form than `whose`: ``RUN was trained on``."""
    if data.form.same(form):
        return
    if (data.form.kind, data.form.shape) == (form.kind, form.shape):
        here, there = (each.names + each.columns for each in (data.form, form))
        first = next((pair for pair in zip(here, there, strict=False) if pair[0] != pair[1]), ("others", "others"))
        raise InputError(f"{data.name} has {first[0][:40]} where {whose} {first[1][:40]}; put columns in that order")
    mend = "choose other --data"
    mend += f", or resize them: PATH:size={form.shape[-1]}" if form.kind == data.form.kind == "image" else ""
    raise InputError(f"{data.name} has {data.form.described()}, but {whose} {form.described()}; {mend}")
