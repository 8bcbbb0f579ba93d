"""Attributes of samples of counts: the features themselves, as shares of all counts, and how much was counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latentlab.data.attributes._attribute import Attribute
from latentlab.data.kinds import Form, kind_of
from latentlab.data.kinds._form import Samples


class Counts(NamedTuple):
    """Counts (n, d), and log(1 + count) of samples scaled to the typical sum, by the features' names."""

    counted: NDArray[np.float64]
    shares: NDArray[np.float32]
    names: tuple[str, ...]


def prepared(form: Form, samples: Samples) -> Counts:
    """The counts as they are, and with how much was counted in all taken out."""
    names = form.names or tuple(f"feature {k}" for k in range(form.shape[0]))
    return Counts(np.asarray(samples, np.float64), kind_of(form).compared(form, samples), names)


def total(counts: Counts) -> Attribute:
    """The logarithm of the sum of all counts."""
    return Attribute("total count", np.log1p(counts.counted.sum(axis=1)), "low", "high")


def features(counts: Counts) -> list[Attribute]:
    """Every feature, as a share of all counts."""
    return [Attribute(name, counts.shares[:, k].astype(np.float64)) for k, name in enumerate(counts.names)]
