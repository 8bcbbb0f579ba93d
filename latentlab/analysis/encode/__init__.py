"""Encode a data set with a run's model, and keep the codes."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="encode",
    files={"codes.h5ad": "latentlab.runs.run:Run.codes"},
    make="latentlab.analysis.encode.stage:write_codes",
    command="analyze RUN --only encode",
    about="Samples were encoded",
    place=0,
    figures=("aggregate_posterior", "correlation", "kl", "plane", "rate_distortion", "responses", "size"),
    page="codes-format.md",
)
