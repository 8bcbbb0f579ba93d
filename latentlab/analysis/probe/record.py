"""Few-label curves in ``probes.json``."""

from __future__ import annotations

from pydantic import BaseModel

from latentlab.analysis.probe import STAGE
from latentlab.analysis.probe.measure import Curve
from latentlab.runs.run import Run
from latentlab.system.validation import validate

(FILE,) = STAGE.files


class _Kept(BaseModel):
    """What is read of a ``probes.json``."""

    curves: dict[str, Curve]


def load_probes(run: Run) -> dict[str, Curve]:
    """The curves in the run's ``probes.json``, by estimator."""
    found: _Kept = validate(_Kept, STAGE.record(run), str(run.path / FILE), f"recompute it: `{STAGE.again(run)}`")
    return found.curves
