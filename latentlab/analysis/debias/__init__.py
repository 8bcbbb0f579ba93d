"""Estimate how rare each training row is in latent space, and weights that favour rare rows (Amini et al., 2019)."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="debias",
    files={"debiasing.h5": "latentlab.analysis.debias.record:load_extremes"},
    make="latentlab.analysis.debias.stage:debias",
    command="debias RUN",
    about="Training rows were weighted by how rare their codes are",
    source="Amini et al. 2019",
    needs=("encoder",),
    figures=("rare_rows",),
    page="debiasing.md",
)
