"""Grey levels drawn as bits once and for all: what a Bernoulli likelihood is a probability of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latentlab.data._fingerprint import Known, digest
from latentlab.data.dataset import Dataset, Images, Rows
from latentlab.errors import InputError

# A uniform 32-bit word lies below LIMITS[k] with probability k/255: 0 is never drawn as 1, 255 always.
LIMITS = (np.arange(256, dtype=np.uint64) << np.uint64(32)) // np.uint64(255)


def binarised(data: Dataset, seed: Any) -> Dataset:
    """The data set with every pixel k drawn as 255 with probability k/255, else 0 (Larochelle and Murray, 2011).

    The draw is static: the bits of a row depend on `seed` and the row's id alone, so every epoch, split and process
    sees the same binary images. ``source["binarised"]`` is the seed; it is recorded in a run's configuration and in
    its codes. Raises `InputError` for a seed that is not a whole number of at least 0.

    >>> from latentlab.data import load
    >>> sorted(set(load("digits:binarised=0")[:10].ravel().tolist()))
    [0, 255]
    """
    if not isinstance(seed, int):
        raise InputError(f"binarised is {seed!r}; expected the seed of the draw, as in mnist/:binarised=0")

    def read(rows: Rows) -> Images:
        images = data[rows]
        bits = np.empty_like(images)
        for image, drawn, row in zip(images, bits, data.row_ids[rows], strict=True):
            drawn[...] = np.where(_words(seed, int(row), image.size) < LIMITS[image.ravel()], 255, 0).reshape(
                image.shape
            )
        return bits

    known = Known(read, lambda: digest(data.fingerprint["images"], "binarised", seed))
    return replace(data, read=known, source={**data.source, "binarised": seed})


def _words(seed: int, row: int, count: int) -> NDArray[np.uint32]:
    """Uniform words (count,) of a row: raw output of a counter, a stream that NumPy promises never to change."""
    raw = np.random.Philox(key=seed, counter=[0, row, 0, 0]).random_raw(-(-count // 2))
    return raw.astype("<u8").view("<u4")[:count]
