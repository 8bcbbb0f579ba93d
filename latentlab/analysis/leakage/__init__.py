"""Measure which other factors change along a traversal that changes one."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="leakage",
    files={"leakage.json": "latentlab.analysis.leakage.record:load_leakage"},
    make="latentlab.analysis.leakage.stage:leakage",
    command="leakage RUN",
    about="Factors were read off traversals by a regressor trained on real samples",
    source="Higgins et al. 2017",
    needs=("encoder", "decoder"),
    figures=("leakage",),
    page="scores/leakage.md",
)
