"""Show what each latent dimension does to the decoded image."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="explain",
    files={"effects.h5": "latentlab.analysis.explain.record:effects_of"},
    make="latentlab.analysis.explain.stage:explain",
    command="explain RUN",
    about="The decoder was differentiated along each latent dimension",
    source="Pearlmutter 1994",
    needs=("decoder",),
    figures=("effects",),
    page="downstream.md#what-a-dimension-does",
)
