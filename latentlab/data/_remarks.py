"""What is said while data are read, of what was assumed: a line on standard error, once in a process.

Processes that it starts, such as the trainings of a sweep, do not say it again.
"""

from __future__ import annotations

import logging
from functools import lru_cache

import numpy as np

from latentlab.data.dataset import Dataset
from latentlab.errors import one_line
from latentlab.system.said import first

LONGEST = 200
SEEN = 16  # rows that tell whether images are of 0 and 1; each may have to be decoded


@lru_cache(maxsize=1024)
def say(text: str) -> None:
    """Log one line as a warning of the logger ``latentlab``; where nobody set up logging, it is on standard error."""
    line = one_line(f"latentlab: {text}")
    if not first(line):
        return
    logging.getLogger("latentlab").warning("%s", line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")


def say_if_dark(data: Dataset) -> None:
    """Warn where images that are to be trained or encoded look like flags saved as uint8: nearly black.

    Parameters
    ----------
    data : Dataset
        A few of its rows are read. The warning goes to the logger ``latentlab``, once in a process.
    """
    rows = np.unique(np.linspace(0, len(data) - 1, min(len(data), SEEN)).astype(np.int64))
    if data[rows].max() == 1:
        say(f"{data.name}: no pixel of {len(rows):,} images exceeds 1 of 255: are they 0 and 1? multiply by 255")
