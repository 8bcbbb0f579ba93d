"""1,629 infrared spectra of a fermentation, with glucose at 34 of them (Cabaneros Lopez et al., 2021)."""

from __future__ import annotations

import numpy as np

from latentlab.data._installed import shipped
from latentlab.data.dataset import Dataset, Factor
from latentlab.data.kinds import Form

PACKAGE = "chemotools"
FILES_OF_PACKAGE = ("datasets/data/fermentation_spectra.csv", "datasets/data/fermentation_hplc.csv")


def load() -> Dataset:
    """Spectra in the order in which they were measured, evenly over the hours of the reference measurements.

    Factors are the ``hour``, and ``glucose`` (g/l, by chromatography) of the spectrum nearest in time to each of the
    reference measurements, missing elsewhere.
    """
    import pandas as pd

    spectra, reference = (pd.read_csv(shipped(PACKAGE, file)) for file in FILES_OF_PACKAGE)
    values = spectra.to_numpy(np.float64)[:, None]
    hours = np.linspace(0, float(reference["time"].max()), len(values))
    glucose = np.full(len(values), np.nan)
    glucose[np.abs(hours[:, None] - reference["time"].to_numpy()).argmin(axis=0)] = reference["glucose"]
    axis = tuple(map(float, spectra.columns))
    return Dataset(
        name="fermentation",
        shape=values.shape,
        read=lambda rows: values[rows],
        factors=np.column_stack([hours, glucose]),
        specs=(Factor("hour", "continuous"), Factor("glucose", "continuous")),
        source={"name": "fermentation", "package": PACKAGE},
        form=Form("signal", values.shape[1:], "float64", axis=axis, axis_unit="cm⁻¹", unit="absorbance"),
    )
