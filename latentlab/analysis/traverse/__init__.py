"""Decode traversals and reconstructions of a run, and keep the images."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="traverse",
    files={"decodings.h5": "latentlab.runs.run:Run.decodings"},
    make="latentlab.analysis.traverse.stage:decode_run",
    command="analyze RUN --only traverse",
    about="Traversals of single latent dimensions and reconstructions were decoded",
    place=1,
    needs=("decoder",),
    figures=("reconstructions", "traversals"),
)
