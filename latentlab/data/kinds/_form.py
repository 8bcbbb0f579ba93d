"""The form of a sample: what it is, and how its stored values become a model's input and back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import ModuleType
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from latentlab.errors import InputError
from latentlab.system import registry
from latentlab.system.numbers import percent

Samples = NDArray[Any]
Stored = Literal["uint8", "int32", "float32", "float64"]
Stretch = Literal["linear", "log1p", "asinh"]
LARGEST = 1 << 30  # numbers in one sample
WHITE = 255.0
HALF_LEVEL = 0.5  # of 255: what lies beyond the ends by less makes no other level
Curve = Callable[[NDArray[np.float64]], NDArray[np.float64]]
STRETCHES: Mapping[str, Curve] = {"linear": lambda v: v, "log1p": np.log1p, "asinh": np.arcsinh}
RELAXED: Mapping[str, Curve] = {"linear": lambda v: v, "log1p": np.expm1, "asinh": np.sinh}


@dataclass(frozen=True, slots=True)
class Form:
    """What one sample is, and how its stored values become the model's input and back.

    ``value = soft · f⁻¹(offset + scale · x)``, where x is what the model takes and f the ``stretch``. ``offset``,
    ``scale`` and ``soft`` have one number, or one for each entry of the sample's first axis: a channel of an image or
    a signal, a column of a table. Of images in bytes the scale is 255, so that x lies in [0, 1].

    Attributes
    ----------
    kind
        A file of `latentlab.data.kinds`: ``image``, ``table``, …
    shape
        Of one sample: (c, h, w) of an image, (d,) of a table's row, (c, t) of a signal.
    stored
        The dtype in which values are read, kept and shown.
    names
        Of channels or columns, where they have some.
    columns
        What each column of a table is: ``numeric``, ``binary``, or ``category NAME``, one column for each of its
        levels. Empty for other kinds.
    axis, axis_unit
        Where the points of a signal lie (wavelengths, seconds), and in which unit.
    unit
        Of the values.
    missing
        Whether values may be missing (NaN).
    library
        The typical sum of a sample's counts, to which decoded means of counts add up.
    colours
        The channels, from 1, that the picture of an image shows: three as red, green and blue, others side by side.
    edges
        What of the model's input lies at the lower and the upper edge of a signal's picture.
    """

    kind: str
    shape: tuple[int, ...]
    stored: Stored = "float32"
    offset: tuple[float, ...] = (0.0,)
    scale: tuple[float, ...] = (1.0,)
    stretch: Stretch = "linear"
    soft: tuple[float, ...] = (1.0,)
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    axis: tuple[float, ...] = ()
    axis_unit: str = ""
    unit: str = ""
    missing: bool = False
    library: float = 1.0
    colours: tuple[int, ...] = ()
    edges: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if not self.shape or min(self.shape) < 1 or math.prod(self.shape) > LARGEST:
            raise InputError(f"a sample has shape {str(self.shape)[:60]}; expected 1 to {LARGEST:,} numbers")
        first = self.shape[0]
        for what in ("offset", "scale", "soft"):
            numbers = getattr(self, what)
            if len(numbers) not in (1, first):
                raise InputError(f"the form has {len(numbers)} numbers as {what}; expected 1 or {first}")
            if not np.isfinite(numbers).all():
                raise InputError(f"the form has {what} {str(numbers)[:40]}; expected finite numbers")
        if min(self.scale) <= 0 or min(self.soft) <= 0:
            raise InputError("the form has a scale or soft of 0 or less; expected numbers above 0")
        for what in ("names", "columns"):
            if len(getattr(self, what)) not in (0, first):
                raise InputError(f"the form has {len(getattr(self, what))} {what}; expected {first}")
        if len(self.axis) not in (0, self.shape[-1]):
            raise InputError(f"the axis has {len(self.axis)} points; expected {self.shape[-1]}")
        if not np.isfinite(self.axis).all():
            raise InputError("the axis holds NaN or infinity; expected finite numbers")
        kind_of(self).check(self)

    @property
    def ndim(self) -> int:
        """How many axes a sample has."""
        return len(self.shape)

    @property
    def size(self) -> str:
        """The shape as people write it: ``1×28×28``."""
        return "×".join(map(str, self.shape))

    @property
    def noun(self) -> str:
        """What one sample is called."""
        return str(kind_of(self).NOUN)

    @property
    def plural(self) -> str:
        """What several samples are called."""
        return str(kind_of(self).PLURAL)

    @property
    def place(self) -> str:
        """What one number of a sample is called."""
        return str(kind_of(self).PLACE)

    def amount(self, change: float, digits: int = 1) -> str:
        """A change of the model's input in words: of images a share of their range, else in the kind's ``INPUT``."""
        unit = getattr(kind_of(self), "INPUT", "")
        return f"{change:.3g} {unit}" if unit else percent(change, digits)

    @property
    def bytes(self) -> bool:
        """Whether values are whole numbers from 0 to 255, to which decoded ones are rounded."""
        return self.stored == "uint8"

    def to_model(self, values: Samples) -> NDArray[np.float32]:
        """What a model takes of stored values (…, *shape); missing values stay NaN.

        >>> image_form((1, 1, 2)).to_model(np.array([[[0, 255]]], np.uint8)).tolist()
        [[[0.0, 1.0]]]
        """
        if self._plain:
            return np.divide(values, np.float32(self.scale[0]), dtype=np.float32)
        stretched = STRETCHES[self.stretch](np.asarray(values, np.float64) / self._spread(self.soft))
        return np.asarray((stretched - self._spread(self.offset)) / self._spread(self.scale), np.float32)

    def from_model(self, x: NDArray[np.floating]) -> Samples:
        """The values that a model's output (…, *shape) stands for, in the dtype that is shown: inverse to `to_model`.

        Bytes are rounded, and cut to 0 and 255; nothing else is rounded or cut.
        """
        values = self._values(x)
        if self.bytes:
            return np.round(np.clip(values, 0, WHITE)).astype(np.uint8)
        return values.astype(np.float64 if self.stored == "float64" else np.float32)

    def beyond(self, x: NDArray[np.floating]) -> int:
        """How many numbers of a model's output `from_model` cuts: those that make a byte below 0 or above 255."""
        if not self.bytes:
            return 0
        values = self._values(x)
        return int(((values < -HALF_LEVEL) | (values > WHITE + HALF_LEVEL)).sum())

    def picture(self, samples: Samples) -> NDArray[np.uint8]:
        """Samples (…, *shape) as small pictures (…, 1 or 3, h, w) uint8, grey or RGB."""
        drawn: NDArray[np.uint8] = kind_of(self).picture(self, samples)
        return drawn

    @property
    def ruler(self) -> dict[str, Any] | None:
        """What stands beside and below a picture, of a kind whose pictures have axes."""
        own = getattr(kind_of(self), "ruler", None)
        return own(self) if own else None

    def change(self, low: Samples, high: Samples) -> NDArray[np.float64]:
        """How samples `high` differ from `low` ones, with its sign, in units of ``change_unit``."""
        own = getattr(kind_of(self), "change", None)
        return own(self, low, high) if own else np.asarray(high, np.float64) - np.asarray(low, np.float64)

    @property
    def change_unit(self) -> str:
        """The unit of `change`: that of the values, unless the kind has one of its own."""
        return str(getattr(kind_of(self), "CHANGE", self.unit))

    @property
    def shown(self) -> str:
        """What of a sample its picture shows, where that is not all of it."""
        return str(kind_of(self).shown(self))

    def described(self, count: int | None = None) -> str:
        """What many samples of this form are, in words.

        >>> image_form((1, 8, 8)).described(1797), image_form((1, 8, 8)).described(1)
        ('1,797 images 1×8×8', '1 image 1×8×8')
        """
        words: str = kind_of(self).described(self)
        if count == 1:
            words = words.replace(self.plural, self.noun, 1)
        return words if count is None else f"{count:,} {words}"

    def to_json(self) -> dict[str, Any]:
        """What is not as it is by default, as plain values by name."""
        kept = {each.name: getattr(self, each.name) for each in fields(self)}
        defaults = {each.name: each.default for each in fields(self)}
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in kept.items()
            if value != defaults[name]
        }

    def same(self, other: Form) -> bool:
        """Whether samples of both are the same columns or channels, whatever the scale that was fitted to either."""
        named = self.names == other.names or not (self.names and other.names)
        columns = [() if set(form.columns) == {"numeric"} else form.columns for form in (self, other)]
        return (self.kind, self.shape) == (other.kind, other.shape) and columns[0] == columns[1] and named

    @property
    def _plain(self) -> bool:
        """Whether stored bytes and the model's input differ by a factor alone, which float32 serves."""
        return self.bytes and self.offset == (0.0,) and len(self.scale) == 1 and self.stretch == "linear"

    def _values(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        if self._plain:
            return np.asarray(x * np.float32(self.scale[0]))
        stretched = self._spread(self.offset) + self._spread(self.scale) * np.asarray(x, np.float64)
        return np.asarray(RELAXED[self.stretch](stretched) * self._spread(self.soft))

    def _spread(self, numbers: tuple[float, ...]) -> NDArray[np.float64]:
        """Numbers of the first axis, so that they meet the others."""
        return np.asarray(numbers, np.float64).reshape(-1, *[1] * (len(self.shape) - 1))


_FORMS = TypeAdapter(Form)


def image_form(shape: tuple[int, ...], colours: tuple[int, ...] = ()) -> Form:
    """The form of images (c, h, w) of bytes."""
    return Form("image", tuple(shape), "uint8", scale=(WHITE,), colours=colours)


def form_from(content: dict[str, Any]) -> Form:
    """The form that `Form.to_json` wrote; an `InputError` where it is none."""
    try:
        return _FORMS.validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "it"
        wrong = first.get("ctx", {}).get("error")
        told = str(wrong) if isinstance(wrong, InputError) else f"{key} is {first.get('input')!r:.40}; {first['msg']}"
        raise InputError(told) from error


def kind_of(form: Form) -> ModuleType:
    """The file that its kind is."""
    return kind_named(form.kind)


def kind_named(name: str) -> ModuleType:
    """The file of a kind."""
    return registry.load("data/kinds", name)


def exact(where: object, dtype: np.dtype[Any], asked: str = "") -> Stored:
    """The dtype that holds such numbers exactly, or the one that was asked for.

    >>> exact("x.npy", np.dtype("uint16")), exact("x.npy", np.dtype("float64"))
    ('float32', 'float64')
    """
    if asked not in ("", "float32", "float64"):
        raise InputError(f"{where}: stored={asked[:20]} is not possible here; expected float32 or float64")
    small = dtype.itemsize <= 4 if dtype.kind == "f" else dtype.itemsize <= 2
    return cast(Stored, asked or ("float32" if small else "float64"))


def stretch_named(where: object, asked: str) -> Stretch:
    """The curve of that name, linear where none is named."""
    if asked and asked not in STRETCHES:
        raise InputError(f"{where}: stretch={asked[:20]} is not known; expected {', '.join(STRETCHES)}")
    return cast(Stretch, asked or "linear")
