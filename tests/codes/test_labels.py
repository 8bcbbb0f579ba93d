"""−1 is no class: rows without a label take part in nothing that reads labels, and everything else keeps them."""

from pathlib import Path

import numpy as np
import pytest

import latentlab as ll
from latentlab.analysis.debias.stage import debias, shares
from latentlab.analysis.leakage.reader import learn
from latentlab.analysis.probe.measure import few_label_curve
from latentlab.analysis.score.stage import score_codes
from latentlab.cli import run as cli
from latentlab.codes.codes import Codes
from latentlab.codes.labels import as_factor
from latentlab.data import Dataset
from latentlab.data.dataset import labelled
from latentlab.errors import InputError


@pytest.mark.parametrize(
    ("labels", "known"),
    [
        ([0, 1, 2], [1, 1, 1]),
        ([-1, 0, 1], [0, 1, 1]),
        ([-1, 0, 7], [0, 1, 1]),
        ([-1, 1, 2], [0, 1, 1]),
        ([-1, 1, 1], [1, 1, 1]),
        ([-2, -1, 0], [1, 1, 1]),
        ([-1, 1, 3], [1, 1, 1]),
        ([-1, -1, -1], [0, 0, 0]),
    ],
)
def test_which_rows_have_a_label(labels: list[int], known: list[int]) -> None:
    assert labelled(np.array(labels)).tolist() == [bool(each) for each in known]
    assert np.isnan(as_factor(np.array(labels))).ravel().tolist() == [not each for each in known]


def test_named_classes_count_from_the_first_also_where_it_has_no_row() -> None:
    names = ("cat", "dog")
    assert labelled(np.array([-1, 1, 1]), names).tolist() == [False, True, True]
    codes = Codes(np.zeros((3, 1), np.float32), labels=np.array([-1, 1, 1]), label_names=names)
    assert codes.class_names() == [None, "dog", "dog"]
    assert np.isnan(as_factor(codes.labels, names)).ravel().tolist() == [True, False, False]  # type: ignore[arg-type]


def halves(n: int = 600) -> tuple[Codes, Codes]:
    """Codes half of whose rows have no label, and those of the other half alone."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, 3, n)
    mean = (np.eye(3)[classes] + rng.normal(scale=0.3, size=(n, 3))).astype("f4")
    known = np.arange(n) % 2 == 0
    whole = Codes(mean, np.full((n, 3), 0.1, "f4"), labels=np.where(known, classes, -1))
    return whole, whole.take(np.flatnonzero(known))


def test_scores_are_those_of_the_labelled_rows() -> None:
    found = [score_codes(codes, metrics=["mig", "linear_probe"], resamples=0).scores for codes in halves()]
    assert found[0]["mig"].value == pytest.approx(found[1]["mig"].value, abs=0.02)
    assert found[0]["linear_probe"].value == pytest.approx(found[1]["linear_probe"].value, abs=0.03)


def test_a_probe_learns_of_labelled_rows_alone() -> None:
    whole, _ = halves()
    found = few_label_curve(whole, sizes=(20,))
    assert found.classes == 3
    assert found.accuracy[0] > 0.9
    with pytest.raises(InputError, match="label is known for 0 rows"):
        few_label_curve(Codes(whole.mean, labels=np.full(len(whole), -1)), sizes=(20,))


def data_of(labels: np.ndarray, names: tuple[str, ...] = ()) -> Dataset:
    images = np.zeros((len(labels), 1, 8, 8), np.uint8)
    for k in range(8):
        images[labels % 8 == k, :, k] = 255
    return Dataset("rows", images.shape, lambda rows: images[rows], labels=labels, label_names=names)


def test_a_reader_learns_of_labelled_rows_alone(short_learning: None) -> None:
    reader = learn(data_of(np.arange(300) % 4 - 1))
    assert [scale.width for scale in reader.scales] == [3]
    with pytest.raises(InputError, match="0 known factors"):
        learn(data_of(np.full(300, -1)))


def test_weights_are_given_to_every_row_and_shares_name_the_unlabelled(tmp_path: Path) -> None:
    labels = np.arange(60) % 3 - 1
    np.savez(tmp_path / "d.npz", images=data_of(labels)[:], labels=labels)
    run = ll.train(str(tmp_path / "d.npz"), tmp_path / "run", steps=3, latent_dim=2, threads=1)
    assert cli(["debias", str(run.path), "-o", str(tmp_path / "w.npy"), "-q"]) == 0
    assert np.load(tmp_path / "w.npy").shape == (60,)
    for names in ((), ("cat", "dog")):
        told = shares(data_of(labels, names), debias(run, data=data_of(labels, names)))
        assert [row["class"] for row in told] == ["unlabelled", *(names or ("0", "1"))]
        assert [row["rows"] for row in told] == [20, 20, 20]
