"""How ``codes-v1.h5ad`` and ``codes-v1-grid.h5ad`` were made, once, by latentlab 0.1.0.

`tests/codes/test_codes.py` says what they must hold.

``python tests/archive/make_codes_v1.py`` writes them beside this file. A later format gets an archive of its own.
"""

from pathlib import Path

import numpy as np

from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import save_codes
from latentlab.data.dataset import Factor

ROWS = np.arange(6)


def archived() -> Codes:
    """Six rows, two latent dimensions, four factors (one missing value, awkward names), labels, some distortion."""
    return Codes(
        mean=np.column_stack([ROWS / 4, -ROWS / 8]).astype(np.float32),
        variance=np.column_stack([np.full(6, 0.5), 1 + ROWS / 4]).astype(np.float32),
        factors=np.column_stack([ROWS // 3, ROWS % 3, np.where(ROWS == 2, np.nan, ROWS / 10), ROWS]).astype(np.float64),
        specs=(
            Factor("shape", "categorical", ("square", "heart")),
            Factor("x/y", "ordinal", (0.0, 0.5, 1.0)),
            Factor("label", "continuous"),
            Factor("Δ angle", "circular"),
        ),
        labels=(ROWS % 2).astype(np.int64),
        row_ids=(10 * ROWS).astype(np.int64),
        distortion=np.where(ROWS < 4, 100 + ROWS, np.nan).astype(np.float32),
        provenance={"inputs": {"model": "ab" * 32, "rows": 6}, "run": "beta4-seed0", "label": "β = 4"},
    )


def archived_grid() -> Codes:
    """A full grid of 2 × 3 under a deterministic encoder: no variance, no rate, no distortion, no labels."""
    return Codes(
        mean=(ROWS[:, None] * [[1.0, 2.0, 3.0]]).astype(np.float32),
        factors=np.column_stack([ROWS // 3, ROWS % 3]).astype(np.float64),
        specs=(Factor("shape", "categorical", ("square", "heart")), Factor("x", "ordinal", (0.0, 0.5, 1.0))),
        grid=(2, 3),
        provenance={"inputs": {}, "stochastic": False},
    )


if __name__ == "__main__":
    save_codes(Path(__file__).with_name("codes-v1.h5ad"), archived())
    save_codes(Path(__file__).with_name("codes-v1-grid.h5ad"), archived_grid())
