"""Measure whether one can sample from a run's latent space: coverage, holes, continuity."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="support",
    files={
        "support.json": "latentlab.analysis.support.record:read_support",
        "support.h5": "latentlab.analysis.support.record:read_sheet",
    },
    make="latentlab.analysis.support.stage:support",
    command="support RUN",
    about="Decoded samples were compared with real data by precision, density and coverage",
    source="Kynkäänniemi et al. 2019; Naeem et al. 2020",
    needs=("encoder", "decoder"),
    figures=("neighbours", "support", "widths"),
)
