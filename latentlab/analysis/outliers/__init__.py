"""Measure how well a run detects out-of-distribution images, compared with baselines that need no model."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="outliers",
    files={"outliers.json": "latentlab.analysis.outliers.record:load_outliers"},
    make="latentlab.analysis.outliers.stage:outliers",
    command="outliers RUN --against DATA",
    about="Out-of-distribution samples were detected by scores such as typicality and Mahalanobis distance",
    source="Lee et al. 2018; Nalisnick et al. 2019",
    needs=("encoder", "decoder"),
    figures=("outliers",),
)
