"""Stages of an analysis: which are run, in what order, and that none is redone for nothing."""

import json
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import toy_codes, write_run

from latentlab.analysis.analyze import analyze
from latentlab.analysis.analyze import named_stages as stages
from latentlab.analysis.project import stage as project_stage
from latentlab.analysis.project.stage import project_run
from latentlab.analysis.score import stage as score_stage
from latentlab.analysis.score.stage import score_codes, score_run, write_scores
from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import save_codes
from latentlab.data import Dataset
from latentlab.errors import InputError, LatentlabError, MissingError
from latentlab.runs.run import Run
from latentlab.runs.stage import stages as known_stages
from latentlab.system.files import lock
from latentlab.training.train import train


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return write_run(tmp_path / "study" / "beta4-seed0", 4.0, 0)


def times(run: Run) -> dict[str, int]:
    files = [run.path / file for stage in known_stages().values() for file in stage.files]
    return {file.name: file.stat().st_mtime_ns for file in files if file.is_file()}


def test_stages_are_run_in_their_order() -> None:
    assert stages(None) == ("encode", "traverse", "project", "score")
    assert stages("score, encode") == ("encode", "score")
    with pytest.raises(InputError, match="no stage is called 'encod'; did you mean 'encode'"):
        stages("encod")
    with pytest.raises(InputError, match="no stage is called ''"):
        stages("")


def test_an_analysis_does_what_it_was_asked_for_and_once(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (80, 1, 4, 4)).astype(np.uint8)
    labels = np.arange(80) % 3
    data = Dataset("noise", images.shape, lambda rows: images[rows], labels=labels)
    run = train(data, tmp_path / "run", latent_dim=2, steps=5, threads=1)
    said: list[tuple[float, float]] = []
    analyze(
        run,
        data,
        only=("encode", "traverse", "score"),
        metrics=["mig"],
        resamples=0,
        progress=lambda done, total, note: said.append((done, total)),
    )
    assert said == sorted(said)
    assert (said[0], said[-1]) == ((0, 3), (3, 3))
    assert [stage for stage in known_stages() if run.has(stage)] == ["encode", "traverse", "score"]
    assert set(run.scores()) == {"mig"}
    before = times(run)
    analyze(run, data, only=("encode", "traverse", "score"), metrics=["mig"], resamples=0)
    assert times(run) == before


def test_scores_are_added_to_and_made_anew_with_the_codes(run: Run) -> None:
    run.scores_path.unlink()
    first = score_run(run, metrics=["mig"], resamples=0)
    both = score_run(run, metrics=["mig", "sap"], resamples=0)
    assert set(both.scores) == set(run.scores()) == {"mig", "sap"}
    assert both.scores["mig"].to_json() == first.scores["mig"].to_json()
    before = times(run)
    score_run(run, metrics=["sap"], resamples=0)
    assert times(run) == before
    save_codes(run.codes_path, toy_codes(4.0, 1))
    score_run(run, metrics=["mig"], resamples=0)
    assert set(run.scores()) == {"mig"}, "scores of other codes are gone"


def test_scores_by_an_older_version_of_a_metric_are_computed_again(run: Run) -> None:
    run.scores_path.unlink()
    fresh = score_run(run, metrics=["mig", "rmig"], resamples=0).scores
    assert fresh["rmig"].settings["version"] == 2
    assert "version" not in fresh["mig"].settings
    old = fresh["rmig"].replace(value=0.5, settings={**fresh["rmig"].settings, "version": 1})
    write_scores(run, {**fresh, "rmig": old}, {}, run.scored["inputs"])
    again = score_run(run, metrics=["mig", "rmig"], resamples=0).scores
    assert again["rmig"].value == fresh["rmig"].value != 0.5


def test_what_cannot_be_scored_is_not_tried_again(run: Run) -> None:
    codes = toy_codes(4.0, 0)
    save_codes(run.codes_path, Codes(codes.mean, codes.variance))
    found = score_run(run, metrics=["mig"], resamples=0)
    assert found.scores == {}
    assert "needs factors" in found.skipped["mig"]
    assert json.loads(run.scores_path.read_text())["skipped"] == found.skipped
    before = times(run)
    assert score_run(run, metrics=["mig"], resamples=0).skipped == found.skipped
    assert times(run) == before


def test_labels_serve_as_a_factor_and_scales_of_an_autoencoder_do_not_count() -> None:
    labels = np.repeat(np.arange(4), 50)
    mean = np.column_stack([labels, np.random.default_rng(0).normal(size=200)]).astype(np.float32)
    plain = score_codes(Codes(mean, labels=labels), metrics=["mig"], resamples=0).scores["mig"]
    assert list(plain.per_factor) == ["label"]
    assert plain.value > 0.8
    scaled = Codes(mean * np.float32([1e-3, 1e3]) + np.float32([5, 0]), labels=labels)
    found = score_codes(scaled, metrics=["mig"], resamples=0).scores["mig"]
    assert found.value == pytest.approx(plain.value, abs=1e-3)


def test_projections_are_made_once_for_the_same_codes(run: Run) -> None:
    found = project_run(run, methods=["pca"], rows=100)
    assert found["pca"].xy.shape == (100, 2)
    before = times(run)
    project_run(run, methods=["pca"], rows=100)
    assert times(run) == before
    project_run(run, methods=["pca"], rows=101)
    assert run.projections()["pca"].xy.shape == (101, 2)
    run.projections_path.write_bytes(b"damaged")
    assert set(project_run(run, methods=["pca"], rows=101)) == {"pca"}


def test_without_codes_nothing_is_analysed(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", 1.0, 0, analysed=False)
    for stage in (project_run, score_run):
        with pytest.raises(MissingError, match="--only encode"):
            stage(run)
    with pytest.raises(MissingError, match="toy, the data of run, were not found; name them with --data"):
        analyze(run)


def test_scores_that_another_process_adds_meanwhile_are_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one computes, another one begins, computes and publishes: the order in which one was lost."""
    real = score_codes

    def overtaken(codes: Codes, **options: Any) -> Any:
        if options["metrics"] == ["mig"]:
            score_run(run, metrics=["sap"], resamples=0)
        return real(codes, **options)

    run.scores_path.unlink()
    monkeypatch.setattr(score_stage, "score_codes", overtaken)
    found = score_run(run, metrics=["mig"], resamples=0)
    assert set(found.scores) == set(run.scores()) == {"mig", "sap"}


def test_two_scores_at_once_are_both_kept(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have computed before either of them publishes."""
    real, computed = score_codes, threading.Barrier(2, timeout=60)

    def together(codes: Codes, **options: Any) -> Any:
        found = real(codes, **options)
        computed.wait()
        return found

    run.scores_path.unlink()
    monkeypatch.setattr(score_stage, "score_codes", together)
    metrics = (["mig"], ["sap"])
    threads = [threading.Thread(target=score_run, args=(run,), kwargs={"metrics": m, "resamples": 0}) for m in metrics]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert set(run.scores()) == {"mig", "sap"}


def test_projections_are_computed_while_others_may_write(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    real, free = project_stage.project, []

    def watched(*given: Any, **options: Any) -> Any:
        with lock(run.path):
            free.append(True)
        return real(*given, **options)

    monkeypatch.setattr(project_stage, "project", watched)
    project_run(run, methods=["pca"], rows=99)
    assert free == [True]


@pytest.mark.parametrize("became", ["removed", "moved", "begun anew"])
@pytest.mark.parametrize("verb", ["score", "project"])
def test_answers_about_a_run_that_was_removed_meanwhile_are_not_written_in_its_place(
    run: Run, monkeypatch: pytest.MonkeyPatch, became: str, verb: str
) -> None:
    module, name = (score_stage, "score_codes") if verb == "score" else (project_stage, "project")
    real, away = getattr(module, name), run.path.with_name("away")

    def replaced(*given: Any, **options: Any) -> Any:
        found = real(*given, **options)
        run.path.rename(away)
        if became == "removed":
            shutil.rmtree(away)
        elif became == "begun anew":
            write_run(run.path, 1.0, 0)
        return found

    run.scores_path.unlink()
    monkeypatch.setattr(module, name, replaced)
    with pytest.raises(LatentlabError, match="removed, moved or recreated by another process meanwhile"):
        score_run(run, metrics=["mig"], resamples=0) if verb == "score" else project_run(run, methods=["pca"], rows=99)
    assert run.path.exists() == (became == "begun anew")
    if became == "begun anew":
        assert "mig" in run.scores(), "as they were written with the run"


def test_nothing_is_computed_that_a_read_only_run_could_not_keep(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    score_run(run, metrics=["mig"], resamples=0)
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **_: not (mode & os.W_OK) and real(path, mode))
    monkeypatch.setattr(score_stage, "score_codes", lambda *_, **__: pytest.fail("it was computed"))
    assert "mig" in score_run(run, metrics=["mig"], resamples=0).scores
    with pytest.raises(InputError, match="is read-only, so nothing can be kept in it; copy it"):
        score_run(run, metrics=["sap"], resamples=0)
    with pytest.raises(InputError, match="is read-only"), lock(run.path):
        pass
