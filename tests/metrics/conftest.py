"""Arrays that the reference library was run on, and what it found."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

NAMES = ("betaH_dsprites", "synthetic")


class Reference:
    """One reference set: the four arrays, the grid's codes, the sizes and the reference's scores."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        with np.load(folder / f"arrays_{name}.npz") as arrays:
            self.rows = (arrays["z_train"], arrays["v_train"])
            self.test = (arrays["z_test"], arrays["v_test"])
        self.codes = np.load(folder / f"grid_codes_{name}.npy")
        self.scores: dict[str, Any] = json.loads((folder / "reference_scores.json").read_text())[name]
        self.grid = tuple(self.scores["grid"])


@pytest.fixture(params=NAMES, scope="session")
def reference(request: pytest.FixtureRequest, shared: Path) -> Reference:
    """Each reference set in turn."""
    return Reference(shared / "reference", request.param)
