"""The verbs debias, outliers, probe and explain, on a small trained run: what they keep, say and refuse."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from toy import write_run

from latentlab.analysis.debias.measure import commonness
from latentlab.analysis.debias.record import load_extremes
from latentlab.analysis.debias.stage import debias, shares
from latentlab.analysis.encode.stage import encode
from latentlab.analysis.explain.record import effects_of
from latentlab.analysis.explain.stage import explain
from latentlab.analysis.outliers import stage as outliers_stage
from latentlab.analysis.outliers.record import load_outliers
from latentlab.analysis.outliers.stage import outliers
from latentlab.analysis.probe import stage as probe_stage
from latentlab.analysis.probe.measure import ESTIMATORS
from latentlab.analysis.probe.record import load_probes
from latentlab.analysis.probe.stage import probe
from latentlab.cli import run as latentlab
from latentlab.codes.codes import Codes
from latentlab.data import Dataset, load
from latentlab.errors import InputError
from latentlab.models import encoding, load_model
from latentlab.runs.data import trained_rows
from latentlab.runs.run import Run
from latentlab.system.files import read_json
from latentlab.training.train import train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Digits under a small VAE, encoded."""
    path = tmp_path_factory.mktemp("runs") / "digits"
    found = train("digits", path, steps=300, latent_dim=4, settings={"beta": 0.5}, threads=1)
    encode(found)
    return found


def answer(capsys: pytest.CaptureFixture[str], *line: object) -> dict:
    assert latentlab([str(part) for part in line]) == 0
    return json.loads(capsys.readouterr().out)


def test_debias_writes_weights_that_train_takes(run, tmp_path, capsys):
    found = answer(capsys, "debias", run.path, "-o", tmp_path / "w.npy", "--json")["runs"][0]
    weights = np.load(tmp_path / "w.npy", allow_pickle=False)
    assert len(weights) == 1797
    assert weights.mean() == pytest.approx(1)
    assert 1 < found["effective"] < 1797
    assert sum(each["weighted"] for each in found["classes"]) == pytest.approx(1)
    assert [each["rows"] for each in found["classes"]] == np.bincount(load("digits").labels).tolist()
    again = train("digits", tmp_path / "again", weights=tmp_path / "w.npy", steps=2, latent_dim=4, threads=1)
    assert again.config.weights


def test_debias_keeps_the_extremes_with_their_pictures(run):
    found = debias(run)
    parts = load_extremes(run)
    order = np.argsort(found.weights)
    assert parts["rarest"].settings["rows"][0] == found.row_ids[order[-1]]
    assert parts["commonest"].settings["weights"] == sorted(parts["commonest"].settings["weights"])
    rows = parts["rarest"].settings["rows"]
    np.testing.assert_array_equal(parts["rarest"].originals, load("digits")[rows])
    assert parts["rarest"].settings["classes"][0] == str(load("digits").labels[rows[0]])


def test_debias_encodes_only_what_the_run_has_no_codes_of(run, monkeypatch):
    """Its own codes are of all digits: the same rows, and the same answer; those of some of them are not."""
    data, real, encoded = load("digits"), encoding.judge, []
    fresh = commonness(real(load_model(run), data, distortion=False))
    monkeypatch.setattr(encoding, "judge", lambda *given, **options: encoded.append(1) or real(*given, **options))
    np.testing.assert_array_equal(debias(run).weights, fresh.weights)
    assert encoded == []
    assert len(debias(run, data=data.take(np.arange(200))).weights) == 200
    assert encoded == [1]


def test_shares_are_of_the_labels_and_nothing_without_them(run):
    data = trained_rows(run)
    found = debias(run)
    assert len(shares(data, found)) == 10
    from dataclasses import replace

    assert shares(replace(data, labels=None), found) == []


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """Noise of the digits' size, dark on light, so that it has to be inverted."""
    path = tmp_path / "noise.npz"
    images = np.random.default_rng(0).integers(0, 120, (300, 8, 8))
    images[:, 0] = images[:, -1] = images[:, :, 0] = images[:, :, -1] = 0
    np.savez(path, images=(255 - images).astype(np.uint8))
    return path


def test_outliers_says_both_directions_beside_baselines(run, foreign, tmp_path, capsys):
    other = train(foreign, tmp_path / "noise", steps=60, latent_dim=2, threads=1)
    found = answer(capsys, "outliers", run.path, "--against", foreign, "--reverse", other.path, "--json")["runs"]
    assert [each["against"] for each in found] == ["noise", "digits"]
    assert [each["inverted"] for each in found] == [True, True]
    for each in found:
        assert {"distortion", "rate", "−ELBO", "typicality", "Mahalanobis"} <= each["scores"].keys()
        assert [name for name, s in each["scores"].items() if s["baseline"]] == [
            "intensity",
            "complexity",
            "mean image",
        ]
        assert set(each["constant_images"]) == {"any", "black"}
        assert each["own_rows_were_trained_on"]
        low, high = each["scores"]["distortion"]["auroc_interval"]
        assert low <= each["scores"]["distortion"]["auroc"] <= high
    assert list(load_outliers(run)) == ["digits against noise"]


def test_outliers_forgets_what_other_weights_said(run, foreign):
    outliers(run, against=load(foreign), rows=200)
    path = run.path / "outliers.json"
    kept = json.loads(path.read_text())
    path.write_text(json.dumps({**kept, "model": "other", "entries": {"old": {}}}))
    outliers(run, against=load(foreign), rows=200)
    assert list(json.loads(path.read_text())["entries"]) == ["digits against noise"]


def test_outliers_of_another_form_of_the_own_data_are_named_by_it(run, monkeypatch):
    monkeypatch.setattr(outliers_stage, "_judged", lambda *_: {"best_baseline": ["intensity", 0.8], "scores": {}})
    spec = "digits:inverted=1"
    assert outliers(run, against=spec).against == spec
    assert f"digits against {spec}" in load_outliers(run)


def test_probe_keeps_its_curves_until_the_codes_change(run, capsys):
    found = answer(capsys, "probe", run.path, "--sizes", "1,20", "--draws", 3, "--json")["runs"][0]["probes"]
    assert [each["estimator"] for each in found] == ["linear", "knn"]
    assert found[0]["accuracy"][1] > found[0]["chance"] + 0.3
    stamp = (run.path / "probes.json").stat().st_mtime_ns
    probe(run, sizes=(1, 20), draws=3)
    assert (run.path / "probes.json").stat().st_mtime_ns == stamp
    probe(run, sizes=(1,), draws=3)
    assert load_probes(run)["linear"].sizes == (1,)


def test_explain_tells_each_dimension_and_keeps_the_maps(run, capsys):
    found = answer(capsys, "explain", run.path, "--rows", 4, "--steps", 5, "--json")["runs"][0]["dimensions"]
    assert {each["dim"] for each in found} == {"z0", "z1", "z2", "z3"}
    assert sum(each["strength_share"] for each in found) == pytest.approx(1)
    assert all(0 < each["straightness"] <= 1 for each in found)
    effects = effects_of(run)
    assert effects.local.shape == (4, 8, 8)
    stamp = (run.path / "effects.h5").stat().st_mtime_ns
    explain(run, rows=4, steps=5)
    assert (run.path / "effects.h5").stat().st_mtime_ns == stamp


def test_the_verbs_speak_in_tables(run, foreign, capsys):
    for line in (
        ("debias", run.path),
        ("outliers", run.path, "--against", foreign, "--rows", 200),
        ("probe", run.path, "--sizes", "1,20", "--draws", 3),
        ("explain", run.path, "--rows", 4, "--steps", 5),
    ):
        assert latentlab([str(part) for part in line]) == 0
    told = capsys.readouterr().out
    assert "effective sample size" in told
    assert "Best baseline" in told
    assert "20 per class" in told
    assert "straightness" in told


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("outliers RUN --against nowhere", "does not exist"),
        ("outliers RUN --against dsprites:size=32,grid=3x1x1x2x2", "resize them"),
        ("probe RUN --sizes 0", "as in 1,10,100"),
        ("probe RUN --estimator forest", "no estimator is called"),
        ("probe RUN --factor colour", "no classes called 'colour'"),
        ("debias RUN --bins 1", "2 to 1,000 bins"),
        ("debias RUN -o w.txt", "expected .npy"),
        ("explain nowhere", "does not exist"),
    ],
)
def test_wrong_input_is_one_line(line, match, run, capsys):
    words = [str(run.path) if word == "RUN" else word for word in line.split()]
    assert latentlab(words) == 2
    told = capsys.readouterr().err.strip()
    assert match in told.splitlines()[-1]
    assert len(told.splitlines()[-1]) <= 200


def test_a_run_without_codes_is_told_how_to_make_them(tmp_path):
    bare = train("digits", tmp_path / "bare", steps=2, latent_dim=2, threads=1)
    with pytest.raises(InputError, match="latentlab analyze"):
        probe(bare)
    with pytest.raises(InputError, match="latentlab analyze"):
        explain(bare)


def test_curves_that_another_process_adds_meanwhile_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_run(tmp_path / "run", 4.0, 0)
    real, first = probe_stage.few_label_curve, next(iter(ESTIMATORS))
    options = {"sizes": (1, 5), "draws": 2}

    def overtaken(codes: Codes, **settings: Any) -> Any:
        if settings["estimator"] == first:
            probe(run, estimators=list(ESTIMATORS)[1:], **options)
        return real(codes, **settings)

    monkeypatch.setattr(probe_stage, "few_label_curve", overtaken)
    probe(run, estimators=[first], **options)
    assert set(load_probes(run)) == set(ESTIMATORS)


def test_outliers_that_another_process_adds_meanwhile_are_kept(run, monkeypatch):
    monkeypatch.setattr(outliers_stage, "_judged", lambda *_: {"best_baseline": ["intensity", 0.8], "scores": {}})
    images = np.zeros((9, 1, 8, 8), np.uint8)
    sets = [Dataset(name, images.shape, images.__getitem__, source={"name": name}) for name in "abcd"]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda each: outliers(run, against=each), sets))
    assert {f"digits against {name}" for name in "abcd"} <= read_json(run.path / "outliers.json")["entries"].keys()
