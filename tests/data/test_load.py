"""Names, options, paths: one function finds them all."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from latentlab.cli import run
from latentlab.data import Dataset, Factor, check, describe, load, names
from latentlab.errors import InputError, MissingError


def test_names_are_the_files_of_the_folder() -> None:
    assert {"digits", "dsprites", "scenes"} <= set(names())
    assert all(describe(name).endswith(".") for name in names())


def test_a_dataset_stays_itself() -> None:
    data = load("digits")
    assert load(data) is data


def test_digits_are_scikit_learns() -> None:
    from sklearn.datasets import load_digits

    data = load("digits")
    assert data.shape == (1797, 1, 8, 8)
    assert np.array_equal(np.round(data[:][:, 0] * (16 / 255)), load_digits().images)
    assert data.labels is not None
    assert np.array_equal(data.labels, load_digits().target)
    assert data.spec == "digits"


def test_digits_are_the_same_where_scikit_learn_keeps_them_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from latentlab.data import digits

    found = digits.load()
    monkeypatch.setattr(digits, "distribution", lambda name: SimpleNamespace(locate_file=tmp_path.joinpath))
    other = digits.load()
    assert other[:].tobytes() == found[:].tobytes()
    assert other.labels.tobytes() == found.labels.tobytes()


def test_options_reach_the_loader_both_ways() -> None:
    written, given = load("dsprites:size=16,grid=1x1x1x2x2"), load("dsprites", size=16, grid=(1, 1, 1, 2, 2))
    assert written.spec == given.spec == "dsprites:size=16,grid=1x1x1x2x2"
    assert (written[:] == given[:]).all()


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("digts", r"a name \(digits"),
        ("/no/such/folder", "does not exist"),
        ("dsprites:colour=1", "no option 'colour'"),
        ("digits:size=3", "no option 'size'"),
        ("dsprites:size=big", "sizes 8 to 512"),
        ("dsprites:grid=many", "grid"),
        ("dsprites:grid=fives", "grid"),
        ("dsprites:grid=3", "grid"),
    ],
)
def test_what_cannot_be_found_is_said_in_one_line(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(spec)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_missing_is_its_own_error() -> None:
    with pytest.raises(MissingError):
        load("nothing-here")


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.pt"
    path.write_bytes(b"x")
    with pytest.raises(InputError, match=r"\.npy"):
        load(path)


def test_loading_is_light() -> None:
    heavy = "{'torch', 'pandas', 'sklearn', 'scipy', 'matplotlib', 'numba', 'h5py'}"
    code = f"import sys, latentlab.data as d; d.load('dsprites:grid=1x1x1x2x2')[:]; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


class TestDataset:
    def test_take_keeps_row_ids(self) -> None:
        data = load("dsprites:size=16,grid=1x1x4x3x3")
        part = data.take([5, 2, 30]).take([2, 0])
        assert part.row_ids.tolist() == [30, 5]
        assert (part[:] == data[[30, 5]]).all()
        assert part.factors is not None
        assert data.factors is not None
        assert np.array_equal(part.factors, data.factors[[30, 5]])
        assert part.grid is None

    def test_rows_that_do_not_match_are_refused(self) -> None:
        def read(rows: np.ndarray) -> np.ndarray:
            return np.zeros((len(rows), 1, 2, 2), dtype=np.uint8)

        with pytest.raises(InputError, match="labels has 3 rows"):
            Dataset("x", (4, 1, 2, 2), read, labels=np.zeros(3, dtype=np.int64))
        with pytest.raises(InputError, match="1 columns"):
            Dataset("x", (4, 1, 2, 2), read, factors=np.zeros((4, 1)), specs=(Factor("a"), Factor("b")))

    def test_an_unknown_split_names_the_known_ones(self) -> None:
        with pytest.raises(InputError, match="all"):
            load("digits").split("test")


class TestCheck:
    def test_a_sound_data_set_has_no_problem(self) -> None:
        findings = check("digits")
        assert {f["what"] for f in findings} == {"data set", "samples", "labels", "pixels"}
        assert not any(f["problem"] for f in findings)

    def test_what_is_unusable_is_said(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.full((4, 3, 3), np.nan))
        last = check(tmp_path / "x.npy")[-1]
        assert "NaN" in str(last["problem"])
        assert not last["usable"]

    def test_the_command_line_says_it_and_exits_2(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        from PIL import Image

        np.save(tmp_path / "x.npy", np.full((4, 3, 3), np.inf))
        assert run(["data", "check", str(tmp_path / "x.npy")]) == 2
        assert capsys.readouterr().err.count("\n") == 1
        noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "1.png")
        (tmp_path / "2.png").write_bytes((tmp_path / "1.png").read_bytes()[:2000])
        assert run(["data", "check", str(tmp_path), "--json"]) == 2
        said = capsys.readouterr()
        assert not json.loads(said.out)["usable"]
        assert "cannot read image 2.png" in said.err
        assert run(["data", "check", "digits"]) == 0

    def test_show_is_text(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "60")
        for spec in ("dsprites:grid=1x1x4x2x2", "digits", "scenes"):
            assert run(["data", "show", spec]) == 0
            said = capsys.readouterr().out
            assert max(map(len, said.splitlines())) <= 60
            assert not set("()[]{}'") & set(said)
        assert "object hue: circular, 8 levels from 0 to 0.875" in said

    def test_suspicious_contents_are_said(self, tmp_path: Path) -> None:
        images = np.zeros((4, 5, 5), dtype=np.uint8)
        images[:, 1, 1] = 1
        factors = np.array([[0, 1.0], [0, 2], [0, np.nan], [0, 4]])
        np.savez(tmp_path / "x.npz", images=images, factors=factors, labels=np.zeros(4, dtype=int))
        problems = {f["what"]: f["problem"] for f in check(tmp_path / "x.npz")}
        assert "multiply by 255" in problems["pixels"]
        assert problems["factor factor 1"] == "never varies"
        assert problems["factor factor 2"] == "missing in 1 rows"
        assert problems["labels"] == "only one class"

    def test_nothing_there(self) -> None:
        with pytest.raises(MissingError):
            check("/no/such/folder")


def test_a_zero_byte_names_nothing() -> None:
    for text in ("a\0b", "mnist:a\0b"):
        with pytest.raises(InputError, match="zero byte"):
            load(text)


def test_an_array_of_images_is_read_as_one_in_a_file_would_be() -> None:
    images = np.arange(5 * 8 * 8, dtype=np.uint8).reshape(5, 8, 8)
    data = load(images)
    assert (data.name, data.shape) == ("array", (5, 1, 8, 8))
    assert (data[:][:, 0] == images).all()
    with pytest.raises(InputError, match=r"array: samples are complex128 .*; expected"):
        load(images.astype(complex))
