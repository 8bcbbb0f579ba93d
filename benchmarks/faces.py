"""Faces: β = 1 against the largest β that keeps at least two dimensions active.

    python benchmarks/faces.py ../shared/data/olivetti_faces.npz

400 faces of 40 people, halved to 32×32. Doubles β from 1 until fewer than two dimensions are active (Var_x E[z|x] >
0.01, on the faces it was trained on: there are too few to hold some out), and draws the traversals of both ends. No
leakage is measured: nothing about these faces is labelled but who they are. Writes OUT/faces.json beside the runs.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from latentlab.analysis.analyze import analyze
from latentlab.data import Dataset, load
from latentlab.figures import export
from latentlab.training.train import train


def halved(data: Dataset) -> Dataset:
    """Images of half the size, the mean of four pixels each."""
    n, c, h, w = data.shape
    images = data[:].reshape(n, c, h // 2, 2, w // 2, 2).mean(axis=(3, 5)).round().astype(np.uint8)
    return replace(data, shape=images.shape, read=images.__getitem__, source={**data.source, "halved": True}, spec="")


def main() -> None:
    """Train, count active dimensions, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("faces", type=Path)
    parser.add_argument("--out", type=Path, default=Path("artifacts/findings/faces"))
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--most", type=float, default=512)
    given = parser.parse_args()
    data, found, beta = halved(load(given.faces)), [], 1.0
    while beta <= given.most:
        options = {"settings": {"beta": beta}, "steps": given.steps, "threads": 1, "network": "mlp"}
        run = train(data, given.out / f"beta{beta:g}", resume=True, **options)
        analyze(run, data, only=["encode", "traverse"])
        codes = run.codes()
        active = int(codes.active.sum())
        rate, distortion = float(codes.rate.mean()), float(np.nanmean(codes.distortion))
        found.append({"beta": beta, "active": active, "rate": rate, "distortion": distortion})
        print(json.dumps(found[-1]), flush=True)
        if active < 2:
            break
        beta *= 2
    largest = max((line["beta"] for line in found if line["active"] >= 2), default=None)
    (given.out / "faces.json").write_text(json.dumps({"largest": largest, "runs": found}, indent=1) + "\n")
    for each in {1.0, largest} - {None}:
        export("traversals", given.out / f"beta{each:g}", given.out / f"faces-beta{each:g}.png", top=5)


if __name__ == "__main__":
    main()
