"""Runs whose files can be parsed but hold something else: whatever reads them shows it, or says so in one line.

Long form: twelve alterations of each file. In-process, on a run without weights: figures, comparison, report, doctor.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mutations import alter
from toy import write_run
from toy_support import write_evidence, write_survey
from victims import many

from latentlab.errors import LatentlabError
from latentlab.figures import decodes
from latentlab.reports.html import report
from latentlab.runs.comparison import compare
from latentlab.runs.doctor import examine
from latentlab.runs.health import environment
from latentlab.runs.notes import name_dimension
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.system.registry import load, names

pytestmark = pytest.mark.reliability

DIMENSIONS = ("kl", "traversals", "factor_matrix", "effects", "responses")
# The figures that read each file; the table, the report and doctor read them all.
FIGURES: dict[str, tuple[str, ...]] = {
    "codes.h5ad": (*DIMENSIONS, "aggregate_posterior", "projection", "rate_distortion", "size", "correlation", "plane"),
    "config.json": (*DIMENSIONS, "rate_distortion", "size", "leakage", "support", "few_labels"),
    "debiasing.h5": ("rare_rows",),
    "decodings.h5": ("traversals", "reconstructions"),
    "effects.h5": ("effects",),
    "environment.json": (),
    "history.jsonl": (),
    "interventions.json": ("interventions",),
    "leakage.json": ("leakage", "effects"),
    "likelihood.h5": ("identity",),
    "names.json": ("traversals", "effects"),
    "notes.json": DIMENSIONS,
    "outliers.json": ("outliers",),
    "probes.json": ("few_labels",),
    "projections.h5": ("projection", "aligned_projections"),
    "scores.json": ("factor_matrix", "scores"),
    "support.h5": ("widths", "neighbours"),
    "support.json": ("support", "widths", "neighbours"),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two runs; ``run`` has every file that a verb can leave there."""
    from latentlab.training.environment import write_environment

    here = tmp_path_factory.mktemp("sound")
    run = write_run(here / "run", 4.0, 0)
    write_survey(run)
    write_evidence(run)
    write_environment(run, 100, 1.0)
    name_dimension(run, 0, name="size", note="how large")
    write_run(here / "other", 1.0, 1)
    return here


def readers(here: Path, name: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """What reads that file of ``run``, by name."""

    def drawn(kind: str) -> None:
        figure = load("figures", kind)
        data = figure.prepare(Run(here / "run") if figure.TAKES == "run" else Study(here).runs)
        figure.alt(data), figure.numbers(data), figure.interactive(data)

    for kind in FIGURES[name]:
        yield f"figure {kind}", lambda kind=kind: drawn(kind)  # type: ignore[misc]
    yield "compare", lambda: compare([Study(here)])
    yield "doctor", lambda: examine(here)
    yield "environment", lambda: environment(Run(here / "run"))
    yield "report", lambda: report(Study(here), here / "report.html")


def test_every_file_is_here(sound: Path) -> None:
    held = {path.name for path in (sound / "run").iterdir() if path.suffix in (".json", ".jsonl", ".h5", ".h5ad")}
    assert held == set(FIGURES)
    kinds = {kind for kind in names("figures") if not decodes(kind)}
    assert {kind for drawn in FIGURES.values() for kind in drawn} <= kinds


@pytest.mark.parametrize("name", FIGURES)
def test_one_line(sound: Path, tmp_path: Path, name: str) -> None:
    chance = random.Random(f"altered {name}")
    for number in range(many(12, 1)):
        here = tmp_path / str(number)
        shutil.copytree(sound, here)
        what = alter(here / "run" / name, chance)
        for label, read in readers(here, name):
            try:
                read()
            except LatentlabError:  # one line by its own constructor
                pass
            except Exception as error:
                raise AssertionError(f"{name}, {what}: {label} ends in {error!r}") from error
        shutil.rmtree(here)
