"""Training on correlated factors: pairs come by the law, the run records it, and what has no levels is refused."""

import json

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from latentlab.cli import run as cli
from latentlab.data import Dataset, Factor
from latentlab.errors import InputError, LatentlabError
from latentlab.runs.commands import commands
from latentlab.runs.run import Run
from latentlab.runs.study import Study
from latentlab.training.batches import epoch_order
from latentlab.training.configure import configure
from latentlab.training.correlated import Correlation, correlated, read_correlation
from latentlab.training.ensemble import kind
from latentlab.training.row_weights import digest
from latentlab.training.sweep import sweep
from latentlab.training.train import train

SMALL = {"latent_dim": 2, "batch_size": 16, "log_every": 1, "threads": 1, "network": "mlp"}
SIZES = (4, 6, 3)
NAMES = ("shape", "x_position", "size")


def grid(repeats=1, factors=None, specs=None):
    """Small images of a full grid of three factors."""
    levels = np.tile(np.stack(np.unravel_index(np.arange(72), SIZES), axis=1), (repeats, 1)).astype(float)
    images = np.random.default_rng(0).integers(0, 255, (len(levels), 1, 4, 4)).astype(np.uint8)
    given_specs = specs or tuple(Factor(name, "ordinal") for name in NAMES)
    return Dataset("cells", images.shape, images.__getitem__, levels if factors is None else factors, given_specs)


@given(st.floats(0.15, 3), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_pairs_have_the_probabilities_of_the_law_however_often_each_occurs(sigma, seed):
    random = np.random.default_rng(seed)
    rows = np.sort(random.choice(720, 400, replace=False))
    data = grid(10).take(rows)
    weights = correlated(data, Correlation("shape", "x_position", sigma))
    assert weights.sum() == pytest.approx(1)
    a, b = data.factors[:, 0] / 3, data.factors[:, 1] / 5
    law = {pair: np.exp(-((pair[0] - pair[1]) ** 2) / (2 * sigma**2)) for pair in set(zip(a, b, strict=True))}
    for pair, each in law.items():
        alike = (a == pair[0]) & (b == pair[1])
        assert weights[alike].sum() == pytest.approx(each / sum(law.values()), rel=1e-5)
        assert len(set(weights[alike])) == 1


def test_a_small_deviation_correlates_strongly_and_a_large_one_hardly_and_others_stay_as_they_are():
    found = {}
    for sigma in (0.2, 0.4, 10):
        data = grid(20)
        order = np.concatenate(
            [
                epoch_order(len(data), 3, e, correlated(data, Correlation("shape", "x_position", sigma)))
                for e in range(9)
            ]
        )
        drawn = np.corrcoef(data.factors[order].T)
        found[sigma] = drawn[0, 1]
        assert np.abs(drawn[2, :2]).max() < 0.04
    assert found[0.2] > 0.8 > found[0.4] > 0.4
    assert abs(found[10]) < 0.04


def test_the_correlations_that_the_page_names():
    levels = np.stack(np.unravel_index(np.arange(32 * 32), (32, 32)), axis=1).astype(float)
    specs = (Factor("a", "ordinal"), Factor("b", "ordinal"))
    images = np.zeros((len(levels), 1, 1, 1), np.uint8)
    data = Dataset("square", images.shape, images.__getitem__, levels, specs)
    found = []
    for sigma in (0.2, 0.4, 0.7, 2):
        covariance = np.cov(levels.T, aweights=correlated(data, Correlation("a", "b", sigma)))
        found.append(f"{covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]):.2f}")
    text = " ".join((ROOT / "docs" / "training.md").read_text(encoding="utf-8").split())
    assert f"σ = 0.2, 0.4, 0.7 and 2 give correlations of {', '.join(found[:3])} and {found[3]}" in text


def test_rows_without_a_label_are_not_drawn():
    levels = grid().factors.copy()
    levels[::5, 1] = np.nan
    weights = correlated(grid(factors=levels), Correlation("shape", "x_position", 0.5))
    assert (weights[::5] == 0).all()
    assert (np.delete(weights, np.arange(0, 72, 5)) > 0).all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("shape:colour=0.2", "cells has no factor 'colour'; its factors: shape, x_position, size"),
        ("shape:shape=0.2", "correlate names 'shape' twice; expected two different factors"),
        ("shape:x_position=0.01", r"leaves cells the worth of \S+ rows; expected at least 10: choose a larger σ"),
        ("shape:x_position=-1", "expected two factors and σ > 0, as in shape:scale=0.2"),
        ("shape:x_position=nan", "expected two factors and σ > 0"),
        ("shape=0.2", "expected two factors and σ > 0"),
        ("shape:x_position", "expected two factors and σ > 0"),
    ],
)
def test_what_cannot_be_correlated_is_one_line(text, message, tmp_path):
    with pytest.raises(InputError, match=message) as error:
        train(grid(), tmp_path / "run", correlate=text, steps=2, **SMALL)
    assert len(str(error.value)) <= 200
    assert not (tmp_path / "run").exists()


def test_factors_without_levels_and_data_without_factors_are_refused():
    values = grid().factors + 0.5 * np.arange(3) / 3
    with pytest.raises(InputError, match="factor x_position is continuous; correlate needs factors with levels"):
        correlated(grid(factors=values), Correlation("shape", "x_position", 0.2))
    specs = (Factor("shape", "continuous"), Factor("x_position", "ordinal"), Factor("size", "ordinal"))
    with pytest.raises(InputError, match="factor shape is continuous"):
        correlated(grid(specs=specs), Correlation("shape", "size", 0.2))
    one = grid().factors * [1, 1, 0]
    with pytest.raises(InputError, match="factor size has 1 level in cells; correlate needs two"):
        correlated(grid(factors=one), Correlation("shape", "size", 0.2))
    images = np.zeros((9, 1, 4, 4), np.uint8)
    with pytest.raises(InputError, match="plain has no factors to correlate"):
        correlated(Dataset("plain", images.shape, images.__getitem__), Correlation("a", "b", 0.2))


def test_the_run_records_it_resumes_with_it_and_is_another_run_without(tmp_path):
    data, options = grid(), {"steps": 6, **SMALL}
    run = train(data, tmp_path / "run", correlate="shape:x_position=0.30", **options)
    assert run.config.correlate == "shape:x_position=0.3"
    weights = correlated(data, read_correlation("shape:x_position=0.3"))
    assert run.config.weights == digest(weights)
    assert train(data, run.path, correlate="shape:x_position=0.3", **options).state == "finished"
    for changed in ({}, {"correlate": "shape:x_position=0.4"}):
        with pytest.raises(LatentlabError, match=r"contains a different run: (weights|correlate) is"):
            train(data, run.path, **changed, **options)
    by_hand = train(data, tmp_path / "by hand", weights=weights, **options)
    assert [line["loss"] for line in by_hand.history()] == [line["loss"] for line in run.history()]
    assert "--weights WEIGHTS" in commands(by_hand)[0]
    plain = train(data, tmp_path / "plain", **options)
    assert plain.config.correlate == plain.config.weights == ""
    assert [line["loss"] for line in plain.history()] != [line["loss"] for line in run.history()]
    assert "--correlate shape:x_position=0.3" in commands(run)[0]


def test_weights_cannot_be_given_too_and_other_factors_are_noticed(tmp_path):
    data = grid()
    with pytest.raises(InputError, match="weights and correlate both determine how rows are sampled; leave one out"):
        train(data, tmp_path / "run", correlate="shape:size=0.5", weights=np.ones(72), steps=2, **SMALL)
    config = configure(data, correlate="shape:size=0.5", steps=2, **SMALL)
    with pytest.raises(InputError, match=r"cells has other factors now than when shape:size=0\.5 was set up"):
        train(grid(factors=np.roll(data.factors, 5, axis=0)), tmp_path / "run", config=config)


def test_members_of_a_study_are_trained_on_the_same_law_apart_from_each_other(tmp_path):
    data = grid()
    options = {"correlate": "shape:size=0.3", "beta": [1.0], "seeds": 2, "steps": 4, **SMALL}
    study = sweep(data, tmp_path / "study", together=True, **options)
    assert {run.config.correlate for run in study} == {"shape:size=0.3"}
    assert len({run.config.weights for run in study}) == 1
    assert [run.state for run in study] == ["finished"] * 2
    assert kind(next(iter(study)).config) is None, "a stack draws each row once an epoch"
    again = sweep(data, tmp_path / "study", **options)
    assert [run.config for run in again] == [run.config for run in study]


def test_the_command_line_trains_and_sweeps_on_correlated_rows(tmp_path, capsys):
    data = grid()
    path = tmp_path / "cells.npz"
    np.savez(path, images=data[:], factors=data.factors.astype(int), factor_names=list(NAMES),
             factor_kinds=["ordinal"] * 3)  # fmt: skip
    small = ["--latent-dim", "2", "--steps", "2", "--batch-size", "16", "--quiet"]
    assert (
        cli(["train", "--data", str(path), "-o", str(tmp_path / "run"), "--correlate", "shape:size=0.4", *small]) == 0
    )
    assert Run(tmp_path / "run").config.correlate == "shape:size=0.4"
    given_study = [
        "sweep",
        "--data",
        str(path),
        "-o",
        str(tmp_path / "study"),
        "--beta",
        "1",
        "--seeds",
        "2",
        "--workers",
        "2",
    ]
    assert cli([*given_study, "--correlate", "shape:size=0.4", *small]) == 0
    assert [run.config.weights for run in Study(tmp_path / "study")] == [Run(tmp_path / "run").config.weights] * 2
    plan = json.loads((tmp_path / "study" / "study.json").read_text())
    assert {member["correlate"] for member in plan["members"].values()} == {"shape:size=0.4"}
    capsys.readouterr()
    assert cli(["train", "--data", str(path), "-o", str(tmp_path / "x"), "--correlate", "shape:colour=1", *small]) == 2
    assert "has no factor 'colour'; its factors: shape, x_position, size" in capsys.readouterr().err


def test_a_study_file_may_say_it(tmp_path):
    from latentlab.training.plan import read_plan

    (tmp_path / "study.toml").write_text('data = "scenes"\nbeta = [1]\ncorrelate = "shape:scale=0.2"\n')
    assert read_plan(tmp_path / "study.toml").options["correlate"] == "shape:scale=0.2"
