"""What can be computed about a run, and the files it is kept in."""

from __future__ import annotations

from collections.abc import Callable

FORMAT = 1

Progress = Callable[[float, float, str], None]


def _silent(done: float, total: float, note: str = "") -> None:
    """Say nothing."""


STAGES = {"encode": "codes.h5ad", "traverse": "decodings.h5", "project": "projections.h5", "score": "scores.json"}
