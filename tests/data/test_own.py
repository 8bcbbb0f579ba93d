"""Data that a file of the user's own makes: a few lines, run because they are named, and never by a run."""

import json
from pathlib import Path

import numpy as np
import pytest

import latentlab as ll
from latentlab.cli import run as cli
from latentlab.data import load, read_spec
from latentlab.errors import InputError, MissingError
from latentlab.runs.data import same_data
from latentlab.runs.images import dataset_of
from latentlab.training.plan import read_plan

FILE = """
import numpy as np
from beside import size
import latentlab as ll

def bars(rows=12):
    images = np.zeros((rows, size, size), np.uint8)
    images[np.arange(rows), np.arange(rows) % size] = 255
    return {"images": images, "factors": (np.arange(rows) % size)[:, None], "factor_names": ["row"],
            "factor_kinds": ["ordinal"], "labels": np.arange(rows) % 2}

def lazy():
    read = lambda rows: np.full((len(rows), 3, 4, 4), 7, np.uint8)
    return ll.Dataset("sevens", (5, 3, 4, 4), read)

plain = np.ones((3, 4, 4), bool)
number = 3

def broken():
    raise KeyError("rows")

def ends():
    raise SystemExit(0)

def short():
    return ll.Dataset("sevens", (5, 3, 4, 4), lambda rows: np.full((1, 3, 4, 4), 7, np.uint8))

def floats():
    return ll.Dataset("halves", (5, 1, 4, 4), lambda rows: np.full((len(rows), 1, 4, 4), 1.5))

def unread():
    return ll.Dataset("none", (5, 1, 4, 4), lambda rows: 1 / 0)

def shapeless():
    return np.zeros(3)
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "beside.py").write_text("size = 6\n")
    (tmp_path / "bars.py").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "bars.py"


def test_arrays_by_name(own: Path) -> None:
    data = load("bars.py:bars")
    assert repr(data) == "Dataset('bars': 12 images 1×6×6; row)"
    assert (data.specs[0].kind, data.label_names) == ("ordinal", ("0", "1"))
    assert {"name": "own", "file": "bars.py", "made_by": "bars"}.items() <= data.source.items()
    assert data.spec == "bars.py:bars"


def test_options_reach_the_function(own: Path) -> None:
    assert len(load("bars.py:bars:rows=18")) == len(load(f"{own}:bars", rows=18)) == 18
    assert load("bars.py:bars:rows=18").source["options"] == {"rows": 18}
    assert load("bars.py:bars:binarised=0").shape == (12, 1, 6, 6)
    with pytest.raises(InputError, match="has no option 'colour'; it has: rows"):
        load("bars.py:bars:colour=1")


def test_a_dataset_and_an_array_of_images(own: Path) -> None:
    assert (load("bars.py:lazy")[:2] == 7).all()
    assert (load("bars.py:plain")[:] == 255).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("bars.py:none", "has no none; it has: bars"),
        ("bars.py:number", "returned a int; expected images"),
        ("bars.py:broken", r"bars\.py:broken failed: KeyError: 'rows'"),
        ("bars.py:ends", r"bars\.py:ends failed: SystemExit: 0"),
        ("bars.py:shapeless", "images have shape"),
        ("bars.py", r"is a Python file; name the callable that returns the data, as in bars\.py:images"),
    ],
)
def test_what_makes_no_data(own: Path, spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(spec)
    with pytest.raises(MissingError, match=r"none\.py does not exist"):
        load("none.py:bars")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("short", r"read 5 rows as uint8 \(1, 3, 4, 4\); expected an array uint8 \(5, 3, 4, 4\)"),
        ("floats", r"bars\.py:floats: float images run from 1\.5 to 1\.5; expected \[0, 1\]"),
        ("unread", "bars.py:unread failed: ZeroDivisionError: division by zero"),
    ],
)
def test_a_reader_that_breaks_its_promise(
    own: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=message):
        load(f"bars.py:{name}")[:]
    assert cli(["data", "check", f"bars.py:{name}"]) == 2
    assert f"bars.py:{name}" in capsys.readouterr().err


def test_a_run_never_runs_it_by_itself(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--data", "bars.py:bars", "--out", "run", "--steps", "2", "--latent-dim", "2", "--quiet"]
    assert cli(["train", *words]) == 0
    assert cli(["train", *words]) == 0  # the same run, finished
    config = json.loads(Path("run/config.json").read_text())
    assert (config["data"], config["source"]["file"]) == ("bars.py:bars", "bars.py")
    own.write_text(FILE + "\nopen('song', 'w')\n")
    capsys.readouterr()
    assert cli(["analyze", "run", "--only", "encode"]) == 2
    assert "not run automatically; add --data bars.py:bars" in capsys.readouterr().err
    assert not Path("song").exists()
    own.write_text(FILE)
    assert cli(["analyze", "run", "--only", "encode,traverse", "--data", "bars.py:bars", "--quiet"]) == 0
    with pytest.raises(InputError, match="not run automatically"):
        dataset_of(ll.Run(Path("run")))
    assert cli(["score", "run", "--metric", "unsupervised"]) == 0
    own.write_text(FILE.replace("255", "254"))  # another file makes other data
    assert cli(["train", *words]) == 2


def test_a_study_file_cannot_name_one(own: Path) -> None:
    Path("study.toml").write_text('data = "bars.py:bars"\nbeta = [1]\n')
    with pytest.raises(InputError, match=r"data is bars\.py:bars, code, which a study file cannot run"):
        read_plan(Path("study.toml"))


def test_however_a_path_is_spelt_it_is_the_same_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sub").mkdir()
    np.save(tmp_path / "x.npy", np.eye(8, dtype=np.uint8).reshape(1, 8, 8).repeat(6, 0) * 255)
    monkeypatch.chdir(tmp_path)
    options = {"steps": 2, "latent_dim": 2}
    run = ll.train("x.npy", tmp_path / "run", **options)
    for spelt in ("./x.npy", str(tmp_path / "x.npy"), "sub/../x.npy"):
        assert ll.train(spelt, tmp_path / "run", **options).state == "finished"
    monkeypatch.chdir(tmp_path / "sub")
    assert same_data(run, "../x.npy")
    assert not same_data(run, "x.npy")
    first, second = map(read_spec, ("dsprites:size=16,grid=1x1x1x2x2", "dsprites:grid=1x1x1x2x2,size=16"))
    assert first.resolved() == second.resolved()
    whole = [str(read_spec(text).at("/a").resolved()) for text in ("photos/", "photos", "mnist:b/")]
    assert whole == ["/a/photos", "/a/photos", "mnist:/a/b"]


ODD = """
import numpy as np

def ragged():
    return {"images": [np.zeros((8, 8), np.uint8), np.zeros((9, 8), np.uint8)]}

def with_gradient():
    import torch
    return {"images": torch.rand(10, 8, 8, requires_grad=True)}

def ragged_factors():
    return {"images": np.zeros((2, 8, 8), np.uint8), "factors": [[1], [1, 2]]}
"""


@pytest.mark.parametrize(
    ("name", "message"),
    [("ragged", "images is a list"), ("with_gradient", "images is a Tensor"), ("ragged_factors", "factors is a list")],
)
def test_what_makes_no_array_is_one_line(
    tmp_path: Path, name: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.py").write_text(ODD)
    assert cli(["data", "check", f"{tmp_path / 'own.py'}:{name}"]) == 2
    assert f"own.py:{name}: {message} that makes no array" in capsys.readouterr().err


def reading(images: np.ndarray, shape: tuple[int, ...] = (6, 1, 8, 8)) -> ll.Dataset:
    return ll.Dataset("mine", shape, lambda rows: images[rows])  # type: ignore[arg-type]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "?"])
def test_an_own_data_set_of_floats_trains_on_what_they_show(tmp_path: Path, dtype: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 2, (6, 1, 8, 8)).astype(dtype)
    wanted = pixels.astype(np.uint8) * 255
    data = reading(pixels)
    assert (data[:] == wanted).all()
    assert data[:].dtype == np.uint8
    assert (data.read(np.arange(6)) == wanted).all()
    assert (data.take([2, 1])[:] == wanted[[2, 1]]).all()
    assert data.fingerprint == reading(wanted).fingerprint
    runs = [
        ll.train(given, tmp_path / str(k), steps=3, latent_dim=2) for k, given in enumerate((data, reading(wanted)))
    ]
    assert runs[0].history()[-1]["distortion"] == runs[1].history()[-1]["distortion"]


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.full((6, 1, 8, 8), 200.0), r"mine: float images run from 200 to 200; expected \[0, 1\]"),
        (np.full((6, 1, 8, 8), np.nan), "mine: images hold NaN"),
        (np.full((6, 1, 8, 8), 200), "mine: images are int64; expected uint8"),
        (
            np.zeros((6, 8, 8), np.uint8),
            r"mine read 1 rows as uint8 \(1, 8, 8\); expected an array uint8 \(1, 1, 8, 8\)",
        ),
        (np.zeros((6, 8, 8, 1)), r"mine read 1 rows as float64 \(1, 8, 8, 1\)"),
    ],
)
def test_an_own_data_set_that_breaks_its_promise_is_refused(tmp_path: Path, images: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        reading(images)[0]
    assert len(str(caught.value)) <= 200
    with pytest.raises(InputError, match="mine"):
        ll.train(reading(images), tmp_path / "run", steps=2, latent_dim=2)


def test_an_own_data_set_of_something_else_is_refused() -> None:
    with pytest.raises(InputError, match="mine read 1 rows as a list"):
        ll.Dataset("mine", (6, 1, 8, 8), lambda rows: [0] * len(rows))[0]  # type: ignore[arg-type,return-value]
