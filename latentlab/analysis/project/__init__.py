"""Project a run's codes to two dimensions (PCA, UMAP), and keep the coordinates."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="project",
    files={"projections.h5": "latentlab.runs.run:Run.projections"},
    make="latentlab.analysis.project.stage:project_run",
    command="analyze RUN --only project",
    about="Codes were projected to two dimensions, with trustworthiness and continuity as measures of fidelity",
    source="McInnes et al. 2018; Venna and Kaski 2001",
    place=2,
    figures=("aligned_projections", "projection"),
    thin="latentlab.codes.projections:thin",
    page="scores/projections.md",
)
