"""Arrays of torch tensors and torch data sets, and of whatever else NumPy makes one of."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data._arrays import IMAGES, LABELS
from latentlab.errors import InputError
from latentlab.system.precision import unmasked

LARGEST = 1 << 33  # bytes that a torch data set may come to
SAMPLE_KEYS = (*IMAGES, "image", "img", "signal", "spectrum", "sample", "pixel_values", "input", "inputs")
LABEL_KEYS = (*LABELS, "target", "targets", "class")


class Items(NamedTuple):
    """All samples of a torch data set, the numbers or words beside them where there are any, and a word on others."""

    samples: NDArray[Any]
    beside: NDArray[Any] | None = None
    said: str = ""

    @property
    def measured(self) -> bool:
        """Whether what is beside the samples is measured, and so a factor rather than a class."""
        return self.beside is not None and self.beside.dtype.kind == "f" and bool((self.beside % 1 != 0).any())


def from_torch(given: Any) -> bool:
    """Whether something is a torch tensor, data set or loader; torch is not imported for it."""
    torch = sys.modules.get("torch")
    if torch is None:
        return False
    return isinstance(given, torch.Tensor | torch.utils.data.Dataset | torch.utils.data.DataLoader)


def items_of(given: Any, name: str) -> Items:
    """All samples of a tensor, or of a data set that is read by index, with what stands beside each."""
    if hasattr(given, "detach"):
        return Items(array_of(given, name))
    given = getattr(given, "dataset", given) if hasattr(given, "batch_sampler") else given
    if not hasattr(given, "__len__"):
        raise InputError(f"{name} is a data set without a length; expected one that is read by index")
    first = array_of(_parts(given[0], name)[0], name)
    if first.nbytes * len(given) > LARGEST:
        raise InputError(f"{name} comes to {first.nbytes * len(given):,} bytes; write an ll.Dataset with read instead")
    pairs = [_parts(given[i], name) for i in range(len(given))]
    samples = [array_of(sample, name) for sample, _ in pairs]
    if other := next((each.shape for each in samples if each.shape != first.shape), None):
        raise InputError(f"{name} has samples of shape {first.shape} and {other}; expected one shape: resize or cut")
    beside = [found for _, found in pairs]
    if all(found is None for found in beside):
        return Items(np.stack(samples))
    if any(np.asarray(found).size != 1 or np.asarray(found).dtype == object for found in beside):
        return Items(np.stack(samples), said="what stands beside each sample is neither a number nor a word: left out")
    return Items(np.stack(samples), np.array([np.asarray(found).item() for found in beside]))


def _parts(item: Any, name: str) -> tuple[Any, Any]:
    """The sample of an item, and what stands beside it: a pair's second part, a mapping's label."""
    if isinstance(item, tuple | list):
        return item[0], item[1] if len(item) > 1 else None
    if not isinstance(item, Mapping):
        return item, None
    key = next((key for key in SAMPLE_KEYS if key in item), None)
    if key is None:
        raise InputError(f"{name} has items with {_some(item)}; expected one called {_some(SAMPLE_KEYS[:4])}, …")
    return item[key], next((item[label] for label in LABEL_KEYS if label in item), None)


def _some(keys: Iterable[Any]) -> str:
    return ", ".join(map(str, keys))[:60]


def array_of(given: Any, name: str) -> NDArray[Any]:
    """An array of numbers or words; an `InputError` says what cannot be one."""
    if hasattr(given, "detach"):
        given = _dense(given.detach().cpu(), name)
    found = unmasked(given, name)
    if found.dtype == object:
        raise InputError(f"{name} is an array of objects; expected numbers, all rows of one length, or a DataFrame")
    return found


def _dense(tensor: Any, name: str) -> NDArray[Any]:
    """A tensor as an array; numbers that NumPy does not have, such as bfloat16, as float32."""
    try:
        known = str(tensor.dtype).partition(".")[2]
        return np.asarray((tensor if hasattr(np, known) or known == "bool" else tensor.float()).numpy())
    except (TypeError, RuntimeError) as error:
        what = str(error).splitlines()[0][:80] if str(error) else type(error).__name__
        raise InputError(f"{name} is a tensor that makes no array ({what}); expected a dense one of numbers") from error
