"""Training by weights: rows come as often as they say, the run knows them, and wrong ones are refused."""

from pathlib import Path

import numpy as np
import pytest

from latentlab.cli import run as cli
from latentlab.data import load
from latentlab.errors import InputError, LatentlabError, Remark
from latentlab.runs.data import companion
from latentlab.runs.run import Run
from latentlab.system.files import sha256, write_json
from latentlab.training.batches import epoch_order
from latentlab.training.row_weights import digest, weights_of
from latentlab.training.train import train

SMALL = {"latent_dim": 2, "batch_size": 16, "log_every": 1, "threads": 1}


def test_rows_are_drawn_as_often_as_the_weights_say():
    weights = np.array([0.5, 0.3, 0.2, 0.0])
    drawn = np.concatenate([epoch_order(4, 0, epoch, weights) for epoch in range(3000)])
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / len(drawn), weights, atol=0.02)
    assert sorted(epoch_order(9, 0, 0)) == list(range(9))
    np.testing.assert_array_equal(epoch_order(4, 1, 2, weights), epoch_order(4, 1, 2, weights))


def test_entry_i_is_that_of_row_id_i():
    data = load("digits").take([5, 2, 9])
    found = weights_of(data, np.arange(20))
    np.testing.assert_allclose(found, np.array([5, 2, 9]) / 16)


@pytest.fixture
def only_few(tmp_path: Path) -> Path:
    """Weights that draw the first ten digits alone."""
    path = tmp_path / "w.npy"
    np.save(path, (np.arange(1797) < 10).astype(float))
    images = {"digits": load("digits").fingerprint["images"]}
    write_json(companion(path), {"format": 1, "weights": sha256(path), "images": images})
    return path


def test_weights_made_for_other_images_are_refused_whatever_they_are_called(only_few, tmp_path):
    other = np.random.default_rng(0).integers(0, 255, (1797, 8, 8), np.uint8)
    np.save(tmp_path / "digits.npy", other)
    with pytest.raises(InputError, match=r"was made for different images \(digits\) than those of") as error:
        train(tmp_path / "digits.npy", tmp_path / "run", weights=only_few, steps=2, **SMALL)
    assert len(str(error.value)) <= 200
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("kept", [None, "{}", '{"format": 1, "weights": "of another file", "images": {}}'])
def test_weights_of_unknown_images_are_taken_with_a_word(kept, only_few, tmp_path):
    companion(only_few).unlink()
    if kept is not None:
        companion(only_few).write_text(kept)
    with pytest.warns(Remark, match="does not record its images") as told:
        train("digits", tmp_path / "run", weights=only_few, steps=2, **SMALL)
    assert all(len(str(each.message)) <= 188 for each in told)


def test_debias_says_which_images_it_weighed(tmp_path):
    run = train("digits", tmp_path / "run", steps=4, **SMALL)
    assert cli(["debias", str(run.path), "-o", str(tmp_path / "w.npy"), "-q"]) == 0
    assert train("digits", tmp_path / "next", weights=tmp_path / "w.npy", steps=2, **SMALL).state == "finished"


def test_a_run_records_them_and_a_resume_needs_them_again(only_few, tmp_path):
    run = train("digits", tmp_path / "run", weights=only_few, steps=4, **SMALL)
    assert run.config.weights == digest(weights_of(load("digits"), only_few))
    assert train("digits", run.path, weights=np.load(only_few), steps=4, **SMALL).state == "finished"
    with pytest.raises(LatentlabError, match="weights is"):
        train("digits", run.path, steps=4, **SMALL)


def test_other_rows_make_other_weights_and_none_is_as_before(only_few, tmp_path):
    plain = train("digits", tmp_path / "plain", steps=4, **SMALL)
    again = train("digits", tmp_path / "again", steps=4, **SMALL)
    weighed = train("digits", tmp_path / "weighed", weights=only_few, steps=4, **SMALL)
    read = lambda run: Run(run.path).model_path.read_bytes()  # noqa: E731
    assert read(plain) == read(again) != read(weighed)
    assert plain.config.weights == ""


def test_only_rows_with_weight_are_learned(only_few, tmp_path):
    """Ten images over and over are soon known better than the rest."""
    run = train("digits", tmp_path / "run", weights=only_few, steps=150, learning_rate=5e-3, **SMALL)
    from latentlab.models import load_model
    from latentlab.models.encoding import judge

    distortion = judge(load_model(run), load("digits"), rows=None).distortion
    assert distortion[:10].mean() < distortion[10:].mean() - 2


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        (np.ones((2, 2)), "expected numbers"),
        (np.ones(100), "of 100 rows but digits has row ids up to 1,796"),
        (np.full(1797, np.nan), "1,797 of 1,797 rows have a missing"),
        (-np.ones(1797), "negative"),
        (np.zeros(1797), "all are 0"),
        (np.array(["a"] * 1797), "expected numbers"),
        ("nowhere.npy", "does not exist"),
    ],
)
def test_wrong_weights_are_one_line_and_leave_nothing(weights, match, tmp_path):
    with pytest.raises(InputError, match=match) as error:
        train("digits", tmp_path / "run", weights=weights, steps=2)
    assert len(str(error.value)) < 200
    assert not (tmp_path / "run").exists()
