"""Two photographs in squares, the images that no room of `scenes` resembles:

latentlab outliers artifacts/scenes-full/beta1-seed0 --against benchmarks/photographs.py:photographs
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images


def photographs(size: int = 32) -> NDArray[np.uint8]:
    """The squares (n, size, size, 3) that scikit-learn's two sample photographs are cut into."""
    squares = []
    for photograph in load_sample_images().images:
        height, width = (side // size * size for side in photograph.shape[:2])
        rows = photograph[:height, :width].reshape(height // size, size, width // size, size, 3)
        squares.append(rows.swapaxes(1, 2).reshape(-1, size, size, 3))
    return np.concatenate(squares)
