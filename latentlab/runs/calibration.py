"""From the components that a linear VAE would keep to the units that a deep one keeps.

A deep VAE bends its latent space to the data and needs fewer dimensions. In all studies looked at, units + 1 ≈
(components + 1)^γ with one γ for a data set, from 0.4 (dSprites) to 0.8 (a table); 1 is a linear VAE. γ starts from a
middle value, and measured runs replace it (`benchmarks/advise.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from latentlab.errors import InputError
from latentlab.runs.spectrum import Floats, Spectrum

DEEP, LINEAR = 0.55, 1.0
LEAST_SEEN = 0.35
WEIGHT = 1.0  # of the starting γ, in squared logarithms of components + 1
PLACES = 2000


@dataclass(frozen=True)
class Calibration:
    """How units follow components: log(units + 1) = γ log(components + 1) + an offset between measured runs.

    Attributes
    ----------
    exponent
        γ, between 0 and 1 for all networks seen.
    offsets
        What measured runs differ by, by β; in between it is interpolated over log β.
    """

    exponent: float
    offsets: Mapping[float, float]

    def units(self, spectrum: Spectrum, beta: float) -> float:
        """How many units are expected to be active at β, were there dimensions enough."""
        return float(self._units(spectrum, np.array([beta]))[0])

    def beta_for(self, spectrum: Spectrum, units: int) -> float:
        """The β that should leave that many units active, the middle of where it is expected.

        Raises
        ------
        InputError
            Where the data have too few components for that many units.
        """
        first, last = spectrum.thresholds[0], spectrum.thresholds[-1]
        betas = np.geomspace(last / 2, first, PLACES)
        expected = self._units(spectrum, betas)
        if units > expected.max() + 0.5:
            raise InputError(
                f"{units} active units were wanted, but at most {expected.max():.0f} are expected from these data; "
                "ask for fewer"
            )
        fitting = np.flatnonzero(np.rint(expected) == units)
        middle = fitting[len(fitting) // 2] if len(fitting) else int(np.abs(expected - units).argmin())
        return float(betas[middle])

    def _units(self, spectrum: Spectrum, betas: Floats) -> Floats:
        components = (spectrum.thresholds[:, None] > betas).sum(axis=0)
        known = sorted(self.offsets)
        offset = np.interp(np.log(betas), np.log(known), [self.offsets[beta] for beta in known]) if known else 0.0
        return np.where(components > 0, np.expm1(self.exponent * np.log1p(components) + offset), 0.0)


def calibrate(spectrum: Spectrum, measured: Mapping[float, float], *, start: float = DEEP) -> Calibration:
    """The calibration by measured runs; without any, γ is where it starts.

    Parameters
    ----------
    spectrum
        Of the data that the runs were trained on.
    measured
        Mean number of units in use, by β. Runs at a β where no component is active say nothing of γ.
    start
        The γ without runs: `DEEP`, or `LINEAR` for linear networks.

    Examples
    --------
    >>> spectrum = Spectrum(np.geomspace(100, 1, 50), 1000.0, 60, False, 500)
    >>> round(calibrate(spectrum, {1.5: 6.0}).exponent, 2)
    0.51
    """
    betas = sorted(beta for beta in measured if (spectrum.thresholds > beta).any())
    x = np.array([np.log1p((spectrum.thresholds > beta).sum()) for beta in betas])
    y = np.array([np.log1p(measured[beta]) for beta in betas])
    exponent = float((x @ y + WEIGHT * start) / (x @ x + WEIGHT)) if betas else start
    return Calibration(exponent, dict(zip(betas, (y - exponent * x).tolist(), strict=True)))
