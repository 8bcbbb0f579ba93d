"""Measure how few labels suffice for simple classifiers on a run's codes."""

from latentlab.runs.stage import Stage

STAGE = Stage(
    name="probe",
    files={"probes.json": "latentlab.analysis.probe.record:load_probes"},
    make="latentlab.analysis.probe.stage:probe",
    command="probe RUN",
    about="Simple classifiers were trained on the codes of a few labelled rows",
    source="Alain and Bengio 2017",
    figures=("few_labels",),
    page="downstream.md",
)
