"""Few-label curves in ``probes.json``."""

from __future__ import annotations

from pydantic import BaseModel

from latentlab.analysis.probe.measure import Curve
from latentlab.errors import MissingError
from latentlab.runs.run import Run
from latentlab.system.files import read_json
from latentlab.system.validation import validate

FILE = "probes.json"


class _Kept(BaseModel):
    """What is read of a ``probes.json``."""

    curves: dict[str, Curve]


def load_probes(run: Run) -> dict[str, Curve]:
    """The curves in the run's ``probes.json``, by estimator."""
    path = run.path / FILE
    if not path.is_file():
        raise MissingError(f"{path} does not exist; make it with `latentlab probe {run.path}`")
    found: _Kept = validate(_Kept, read_json(path), str(path), f"make it anew: `latentlab probe {run.path}`")
    return found.curves
