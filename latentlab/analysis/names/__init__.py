"""Name each latent dimension by a property of the samples that separates its high codes from its low ones."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="names",
    files={"names.json": "latentlab.analysis.names.record:load_names"},
    make="latentlab.analysis.names.stage:names",
    command="explain RUN",
    about="Dimensions were named by factors or measured attributes that detect high and low codes of held-out rows",
    figures=("traversals", "effects"),
)
