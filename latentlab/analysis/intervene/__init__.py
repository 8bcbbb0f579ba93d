"""Find the smallest set of latent dimensions whose swap changes one factor of the decoded image and no other."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="intervene",
    files={"interventions.json": "latentlab.analysis.intervene.record:load_interventions"},
    make="latentlab.analysis.intervene.stage:intervene",
    command="intervene RUN",
    about="Latent dimensions were swapped between rows, and the factors of decoded samples read by a regressor "
    "trained on real samples",
    source="Huang et al. 2024",
    needs=("encoder", "decoder"),
    figures=("interventions",),
    page="scores/cause-and-isolation.md",
)
