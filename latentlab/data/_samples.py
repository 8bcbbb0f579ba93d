"""Arrays of samples that are no bytes: which kind they are, how their axes lie, and what is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._axes import layout, signals
from latentlab.data._names import readable
from latentlab.data._pixels import ROUND_OFF
from latentlab.data.kinds import Form
from latentlab.errors import InputError

AXIS, AXIS_UNIT, UNIT, KIND, CHANNELS = "axis", "axis_unit", "unit", "kind", "channel_names"
DESCRIBING = (AXIS, AXIS_UNIT, UNIT, KIND, CHANNELS)
NARROW = 16  # a picture of floats is not that many times as long as it is high
LOST = 1e-3  # of a level of 255: what float16 and float32 lose of bytes is less
EXACT = 24  # bits of a whole number that float32 holds


@dataclass(frozen=True)
class Wish:
    """What a specification asks of an array: each is empty where it says nothing.

    ``kind`` is image or signal, ``axes`` the order of its axes, ``stored`` the dtype in which values are kept,
    ``stretch`` a curve before the model's scale, ``colours`` the channels (from 1) that a picture shows.
    """

    axes: str = ""
    kind: str = ""
    stored: str = ""
    stretch: str = ""
    colours: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, (self.axes, self.kind, self.stored))) if self.kind or self.stored else self.axes


@dataclass(frozen=True)
class Laid:
    """The form of an array's samples, and how a block of it is transposed to them (None: an axis is added)."""

    form: Form
    order: tuple[int, ...] | None
    remarks: tuple[str, ...] = ()


def kind_for(path: Path, samples: Any, described: Mapping[str, Any], wish: Wish) -> str:
    """The kind of an array's samples: as it was asked for, as it is told next to the array, or as it looks."""
    kind = wish.kind or word(described, KIND) or _kind(path, samples, described)
    if kind not in LAYOUTS:
        raise InputError(f"{path}: kind={kind[:20]} is not read from an array; expected {' or '.join(LAYOUTS)}")
    if samples.dtype.kind not in "fiub":
        raise InputError(f"{path}: {kind}s are {samples.dtype}; expected numbers: convert them first")
    return kind


def laid(path: Path, samples: Any, kind: str, described: Mapping[str, Any], wish: Wish) -> Laid:
    """How samples that are not pictures in bytes are read."""
    if 0 in samples.shape or not samples.shape:
        raise InputError(f"{path}: {kind}s have shape {tuple(samples.shape)}, so there are none; expected at least one")
    return LAYOUTS[kind](path, samples, described, wish)


def _kind(path: Path, samples: Any, described: Mapping[str, Any]) -> str:
    """The kind, where that is plain from what comes with the array or from its shape; an `InputError` asks else."""
    if AXIS in described:
        return "signal"
    shape, numeric = tuple(samples.shape), samples.dtype.kind in "fiu"
    if len(shape) == 2 and numeric:
        raise InputError(
            f"{str(path)[-40:]}: samples have shape {shape}; expected (n, h, w) of images, or their kind: say "
            "kind=signal, as in FILE:kind=signal"
        )
    narrow = len(shape) == 3 and max(shape[1:]) >= NARROW * min(shape[1:])
    if narrow and samples.dtype.kind in "fi":
        raise InputError(
            f"{str(path)[-40:]}: samples have shape {shape} of {samples.dtype}; signals (n, channels, points) or "
            "images? say kind=signal or kind=image, as in FILE:kind=signal"
        )
    return "image"


def in_bytes(samples: Any, wish: Wish, first: NDArray[Any]) -> bool:
    """Whether pictures are kept as 8 bits: uint8, flags, floats in [0, 1], or because it was asked for."""
    if wish.stretch or wish.stored:
        return wish.stored == "uint8"
    if samples.dtype in (np.uint8, np.bool_):
        return True
    if samples.dtype.kind != "f" or not first.size:
        return False
    finite = first[np.isfinite(first)]
    return bool(not finite.size or (finite.min() >= -ROUND_OFF and finite.max() <= 1 + ROUND_OFF))


def rounded(first: NDArray[Any]) -> tuple[str, ...]:
    """A sentence where floats in [0, 1] are no multiples of 1/255, and so lose something as bytes; none elsewhere.

    >>> rounded(np.array([0, 128 / 255])), len(rounded(np.array([0.3])))
    ((), 1)
    """
    if first.dtype.kind != "f" or not first.size:
        return ()
    levels = np.nan_to_num(first.astype(np.float64)) * 255
    lost = float(np.abs(levels - levels.round()).max()) / 255
    if lost * 255 < LOST:
        return ()
    return (f"floats in [0, 1] are rounded to 256 levels, by up to {lost:.2g}; stored=float32 keeps them as they are",)


def _signal(path: Path, samples: Any, described: Mapping[str, Any], wish: Wish) -> Laid:
    axis = numbers(path, described, AXIS)
    shape = tuple(samples.shape)
    letters = signals(path, shape, wish.axes, len(axis))
    order = tuple(letters.index(each) for each in "nct" if each in letters)
    sizes = [shape[place] for place in order]
    size = (1, sizes[1]) if len(sizes) == 2 else (sizes[1], sizes[2])
    form = Form(
        "signal",
        size,
        stored_as(path, samples.dtype, wish),  # type: ignore[arg-type]
        stretch=stretch_of(path, wish),  # type: ignore[arg-type]
        names=words(path, described, CHANNELS),
        axis=axis,
        axis_unit=word(described, AXIS_UNIT),
        unit=word(described, UNIT),
    )
    told = f"shape {shape} read as {form.described(sizes[0])}, axes {letters}"
    return Laid(form, order, () if len(sizes) == 2 and letters == "nt" else (told,))


def _image(path: Path, samples: Any, described: Mapping[str, Any], wish: Wish) -> Laid:
    (_, *shape), order = layout(path, samples, wish.axes)
    form = Form(
        "image",
        tuple(shape),
        stored_as(path, samples.dtype, wish),  # type: ignore[arg-type]
        stretch=stretch_of(path, wish),  # type: ignore[arg-type]
        names=words(path, described, CHANNELS),
        unit=word(described, UNIT),
        colours=wish.colours,
    )
    return Laid(form, order)


LAYOUTS: Mapping[str, Callable[[Path, Any, Mapping[str, Any], Wish], Laid]] = {"image": _image, "signal": _signal}


def stored_as(path: Path, dtype: np.dtype[Any], wish: Wish) -> str:
    """The dtype that holds such numbers exactly, or the one that was asked for."""
    if wish.stored:
        if wish.stored not in ("float32", "float64"):
            raise InputError(f"{path}: stored={wish.stored[:20]} is not possible here; expected float32 or float64")
        return wish.stored
    small = dtype.itemsize <= 4 if dtype.kind == "f" else dtype.itemsize * 8 <= EXACT
    return "float32" if small else "float64"


def stretch_of(path: Path, wish: Wish) -> str:
    """The curve that was asked for."""
    if wish.stretch not in ("", "linear", "asinh", "log1p"):
        raise InputError(f"{path}: stretch={wish.stretch[:20]} is not known; expected linear, asinh or log1p")
    return wish.stretch or "linear"


def word(described: Mapping[str, Any], key: str) -> str:
    """One word that comes with an array: a unit, a kind; empty where there is none."""
    if key not in described:
        return ""
    found = np.asarray(described[key][()] if hasattr(described[key], "shape") else described[key]).ravel()
    return str(readable(found.tolist())[0]) if len(found) else ""


def words(path: Path, described: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Names that come with an array: of its channels."""
    if key not in described:
        return ()
    found = np.asarray(described[key][...])
    if found.ndim != 1:
        raise InputError(f"{path}: {key} has shape {found.shape}; expected one name for each")
    return tuple(map(str, readable(found.tolist())))


def numbers(path: Path, described: Mapping[str, Any], key: str) -> tuple[float, ...]:
    """Numbers that come with an array: the points of its axis."""
    if key not in described:
        return ()
    found = np.asarray(described[key][...])
    if found.ndim != 1 or found.dtype.kind not in "fiu" or not np.isfinite(found).all():
        raise InputError(f"{path}: {key} is {found.dtype} {found.shape}; expected finite numbers (points,)")
    return tuple(map(float, found))
