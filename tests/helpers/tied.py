"""Arrays built to make splits of trees tie: what decides then is the last bit of a sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZES = (20, 35, 60, 100, 150, 300, 600, 1000, 2000)


def tied(seed: int, most: int = 2000) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Codes (n, d) and classes (n,) 0 … K − 1: n from 20 to `most`, d from 2 to 7, K from 2 to 6, often unbalanced.

    Dimensions are Gaussian, whole or rounded numbers, copies or mirror images of others, constant, of scales from 1e-10
    to 1e30, far from zero by up to 1e8, or the class itself.
    """
    random = np.random.default_rng(seed)
    n = int(random.choice([size for size in SIZES if size <= most]))
    d, classes = int(random.integers(2, 8)), int(random.integers(2, 7))
    codes = random.normal(size=(n, d))
    for f in range(d):
        codes[:, f] = _dimension(random, codes[:, f], codes[:, random.integers(0, max(f, 1))])
    y = _classes(random, codes, classes)
    if random.random() < 0.15:
        codes[:, random.integers(0, d)] = y
    return codes.astype(np.float32), y


def _dimension(random: np.random.Generator, z: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    kinds = {
        "whole": np.round(z * random.choice([1, 2, 10, 50])),
        "copy": other,
        "mirrored": -other,
        "rounded": np.round(other, 1),
        "constant": np.full_like(z, z[0]),
        "tiny": z * random.choice([1e-3, 1e-6, 1e-7, 1e-10]),
        "far": z + random.choice([1e8, 1e4, -1e8, 1e6]),
        "large": z * random.choice([1e8, 1e30]),
        "Gaussian": z,
    }
    return kinds[str(random.choice(list(kinds)))]


def _classes(random: np.random.Generator, codes: NDArray[np.float64], classes: int) -> NDArray[np.int64]:
    spread = codes.std(axis=0)
    signal = (codes - codes.mean(axis=0)) / np.where(spread > 0, spread, 1) @ random.choice([0, 1, 3], codes.shape[1])
    signal += random.choice([0, 0.3, 1]) * random.normal(size=len(codes))
    if random.random() < 0.3:
        signal = random.normal(size=len(codes))
    shares = random.random(classes) ** random.choice([0, 1, 4])
    y = np.digitize(signal, np.quantile(signal, np.cumsum(shares / shares.sum())[:-1]))
    if len(np.unique(y)) < 2:
        y = np.arange(len(codes)) % classes
    return np.unique(y, return_inverse=True)[1]
