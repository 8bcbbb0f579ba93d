"""Arrays of any origin: every format gives the same numbers, and what is malformed is one line."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from latentlab.analysis.score.arrays import read_arrays
from latentlab.cli import run
from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import save_codes
from latentlab.data._dialects import Asked
from latentlab.data.dataset import Factor
from latentlab.errors import InputError, MissingError

CODES = np.round(np.random.default_rng(0).normal(size=(12, 3)), 6).astype(np.float32).astype(np.float64)
FACTORS = np.indices((3, 4)).reshape(2, -1).T.astype(np.float64)


def write(folder: Path, kind: str) -> tuple[Path, Path | None]:
    """Codes and factors in one file or two."""
    if kind == "npz":
        np.savez_compressed(folder / "both.npz", codes=CODES, factors=FACTORS)
        return folder / "both.npz", None
    if kind == "h5ad":
        specs = (Factor("shape"), Factor("x"))
        save_codes(folder / "codes.h5ad", Codes(CODES.astype("f4"), None, FACTORS, specs, grid=(3, 4)))
        return folder / "codes.h5ad", None
    if kind == "npy":
        np.save(folder / "z.npy", CODES)
        np.save(folder / "v.npy", FACTORS.astype(int))
        return folder / "z.npy", folder / "v.npy"
    np.savetxt(folder / "z.csv", CODES, delimiter=",", fmt="%.17g")
    np.savetxt(folder / "v.csv", FACTORS, delimiter=",", header="shape,x", comments="")
    return folder / "z.csv", folder / "v.csv"


@pytest.mark.parametrize("kind", ["npy", "npz", "csv", "h5ad"])
def test_every_format_gives_the_same_numbers(tmp_path: Path, kind: str) -> None:
    found = read_arrays(*write(tmp_path, kind))
    np.testing.assert_array_equal(found.codes, CODES)
    np.testing.assert_array_equal(found.factors, FACTORS)
    assert found.test is None
    assert found.grid == ((3, 4) if kind == "h5ad" else None)
    if kind in ("csv", "h5ad"):
        assert found.names == ("shape", "x")


def test_factors_of_another_file_take_the_place_of_the_grid(tmp_path: Path) -> None:
    codes, _ = write(tmp_path, "h5ad")
    _, factors = write(tmp_path, "npy")
    found = read_arrays(codes, factors)
    assert found.grid is None
    plain, _ = write(tmp_path, "npy")
    labelled = read_arrays(plain, codes)
    np.testing.assert_array_equal(labelled.factors, FACTORS)
    assert labelled.names == ("shape", "x")


def test_train_and_test_arrays_stay_apart(tmp_path: Path) -> None:
    arrays = {"z_train": CODES, "v_train": FACTORS, "z_test": CODES[:5], "v_test": FACTORS[:5], "note": np.ones(3)}
    np.savez(tmp_path / "four.npz", **arrays)
    found = read_arrays(tmp_path / "four.npz")
    assert found.test is not None
    np.testing.assert_array_equal(found.codes, CODES)
    np.testing.assert_array_equal(found.test[0], CODES[:5])
    np.testing.assert_array_equal(found.test[1], FACTORS[:5])
    arrays.pop("v_test")
    np.savez(tmp_path / "three.npz", **arrays)
    with pytest.raises(InputError, match="z_test or v_test alone"):
        read_arrays(tmp_path / "three.npz")


def test_one_column_is_a_matrix_and_missing_values_stay(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text("size\n1\n\n2\nnan\n")
    found = read_arrays(write(tmp_path, "npy")[0], tmp_path / "v.csv")
    assert found.factors is not None
    np.testing.assert_array_equal(found.factors, [[1], [2], [np.nan]])


def refused(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_arrays(path)
    message = str(caught.value).replace(str(path), path.name)
    assert "\n" not in message
    assert len(message) <= 200
    return message


@pytest.mark.parametrize("name", ["z.npy", "z.npz", "z.csv", "z.h5ad"])
@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"\xff\xfe\x00\x01" * 40])
def test_what_is_no_such_file(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refused(tmp_path / name)


@pytest.mark.parametrize("kind", ["npy", "npz", "h5ad"])
def test_truncated_anywhere_it_is_refused(tmp_path: Path, kind: str) -> None:
    path, _ = write(tmp_path, kind)
    content = path.read_bytes()
    for length in range(0, len(content) - 1, max(1, len(content) // 80)):
        path.write_bytes(content[:length])
        refused(path)


def test_damaged_it_is_read_or_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for kind in ("npy", "npz"):
        path, _ = write(tmp_path, kind)
        content = path.read_bytes()
        for _ in range(200):
            wrong = bytearray(content)
            wrong[rng.integers(len(content))] = rng.integers(256)
            path.write_bytes(bytes(wrong))
            try:
                read_arrays(path)
            except InputError as error:
                message = str(error)
            else:
                message = ""
            assert "\n" not in message


class Canary:
    """Unpickled, it would leave a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.path), "w")


@pytest.mark.parametrize("kind", ["npy", "npz"])
def test_nothing_is_unpickled(tmp_path: Path, kind: str) -> None:
    array = np.array([Canary(tmp_path / "fired")], dtype=object)
    path = tmp_path / f"z.{kind}"
    np.save(path, array, allow_pickle=True) if kind == "npy" else np.savez(path, codes=array)
    refused(path)
    assert not (tmp_path / "fired").exists()


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (1 << 40, 8)})
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("codes.npy", header.getvalue() + bytes(1 << 20))
    assert "declares" in refused(tmp_path / "bomb.npz")


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array(["a", "b"]), "holds <U1 values; expected numbers"),
        (np.array([1j]), "complex128"),
        (np.zeros((2, 3, 4)), r"shape (2, 3, 4)"),
        (np.array(3.0), "shape ()"),
        (np.zeros((0, 3)), "shape (0, 3)"),
    ],
)
def test_what_is_no_matrix_of_numbers(tmp_path: Path, array: np.ndarray, message: str) -> None:
    np.save(tmp_path / "z.npy", array)
    assert message in refused(tmp_path / "z.npy")


def test_names_and_endings(tmp_path: Path) -> None:
    np.savez(tmp_path / "z.npz", images=CODES)
    assert "has arrays images; expected one called codes or z" in refused(tmp_path / "z.npz")
    (tmp_path / "z.xlsx").write_text("1")
    assert "ends in .xlsx; expected .npy, .npz, .csv" in refused(tmp_path / "z.xlsx")
    (tmp_path / "z.csv").write_text("a,b\n1,x\n")
    assert "expected numbers" in refused(tmp_path / "z.csv")
    (tmp_path / "ragged.csv").write_text("1,2\n1,2,3\n")
    refused(tmp_path / "ragged.csv")
    with pytest.raises(MissingError, match="does not exist"):
        read_arrays(tmp_path / "none.npy")


def test_the_kinds_that_an_h5ad_stores_are_those_that_are_scored(tmp_path, capsys):
    """Levels that are numbers without order: read as numbers, they would be predicted as such."""
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 4, 600).astype(float)
    mean = np.stack([np.isin(levels, (0, 3)), levels], axis=1) + rng.normal(0, 0.1, (600, 2))
    specs = (Factor("colour", "categorical"), Factor("dose", "continuous"))
    codes = Codes(mean.astype("f4"), None, np.stack([levels, rng.normal(size=600)], axis=1), specs)
    path = save_codes(tmp_path / "codes.h5ad", codes) or tmp_path / "codes.h5ad"
    assert read_arrays(path).kinds == ("categorical", "continuous")
    np.save(tmp_path / "z.npy", mean)
    assert read_arrays(tmp_path / "z.npy", path).kinds == ("categorical", "continuous")
    told = []
    for given in ([str(path)], ["--codes", str(path)], ["--codes", str(tmp_path / "z.npy"), "--factors", str(path)]):
        line = ["score", *given, "--metric", "explicitness,dci", "--profile", "infomec_code", "--resamples", "0"]
        assert run([*line, "--json"]) == 0
        told.append({name: each["value"] for name, each in json.loads(capsys.readouterr().out)["scores"].items()})
    assert told[0] == told[1]
    assert told[0] == pytest.approx(told[2], abs=1e-6)


def test_names_in_an_npz_are_kept_and_what_is_left_out_of_it_is_said(tmp_path: Path) -> None:
    k = FACTORS.shape[1]
    names = [f"f{j}" for j in range(k)]
    np.savez(tmp_path / "z.npz", codes=CODES, factors=FACTORS, factor_names=names, logvar=CODES)
    found = read_arrays(tmp_path / "z.npz")
    assert found.names == tuple(names)
    assert found.said == ("z.npz: skipped logvar",)
    np.savez(tmp_path / "z.npz", codes=CODES, factors=FACTORS, factor_names=["f"] * k)
    assert "expected a name of its own for each factor" in refused(tmp_path / "z.npz")


@pytest.mark.parametrize("first", [0, 1])
def test_row_numbers_in_another_order_are_not_taken_for_the_order(tmp_path: Path, first: int) -> None:
    import pandas as pd

    codes = pd.DataFrame({"z0": np.arange(8) / 8, "z1": np.arange(8) / 4})
    factors = pd.DataFrame({"f": np.arange(8) % 3}, np.arange(first, 8 + first))
    codes.to_csv(tmp_path / "z.csv")
    factors.to_csv(tmp_path / "f.csv")
    np.testing.assert_array_equal(read_arrays(tmp_path / "z.csv", tmp_path / "f.csv").factors, factors)
    factors[::-1].to_csv(tmp_path / "f.csv")
    if first == 0:
        np.testing.assert_array_equal(read_arrays(tmp_path / "z.csv", tmp_path / "f.csv").factors, factors)
    else:
        with pytest.raises(InputError, match=r"1 of 8 rows of z.csv are not in f.csv \(first: '0'\)"):
            read_arrays(tmp_path / "z.csv", tmp_path / "f.csv")


def test_rows_are_not_joined_by_names_that_repeat(tmp_path: Path) -> None:
    import pandas as pd

    names = [f"s{i}" for i in range(8)]
    pd.DataFrame({"z0": np.arange(8) / 8}, names).to_csv(tmp_path / "z.csv", index_label="id")
    repeated = pd.DataFrame({"f": np.arange(8) % 3}, [*names[:6], *names[:2]])
    repeated.to_csv(tmp_path / "f.csv", index_label="id")
    for pair in ((tmp_path / "z.csv", tmp_path / "f.csv"), (tmp_path / "f.csv", tmp_path / "z.csv")):
        with pytest.raises(InputError, match=r"f\.csv has two rows called 's0', so it cannot be joined to z\.csv"):
            read_arrays(*pair, Asked(index=True))


def test_a_column_called_id_is_no_factor_without_a_word(tmp_path: Path) -> None:
    import pandas as pd

    rng = np.random.default_rng(0)
    codes, factors = pd.DataFrame({"z0": rng.normal(size=30)}), pd.DataFrame({"f": rng.integers(0, 3, 30)})
    codes.to_csv(tmp_path / "z.csv", index=False)
    for ids in (factors.index, range(1000, 1030)):
        named = factors.set_axis(pd.Index(ids, name="sample_id"))
        named.sample(frac=1, random_state=1).to_csv(tmp_path / "f.csv")
        with pytest.raises(InputError, match="'sample_id', is another number in every row; pass --index"):
            read_arrays(tmp_path / "z.csv", tmp_path / "f.csv")
    said = read_arrays(tmp_path / "z.csv", tmp_path / "f.csv", Asked(index=True)).said
    assert said[-1] == "z.csv does not name its rows: they are taken to be in the order of f.csv"
    named = factors.set_axis(pd.Index([f"s{i}" for i in range(30)], name="sample_id"))
    named.sample(frac=1, random_state=1).to_csv(tmp_path / "f.csv")  # words are names by themselves
    found = read_arrays(tmp_path / "z.csv", tmp_path / "f.csv")
    assert found.factors.shape == (30, 1)
    assert found.said[-1] == said[-1]
