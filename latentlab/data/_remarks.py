"""What is said while data are read, of what was assumed: a line on standard error, once in a process."""

from __future__ import annotations

import logging
from functools import lru_cache

from latentlab.errors import one_line

LONGEST = 200


@lru_cache(maxsize=1024)
def say(text: str) -> None:
    """Log one line as a warning of the logger ``latentlab``; where nobody set up logging, it is on standard error."""
    line = one_line(f"latentlab: {text}")
    logging.getLogger("latentlab").warning("%s", line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…")
