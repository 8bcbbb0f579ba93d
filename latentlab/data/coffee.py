"""60 infrared spectra of coffee from three countries (chemotools)."""

from __future__ import annotations

import numpy as np

from latentlab.data._installed import shipped
from latentlab.data.dataset import Dataset
from latentlab.data.kinds import Form

PACKAGE = "chemotools"


def load() -> Dataset:
    """Spectra of 1,841 points, whose wavenumbers the package does not name, with the country as label."""
    import pandas as pd

    values = pd.read_csv(shipped(PACKAGE, "datasets/data/coffee_spectra.csv")).to_numpy(np.float64)[:, None]
    words = pd.read_csv(shipped(PACKAGE, "datasets/data/coffee_labels.csv"))["labels"].to_numpy(str)
    names, labels = np.unique(words, return_inverse=True)
    return Dataset(
        name="coffee",
        shape=values.shape,
        read=lambda rows: values[rows],
        labels=labels.astype(np.int64),
        label_names=tuple(names.tolist()),
        source={"name": "coffee", "package": PACKAGE},
        form=Form("signal", values.shape[1:], "float64", unit="absorbance"),
    )
