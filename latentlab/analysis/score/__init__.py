"""Score a run's codes by a profile: arrays are checked, rows drawn, metrics called, uncertainty added."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="score",
    files={"scores.json": "latentlab.runs.run:Run.scores"},
    make="latentlab.analysis.score.stage:score_run",
    command="analyze RUN --only score",
    about="",  # `methods` has sentences of its own for scores
    place=3,
    figures=("factor_matrix", "scores"),
    thin="latentlab.runs.summary:thin",
    page="scores.md",
)
