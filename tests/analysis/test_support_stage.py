"""A run surveyed as a whole: what is kept, what is undefined, and that a collapsed or rescaled model wins nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from latentlab import sweep
from latentlab.analysis.support.compute import along
from latentlab.analysis.support.measure import coverage
from latentlab.analysis.support.record import read_sheet, read_support, support_table
from latentlab.analysis.support.stage import _in_turn, _rows, support
from latentlab.cli import run as command
from latentlab.data import Form, load
from latentlab.data.kinds import counts
from latentlab.models import load_model
from latentlab.models.decoding import decode
from latentlab.runs.run import Run
from latentlab.runs.study import Study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """AE, β = 1 and a β so large that nothing is encoded, on the embedded digits."""
    folder = tmp_path_factory.mktemp("survey") / "study"
    return sweep("digits", folder, beta=["ae", 1, 1000], steps=400, latent_dim=3, workers=1)


@pytest.fixture(scope="module")
def found(study: Study) -> dict[str, dict]:
    return {run.name: support(run, samples=400) for run in study}


def test_a_collapsed_model_covers_nothing_though_it_fits_the_prior(found):
    collapsed, vae = found["beta1000-seed0"], found["beta1-seed0"]
    assert collapsed["information"]["active_units"] == 0
    assert collapsed["arms"]["prior"]["coverage"] < 0.05 < vae["arms"]["prior"]["coverage"]
    assert collapsed["arms"]["prior"]["holes"] < 0.05
    assert collapsed["fit"]["mmd"] < vae["fit"]["mmd"] + 0.01
    assert collapsed["between"]["distinctions"] < 0.2 * vae["between"]["distinctions"]
    assert collapsed["information"]["probe"] < vae["information"]["probe"]
    assert collapsed["widths"] is None
    assert "no dimension is active" in collapsed["undefined"]["widths"]


def test_what_an_autoencoder_has_not_is_undefined_with_its_reason(found):
    ae = found["ae-seed0"]
    assert ae["fit"] is None
    assert ae["widths"] is None
    assert ae["between"]["widths"] is None
    assert "holes" not in ae["arms"]["prior"]
    assert {"fit", "gradient", "arms.prior", "rate"} <= ae["undefined"].keys()
    assert ae["between"]["distinctions"] > 0


def test_real_rows_are_not_compared_with_themselves(found):
    real = found["beta1-seed0"]["arms"]["real"]
    assert real["to_training"] > 0.1
    assert 0.5 < real["precision"] < 1


def test_where_all_rows_were_trained_on_half_of_them_are_held_against_the_others():
    data = load("wine")
    assert len(_rows(data, data, 5000, 0)) == 89
    assert len(_rows(data, data, 50, 0)) == 50
    assert len(_rows(data.take(np.arange(100)), data.take(np.arange(100, 178)), 5000, 0)) == 100


def test_real_rows_are_like_others_though_there_are_fewer_than_numbers_in_a_row():
    rng = np.random.default_rng(0)
    one, other = (rng.poisson(2.0, (120, 500)) for _ in range(2))
    form = Form("counts", (500,), "int32")
    space = counts.space(form, _in_turn(one, other))
    assert coverage(space(one), space(other))["coverage"] > 0.6
    assert _in_turn(one[:2], other[:3]).tolist() == np.stack([one[0], other[0], one[1], other[1], other[2]]).tolist()


def test_rows_that_were_trained_on_say_nothing_of_memory(found):
    assert all(each["memory"] is None for each in found.values())
    assert "not trained on" in found["ae-seed0"]["undefined"]["memory"]


def test_it_is_kept_and_not_made_again(study, found):
    run = study["beta1-seed0"]
    before = (run.path / "support.json").stat().st_mtime_ns
    assert support(run, samples=400) == found[run.name] == read_support(run)
    assert (run.path / "support.json").stat().st_mtime_ns == before
    sheet = read_sheet(run)
    assert set(sheet) == {"samples-prior", "samples-gaussian", "samples-aggregate", "ways", "narrowest", "widest"}
    np.testing.assert_array_equal(sheet["samples-prior"].images, decode(load_model(run), sheet["samples-prior"].codes))
    data = load("digits")
    rows = sheet["samples-prior"].settings["nearest"]
    np.testing.assert_array_equal(sheet["samples-prior"].originals, data[rows])


def test_widest_and_narrowest_rows_are_so(study, found):
    sheet = read_sheet(study["beta1-seed0"])
    assert max(sheet["narrowest"].settings["width"]) < min(sheet["widest"].settings["width"])


def test_one_row_a_run(study, found):
    table = support_table(list(study))
    assert table["setting"].tolist() == ["AE", "β = 1", "β = 1000"]
    assert table["rate"].isna().tolist() == [True, False, False]
    assert table["prior.coverage"].between(0, 1).all()


def test_information_along_a_way_is_the_divergence_of_neighbours(study):
    model = load_model(study["beta1-seed0"])
    z = np.linspace(-np.ones(3), np.ones(3), 5, dtype=np.float32)[None]
    images, information = along(model, z)
    with torch.no_grad():
        p = model.decode(torch.from_numpy(z[0])).base_dist.probs.double().flatten(1)
    a, b = p[:-1], p[1:]
    expected = (a * (a / b).log() + (1 - a) * ((1 - a) / (1 - b)).log()).sum(dim=1)
    np.testing.assert_allclose(information[0], expected.numpy(), rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(images, decode(model, z))


def test_the_verb_prints_a_table_and_json(study, found, capsys):
    assert command(["support", str(study.path), "--samples", "400", "--json"]) == 0
    assert {Path(each["run"]).name for each in json.loads(capsys.readouterr().out)["runs"]} == found.keys()
    assert command(["support", str(study.path / "ae-seed0"), "--samples", "400", "-q"]) == 0
    printed = capsys.readouterr().out
    assert "normal fitted to the codes" in printed
    assert "scale of a deterministic encoder is arbitrary" in printed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["support", "/no/such"], "does not exist"),
        (["support", "RUN", "--data", "digts"], "does not exist"),
        (["likelihood", "RUN"], "not normalised"),
        (["likelihood", "AE"], "deterministic"),
        (["likelihood", "STUDY"], "deterministic"),
    ],
)
def test_wrong_input_is_one_line(study, arguments, says, capsys):
    places = {"RUN": study.path / "beta1-seed0", "AE": study.path / "ae-seed0", "STUDY": study.path}
    status = command([str(places.get(word, word)) for word in arguments])
    printed = capsys.readouterr()
    assert status in (1, 2)
    assert says in printed.err
    assert "Traceback" not in printed.err


def test_log_p_of_binarised_digits(study, capsys):
    """A model of grey levels is judged on bits: that is a probability, whatever it was trained on."""
    place = str(study.path / "beta1-seed0")
    command(["likelihood", place, "--data", "digits:binarised=0", "--rows", "20", "--samples", "50", "--json"])
    answer = json.loads(capsys.readouterr().out)["runs"][0]
    assert -64 * np.log(2) * 3 < answer["log_likelihood"] < 0
    assert answer["log_likelihood"] >= answer["elbo"]
    assert (Path(place) / "likelihood.h5").is_file()
    assert Run(Path(place)).path.is_dir()
