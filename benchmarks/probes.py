"""How far a few labels go on MNIST: the codes of a study beside as many principal components of the pixels, and pixels.

    python benchmarks/probes.py ../shared/data/mnist artifacts/findings/mnist

Test images alone, 10,000, a third of them tested on. Runs need codes (`latentlab analyze … --only encode`). Keeps each
run's ``probes.json`` and prints a line a setting: the mean over seeds, and the range over seeds and draws of labels.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from latentlab.analysis.probe.measure import few_label_curve
from latentlab.analysis.probe.stage import probe
from latentlab.codes.codes import Codes
from latentlab.data import load
from latentlab.runs.study import Study

SIZES = (1, 10, 100)


def main() -> None:
    """Probe every run that has codes, and the yardsticks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("study", type=Path)
    parser.add_argument("--out", type=Path, default=Path("artifacts/findings/probes.json"))
    given = parser.parse_args()
    curves: dict[str, list] = {}
    for run in Study(given.study):
        if run.has("encode"):
            curves.setdefault(run.config.label, []).append(probe(run, sizes=SIZES, draws=5)["linear"])
    data = load(given.data).split("test")
    pixels = data[:].reshape(len(data), -1).astype(np.float32) / 255
    axes = np.linalg.eigh(np.cov(pixels, rowvar=False))[1]
    for name, code in (("PCA, 10", pixels @ axes[:, -10:]), ("pixels", pixels)):
        known = Codes(code.astype(np.float32), labels=data.labels, row_ids=data.row_ids)
        curves[name] = [few_label_curve(known, sizes=SIZES, draws=5)]
    lines = []
    for name, each in curves.items():
        line = {"setting": name, "seeds": len(each), "dimensions": [curve.dimensions for curve in each]}
        for i, size in enumerate(SIZES):
            ends = min(curve.low[i] for curve in each), max(curve.high[i] for curve in each)
            line[str(size)] = [float(np.mean([curve.accuracy[i] for curve in each])), *ends]
        lines.append(line)
        print(json.dumps(line), flush=True)
    given.out.write_text(json.dumps(lines, indent=1) + "\n")


if __name__ == "__main__":
    main()
