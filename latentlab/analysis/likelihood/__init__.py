"""Estimate log p(x) of a run's data."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="likelihood",
    files={"likelihood.h5": "latentlab.analysis.likelihood.record:read_evidence"},
    make="latentlab.analysis.likelihood.stage:likelihood",
    command="likelihood RUN",
    about="The ELBO and log p(x) were estimated by importance sampling",
    source="Burda et al. 2016",
    needs=("encoder", "decoder", "posterior"),
    figures=("identity",),
)
