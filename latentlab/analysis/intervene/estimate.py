"""A number with its 95 % interval, from bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """``value`` with its 95 % interval from ``low`` to ``high``."""

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values: NDArray[np.float64]) -> Estimate:
        """The first value; its interval has the quantiles of its bootstrap draws, which are the others.

        >>> Estimate.of(np.array([0.5, 0.0, 1.0])).value
        0.5
        """
        low, high = np.quantile(values[1:], (0.025, 0.975))
        return cls(float(values[0]), float(low), float(high))

    def columns(self, name: str) -> dict[str, float]:
        """Value and interval as columns of a table."""
        return {name: self.value, f"{name} low": self.low, f"{name} high": self.high}
