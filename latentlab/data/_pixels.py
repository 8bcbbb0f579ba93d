"""The one rule by which numbers become pixels, and the readers that are held to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data.kinds import Form
from latentlab.errors import InputError
from latentlab.system.precision import unmasked

ROUND_OFF = 1e-6  # how far outside [0, 1] a float may lie: what float32 loses when images are scaled

LOST = 0.15  # of a level of 255: float16 loses less of bytes


def as_bytes(where: object, block: NDArray[Any]) -> NDArray[np.uint8]:
    """Images as uint8: uint8 as it is, False and True as 0 and 255, floats in [0, 1] times 255, rounded.

    Raises `InputError` for other dtypes, NaN, infinity, and floats outside [0, 1] by more than a round-off of 1e-6.

    >>> as_bytes("faces.npy", np.array([0, 0.5, 1.0000001])).tolist()
    [0, 128, 255]
    """
    if block.dtype == np.uint8:
        return block
    if block.dtype == np.bool_:
        return block.astype(np.uint8) * np.uint8(255)
    if block.dtype.kind != "f":
        raise InputError(f"{where}: images are {block.dtype}; expected uint8, bool or float in [0, 1]: convert them")
    if not np.isfinite(block).all():
        raise InputError(f"{where}: images hold NaN or infinity; expected numbers in [0, 1]: remove or replace them")
    low, high = (float(block.min()), float(block.max())) if block.size else (0.0, 1.0)
    if low < -ROUND_OFF or high > 1 + ROUND_OFF:
        raise InputError(
            f"{where}: float images run from {low:.8g} to {high:.8g}; expected [0, 1]: scale them, or stored=float32"
        )
    return np.round(np.clip(block, 0, 1) * 255).astype(np.uint8)


def rounded(first: NDArray[Any]) -> tuple[str, ...]:
    """A sentence where floats in [0, 1] are no multiples of 1/255, and so lose something as bytes; none elsewhere.

    >>> rounded(np.array([0, 128 / 255])), len(rounded(np.array([0.3])))
    ((), 1)
    """
    if first.dtype.kind != "f" or not first.size:
        return ()
    levels = first.astype(np.float64) * 255
    lost = float(np.abs(levels - levels.round()).max())
    if not lost > LOST:
        return ()
    told = f"floats in [0, 1] are rounded to 256 levels, by up to {lost / 255:.2g}"
    return (f"{told}; stored=float32 keeps them as they are",)


@dataclass(frozen=True)
class Typed:
    """A reader of somebody's own, held to what a `Dataset` promises: samples (k, *shape) of its form for k rows."""

    read: Callable[[Any], Any]
    name: str
    form: Form

    def __call__(self, rows: Any) -> NDArray[Any]:
        block, expected = self.read(rows), (len(rows), *self.form.shape)
        if isinstance(block, np.ma.MaskedArray):
            block = unmasked(block, f"{self.name}, as it is read,")
        if not isinstance(block, np.ndarray) or block.shape != expected:
            came = f"{block.dtype} {block.shape}" if isinstance(block, np.ndarray) else f"a {type(block).__name__}"
            raise InputError(
                f"{self.name} read {len(rows)} rows as {came}; expected an array {self.form.stored} {expected}"
            )
        return as_bytes(self.name, block) if self.form.bytes else as_numbers(self.name, block, self.form)


def as_numbers(where: object, block: NDArray[Any], form: Form) -> NDArray[Any]:
    """Samples as the dtype that their form names; nothing is rounded or cut.

    Raises `InputError` for what are no numbers, for infinity, for NaN where nothing may be missing, and for whole
    numbers that are none or that the dtype cannot hold.
    """
    if block.dtype == form.stored and block.dtype.kind != "f":
        return block
    if block.dtype.kind not in "fiub":
        raise InputError(f"{where}: {form.plural} are {block.dtype}; expected numbers, {form.stored}")
    if block.dtype.kind == "f" and not (np.isfinite(block) | (np.isnan(block) & form.missing)).all():
        strange = ~(np.isfinite(block) | (np.isnan(block) & form.missing)).reshape(len(block), -1).all(axis=1)
        at = f"in {strange.sum():,} of {len(block):,} rows (first in row {int(strange.argmax())})"
        mend = (
            "" if form.missing or np.isinf(block).any() else ": fill the gaps, leave these rows out, or say kind=table"
        )
        raise InputError(f"{where}: {form.plural} hold NaN or infinity {at}; expected finite numbers{mend}")
    with np.errstate(invalid="ignore"):
        found = block.astype(form.stored)
    if found.dtype.kind != "f" and not (found == block).all():
        raise InputError(f"{where}: {form.plural} hold fractions or too large numbers; expected {form.stored}")
    return found
