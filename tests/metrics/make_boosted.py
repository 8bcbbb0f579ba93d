"""Write ``boosted.json``: what scikit-learn's booster finds in the first reference set, which takes it minutes.

python tests/metrics/make_boosted.py ../shared/reference
"""

import json
import sys
from pathlib import Path

import numpy as np
import sklearn
from sklearn.ensemble import GradientBoostingClassifier

from latentlab.metrics.dci import SCIKIT_LEARN

ROWS = {0: 10_000, 1: 4_000, 2: 600, 3: 600, 4: 600}  # by factor: 3, 6, 40, 32 and 32 classes


def main(reference: Path) -> None:
    found = {"scikit-learn": sklearn.__version__, "factors": {}}
    with np.load(reference / "arrays_betaH_dsprites.npz") as arrays:
        z, v, tz, tv = (arrays[name] for name in ("z_train", "v_train", "z_test", "v_test"))
    for factor, rows in ROWS.items():
        x, y = z[:rows].astype(np.float32), v[:rows, factor].astype(int)
        model = GradientBoostingClassifier(**SCIKIT_LEARN, random_state=0).fit(x, y)
        found["factors"][factor] = {
            "rows": rows,
            "importances": model.feature_importances_.tolist(),
            "train": float((model.predict(x) == y).mean()),
            "test": float((model.predict(tz.astype(np.float32)) == tv[:, factor]).mean()),
        }
    Path(__file__).with_name("boosted.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
