"""Every question is answered for tables: with classes, with values that are missing, with categories."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import latentlab as ll
from latentlab.analysis.leakage import reader
from latentlab.analysis.leakage.reader import learn
from latentlab.analysis.outliers.measure import MATCHED, detect
from latentlab.cli import run as latentlab
from latentlab.data import Dataset
from latentlab.runs.health import health
from latentlab.runs.run import Run

STEPS = 250


def holed() -> pd.DataFrame:
    """Diabetes with a tenth of the values gone, and words beside numbers."""
    from sklearn.datasets import load_diabetes

    frame = load_diabetes(as_frame=True, scaled=False).frame
    rng = np.random.default_rng(0)
    frame["sex"] = frame["sex"].map({1.0: "f", 2.0: "m"})
    frame["age group"] = pd.cut(frame.pop("age"), [0, 40, 55, 100], labels=["young", "middle", "old"]).astype("string")
    for name in frame.columns.drop("target"):
        frame.loc[rng.random(len(frame)) < 0.1, name] = pd.NA
    return frame


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("wine") / "run"
    run = ll.train("wine", out, beta=1, latent_dim=2, steps=STEPS, seed=1)
    ll.analyze(run, only=["encode", "traverse", "score"])
    return run


@pytest.fixture(scope="module")
def patients(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Patients with holes, read from a file: progression and age group are factors."""
    folder = tmp_path_factory.mktemp("patients")
    holed().to_csv(folder / "patients.csv", index=False)
    run = ll.train(f"{folder / 'patients.csv'}:factors=target+age group", folder / "run", latent_dim=3, steps=STEPS)
    ll.analyze(run, only=["encode", "traverse", "score"])
    return run


@pytest.fixture(scope="module")
def shuffled() -> pd.DataFrame:
    """Wines of which each column was drawn by itself, some values missing: means alone do not tell them."""
    from sklearn.datasets import load_wine

    rng = np.random.default_rng(0)
    frame = load_wine(as_frame=True).data.apply(lambda column: rng.permutation(column.to_numpy()))
    frame.loc[::4, "ash"] = np.nan
    return frame


def test_wine_in_two_dimensions_keeps_its_cultivars(wine: Run) -> None:
    codes = wine.codes()
    probes = ll.probe(wine, estimators=["knn"], sizes=[20], draws=3)
    assert len(codes) == 178
    assert probes["knn"].accuracy[-1] > 0.8
    assert wine.config.likelihood == "per-column"
    assert np.isfinite(np.asarray(codes.distortion)).all()
    found = dict(zip(*health(wine)[["file", "state"]].to_numpy().T, strict=True))
    assert set(found.values()) <= {"source", "current", "missing"}, found


def test_decoded_rows_are_in_their_own_units(wine: Run) -> None:
    proline = wine.config.form.names.index("proline")
    traversal = ll.traverse(ll.live(wine).ready(), wine.codes(), 0)
    assert traversal.form.kind == "table"
    assert 200 < np.median(traversal.images[..., proline]) < 1700
    for values in (traversal.images, ll.data.load("wine")[:10]):
        returned = traversal.form.from_model(traversal.form.to_model(values))
        np.testing.assert_allclose(returned, values, rtol=1e-5)


def test_outliers_of_a_table_are_held_against_the_mean_and_what_is_missing(wine: Run, shuffled: pd.DataFrame) -> None:
    found = ll.outliers(wine, against=shuffled)
    baselines = {name for name, each in found["scores"].items() if each["baseline"]}
    assert baselines == {"distance to the mean", "missing values"}
    assert found["matched_by"] == ""
    assert all(each["matched"] is None for each in found["scores"].values())
    assert found["scores"]["distortion"]["auroc"] > found["scores"]["distance to the mean"]["auroc"]
    assert set(found["constant_rows"]) == {"mean"}
    assert not found["inverted"]
    assert "at equal" not in ll.figures.rendered("outliers", wine, "svg").decode()


def test_support_debias_explain_and_likelihood_of_a_table(wine: Run) -> None:
    found = ll.support(wine, samples=100)
    assert 0 < found["arms"]["aggregate"]["precision"] <= 1
    assert found["arms"]["constant"]["coverage"] < found["arms"]["real"]["coverage"]
    assert np.isfinite([found["between"][key] for key in ("detour", "jump", "distinctions", "gradient")]).all()
    assert ll.debias(wine).weights.shape == (178,)
    assert ll.explain(wine).local.shape == (2, 13)
    evidence = ll.likelihood(wine, rows=10, samples=20)
    assert np.isfinite(evidence.to_frame().select_dtypes("number")).all(axis=None)
    assert wine.has("support")
    assert wine.has("debias")


def test_missing_values_and_words_go_all_the_way(patients: Run) -> None:
    form = patients.config.form
    assert form.missing
    assert {"sex=f", "sex=m"} < set(form.names)
    codes = patients.codes()
    assert np.isfinite(codes.mean).all()
    assert np.isfinite(np.asarray(codes.distortion)).all()
    assert [spec.name for spec in codes.specs] == ["target", "age group"]
    decoded = ll.decode(ll.live(patients).ready(), codes.mean[:5])
    sex = [form.names.index(name) for name in ("sex=f", "sex=m")]
    np.testing.assert_allclose(decoded[:, sex].sum(axis=1), 1, atol=1e-5)
    assert not np.isnan(decoded).any()


def test_questions_about_rows_with_holes(patients: Run, short_learning: None) -> None:
    assert np.isfinite(ll.support(patients, samples=100)["arms"]["prior"]["precision"])
    assert np.isfinite(ll.likelihood(patients, rows=5, samples=10).to_frame().select_dtypes("number")).all(axis=None)
    assert ll.debias(patients).weights.shape == (442,)
    score = ll.leakage(patients, anchors=4)
    assert {*score.settings["factors"], *score.settings["left_out"]} == {"target", "age group"}


def test_a_reader_of_columns_reads_what_they_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "UPDATES", 600)  # a quarter of them do for columns
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 4)) * [1, 10, 100, 1] + [0, 5, -1000, 0]
    data = ll.data.from_arrays(x, factors={"second": x[:, 1], "third": x[:, 2]})
    assert [round(scale.r2, 1) for scale in learn(data).scales] == [1.0, 1.0]


def test_columns_in_another_order_are_refused_by_name(wine: Run) -> None:
    wines = ll.data.load("wine")
    turned = ll.data.from_arrays(wines[:][:, ::-1], feature_names=wines.form.names[::-1])
    with pytest.raises(ll.InputError, match=r"has proline where .* alcohol; put columns in that order"):
        ll.encode(wine, turned)


def test_a_frame_and_an_array_are_trained_on_as_they_are(tmp_path: Path) -> None:
    frame = holed().drop(columns="target")
    for name, given in (("frame", frame), ("array", np.random.default_rng(0).normal(size=(50, 4)))):
        run = ll.train(given, tmp_path / name, latent_dim=2, steps=3)
        assert run.config.form.kind == "table"
        assert len(ll.encode(run, given)) == len(given)


def test_pairs_need_the_score_they_are_matched_by() -> None:
    scores = {"distance": np.arange(5.0)}
    with pytest.raises(ll.InputError, match="expected equal names"):
        detect(scores, scores, matched=MATCHED)
    found = detect(scores, {"distance": np.arange(5.0) + 9}, baselines=["distance"], matched=("", 0.0))
    assert (found["distance"].auroc, found["distance"].baseline, found["distance"].pairs) == (1.0, True, 0)


def test_the_command_line_on_a_table(
    wine: Run, shuffled: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    assert latentlab(["outliers", str(wine.path), "--against", str(tmp_path / "shuffled.csv")]) == 0
    printed = capsys.readouterr().out
    assert "the mean" in printed
    assert "brightness" not in printed
    assert latentlab(["train", "--data", "wine:binarised=1", "-o", str(tmp_path / "x")]) == 2
    assert "is for images of bytes" in capsys.readouterr().err


def test_floats_of_images_and_other_kinds_have_baselines_of_their_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    signals: Dataset = ll.data.from_arrays(rng.normal(size=(60, 1, 40)), "signal", name="noise")
    louder = ll.data.from_arrays(3 * rng.normal(size=(60, 1, 40)), "signal", name="louder")
    run = ll.train(signals, tmp_path / "run", latent_dim=2, steps=5)
    found = ll.outliers(run, against=louder, data=signals)
    assert found["best_baseline"][0] in ("power", "distance to the mean")
    assert found["matched_by"] == "power"
    assert found["scores"]["power"]["auroc"] == 1.0
