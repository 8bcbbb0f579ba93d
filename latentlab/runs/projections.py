"""The projections of a run, as long as they belong to its codes."""

from __future__ import annotations

from latentlab.codes.projections import Projection
from latentlab.errors import InputError
from latentlab.runs.kept import inputs_of
from latentlab.runs.run import Run
from latentlab.runs.stage import stage
from latentlab.system.files import sha256, unless_damaged


def projections_of(run: Run) -> dict[str, Projection]:
    """The run's projections; an `InputError` where they were made from other codes than the run has now."""
    path, newest = run.projections_path, stage("project").format
    recorded = (unless_damaged(lambda: inputs_of(path, newest)) or {}).get("codes")
    if recorded is not None and run.has("encode") and recorded != sha256(run.codes_path):
        again = f"`latentlab analyze {str(run.path)[-60:]} --only project`"
        raise InputError(f"the projections of {run.name[-40:]} were made from other codes than it has now; {again}")
    return run.projections()
