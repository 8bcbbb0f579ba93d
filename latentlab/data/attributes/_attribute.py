"""An attribute: one number per sample, and the words for its two ends or for its levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import FunctionType, ModuleType

import numpy as np
from numpy.typing import NDArray

from latentlab.data.dataset import FactorKind
from latentlab.data.kinds import Form
from latentlab.data.kinds._form import Samples
from latentlab.system import registry

BLOCK = 500  # samples measured at once
MOST = 100  # attributes of one data set: those that vary most


@dataclass(frozen=True, eq=False)
class Attribute:
    """One property of each of n samples.

    Attributes
    ----------
    name
        What it is called.
    values
        (n,) numbers, NaN where it cannot be measured; level indices where it has ``labels``.
    low, high
        The words for small and for large values, of an ordered one.
    kind
        ``continuous``, ``ordinal``, ``circular`` or ``categorical``, as of a `Factor`.
    labels
        The words for its levels 0, 1, ….
    source
        Where it comes from: ``factor``, ``measured``, or the plug-in.
    """

    name: str
    values: NDArray[np.float64]
    low: str = "low"
    high: str = "high"
    kind: FactorKind = "continuous"
    labels: tuple[str, ...] = ()
    source: str = "measured"


def measured(form: Form, samples: Samples) -> list[Attribute]:
    """The attributes of samples (n, *shape): at most `MOST`, those that vary most, without those that never vary.

    None of samples of a kind that has no file here.

    >>> from latentlab.data.kinds import image_form
    >>> bars = np.zeros((2, 1, 8, 8), np.uint8)
    >>> bars[0, :, :, 1] = bars[1, :, :, 6] = 255
    >>> [each.values.tolist() for each in measured(image_form((1, 8, 8)), bars) if each.name == "x position"]
    [[0.1875, 0.8125]]
    """
    if form.kind not in registry.names("data/attributes"):
        return []
    module = registry.load("data/attributes", form.kind)
    parts = [_of_block(module, form, samples[k : k + BLOCK]) for k in range(0, len(samples), BLOCK)]
    whole = [replace(each[0], values=np.concatenate([part.values for part in each])) for each in zip(*parts)]  # noqa: B905
    spread = np.array([_spread(each.values) for each in whole])
    kept = set(np.argsort(-spread, kind="stable")[:MOST].tolist())
    return [each for k, each in enumerate(whole) if k in kept and spread[k] > 0]


def _of_block(module: ModuleType, form: Form, samples: Samples) -> list[Attribute]:
    prepared = module.prepared(form, samples)
    found = [function(prepared) for function in _functions(module)]
    return [each for one in found for each in (one if isinstance(one, list) else [one])]


def _functions(module: ModuleType) -> Iterator[Callable[..., Attribute | list[Attribute]]]:
    for name, each in list(vars(module).items()):  # a warning adds a name to a module
        own = isinstance(each, FunctionType) and each.__module__ == module.__name__
        if own and not name.startswith("_") and name != "prepared":
            yield each


def _spread(values: NDArray[np.float64]) -> float:
    known = values[np.isfinite(values)]
    return float(known.var()) if len(known) else 0.0
