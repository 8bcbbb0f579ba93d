"""The codes format: closed forms of its columns, what other readers find in it, and every way in which it is broken."""

import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from conftest import ROOT

from latentlab.codes import h5ad as module
from latentlab.codes.codes import Codes
from latentlab.codes.h5ad import load_codes, read_provenance, read_summary, save_codes, writing
from latentlab.codes.h5ad_writer import _column_names
from latentlab.codes.rates import rate_parts, row_rate
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError
from latentlab.system.files import sha256

ARCHIVE = ROOT / "tests" / "archive"


def made(rows: int = 40, d: int = 3, seed: int = 0) -> Codes:
    rng = np.random.default_rng(seed)
    factors = rng.integers(0, 3, (rows, 2)).astype(np.float64)
    factors[rng.random((rows, 2)) < 0.2] = np.nan
    return Codes(
        mean=rng.normal(size=(rows, d)).astype(np.float32),
        variance=rng.uniform(0.01, 2, (rows, d)).astype(np.float32),
        factors=factors,
        specs=(Factor("shape", "categorical", ("a", "b", "c")), Factor("x", "continuous")),
        labels=rng.integers(0, 10, rows),
        row_ids=rng.permutation(max(1000, rows))[:rows].astype(np.int64),
        distortion=rng.normal(100, 1, rows).astype(np.float32),
        provenance={"inputs": {"model": "abc", "grid": [1, 2]}, "label": "β = 4"},
    )


def same(a: Codes, b: Codes) -> None:
    for key in ("mean", "variance", "factors", "labels", "row_ids", "distortion"):
        x, y = getattr(a, key), getattr(b, key)
        assert (x is None) == (y is None), key
        if x is not None:
            assert x.dtype == y.dtype, key
            np.testing.assert_array_equal(x, y, err_msg=key)
    assert (a.specs, a.grid, dict(a.provenance)) == (b.specs, b.grid, dict(b.provenance))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_codes(tmp_path / "codes.h5ad", made())
    return tmp_path / "codes.h5ad"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"variance": None},
        {"factors": None, "specs": ()},
        {"labels": None, "distortion": None},
        {"factors": None, "specs": (), "labels": None, "distortion": None, "variance": None},
        {"distortion": np.full(40, np.nan, np.float32)},
        {"provenance": {}},
        {"row_ids": np.arange(40, dtype=np.int64)[::-1].copy()},
    ],
    ids=lambda changes: ", ".join(changes) or "all",
)
def test_roundtrip(tmp_path: Path, changes: dict[str, Any]) -> None:
    codes = replace(made(), **changes)
    save_codes(tmp_path / "codes.h5ad", codes)
    same(load_codes(tmp_path / "codes.h5ad"), codes)
    assert [f.name for f in tmp_path.iterdir()] == ["codes.h5ad"]


def test_a_full_grid_stays_one(tmp_path: Path) -> None:
    factors = np.indices((4, 10)).reshape(2, -1).T.astype(np.float64)
    codes = replace(made(), factors=factors, grid=(4, 10))
    save_codes(tmp_path / "codes.h5ad", codes)
    assert load_codes(tmp_path / "codes.h5ad").grid == (4, 10)
    assert codes.take(slice(0, 4)).grid is None


@pytest.mark.parametrize("d", [1, 2, 7])
def test_columns_of_dimensions_have_their_closed_forms(tmp_path: Path, d: int) -> None:
    codes = made(d=d)
    codes.mean[:, 0] *= 0.05  # an inactive one
    save_codes(tmp_path / "codes.h5ad", codes)
    mu, var = codes.mean.astype(np.float64), np.asarray(codes.variance, np.float64)
    with h5py.File(tmp_path / "codes.h5ad") as file:
        found = {key: file["var"][key][()] for key in file["var"].attrs["column-order"]}
        rate = file["obs/rate"][()]
    np.testing.assert_allclose(found["kl"], (0.5 * (mu**2 + var - 1 - np.log(var))).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["kl_mean_part"], (0.5 * mu**2).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["kl_variance_part"], (0.5 * (var - 1 - np.log(var))).mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found["variance_of_mean"], mu.var(axis=0), rtol=1e-10)
    np.testing.assert_array_equal(found["active"], mu.var(axis=0) > 0.01)
    assert not found["active"][0]
    np.testing.assert_allclose(rate, (0.5 * (mu**2 + var - 1 - np.log(var))).sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(rate.astype(np.float64).mean(), found["kl"].sum(), rtol=1e-6)
    np.testing.assert_array_equal(rate, codes.rate)


def test_the_variance_of_the_mean_survives_a_large_offset(tmp_path: Path) -> None:
    codes = made(rows=5000, d=2)
    shifted = replace(codes, mean=codes.mean + np.float32(4096))
    save_codes(tmp_path / "codes.h5ad", shifted)
    with h5py.File(tmp_path / "codes.h5ad") as file:
        expected = shifted.mean.astype(np.float64).var(axis=0)
        np.testing.assert_allclose(file["var/variance_of_mean"][()], expected, rtol=1e-9)


def test_the_prior_itself_has_no_rate_and_anything_else_has_some() -> None:
    zero, one = np.zeros((1, 3)), np.ones((1, 3))
    assert row_rate(zero, one) == 0
    rng = np.random.default_rng(0)
    centred, width = rate_parts(rng.normal(size=(500, 4)), rng.uniform(1e-6, 9, (500, 4)))
    assert centred.min() >= 0
    assert width.min() >= 0


def test_a_deterministic_encoder_has_neither_rate_nor_active_units(tmp_path: Path) -> None:
    codes = replace(made(), variance=None)
    save_codes(tmp_path / "codes.h5ad", codes)
    with h5py.File(tmp_path / "codes.h5ad") as file:
        assert "variance" not in file["layers"]
        assert "rate" not in file["obs"]
        assert list(file["var"].attrs["column-order"]) == ["variance_of_mean"]
    assert codes.rate is None
    summary = read_summary(tmp_path / "codes.h5ad")
    assert summary["active_units"] is None
    assert np.isnan(summary["rate"])


def images_of(codes: Codes) -> Dataset:
    shape = (len(codes), 1, 1, 1)
    return Dataset("d", shape, lambda rows: np.zeros((len(rows), 1, 1, 1), np.uint8), row_ids=codes.row_ids)


def write_in_blocks(path: Path, codes: Codes, block: int) -> None:
    assert codes.variance is not None
    with writing(path, images_of(codes), codes.latent_dim, stochastic=True, provenance={}) as writer:
        for start in range(0, len(codes), block):
            writer.add(codes.mean[start : start + block], codes.variance[start : start + block])


@pytest.mark.parametrize("block", [1, 7, 39, 40, 64])
def test_blocks_of_any_size_make_the_same_codes(tmp_path: Path, block: int) -> None:
    codes = made()
    write_in_blocks(tmp_path / "blocks.h5ad", codes, block)
    write_in_blocks(tmp_path / "whole.h5ad", codes, len(codes))
    same(load_codes(tmp_path / "blocks.h5ad"), load_codes(tmp_path / "whole.h5ad"))
    with h5py.File(tmp_path / "blocks.h5ad") as a, h5py.File(tmp_path / "whole.h5ad") as b:
        for key in b["var"]:
            if key != "_index":
                np.testing.assert_allclose(a["var"][key][()], b["var"][key][()], rtol=1e-12, atol=1e-15)


def test_memory_does_not_grow_with_the_codes(tmp_path: Path) -> None:
    """50,000 rows of 64 dimensions are 26 MB of means and variances; writing them takes a few blocks' worth."""
    rows, d, block = 50_000, 64, 500
    data = images_of(Codes(np.zeros((rows, 1), np.float32)))
    mean, variance = np.ones((block, d), np.float32), np.ones((block, d), np.float32)
    with writing(tmp_path / "codes.h5ad", data, d, stochastic=True, provenance={}) as writer:
        tracemalloc.start()
        for _ in range(0, rows, block):
            writer.add(mean, variance)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 16 * block * d * 8
    assert peak < rows * d * 8 / 4


def test_equal_codes_are_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_codes(tmp_path / name / "codes.h5ad", made())
    assert sha256(tmp_path / "a" / "codes.h5ad") == sha256(tmp_path / "b" / "codes.h5ad")
    save_codes(tmp_path / "c.h5ad", made(seed=1))
    assert sha256(tmp_path / "c.h5ad") != sha256(tmp_path / "a" / "codes.h5ad")


def test_an_exception_leaves_the_old_file_and_no_litter(path: Path) -> None:
    before = sha256(path)
    codes = made(seed=1)
    codes.mean[17, 1] = np.nan
    with pytest.raises(InputError, match="NaN or infinite code"):
        save_codes(path, codes)
    with (
        pytest.raises(InputError, match="0 of 40 rows were encoded"),
        writing(path, images_of(codes), 3, stochastic=True, provenance={}),
    ):
        pass
    assert sha256(path) == before
    assert [f.name for f in path.parent.iterdir()] == ["codes.h5ad"]


# What other readers find


def test_anndata_reads_it(path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    codes, table = made(), anndata.read_h5ad(path)
    assert table.shape == (40, 3)
    np.testing.assert_array_equal(table.X, codes.mean)
    np.testing.assert_array_equal(table.layers["variance"], codes.variance)
    assert list(table.obs_names) == [str(i) for i in codes.row_ids]
    assert list(table.var_names) == ["z0", "z1", "z2"]
    assert list(table.obs) == ["row", "shape", "x", "label", "rate", "distortion"]
    np.testing.assert_array_equal(table.obs["shape"], codes.factors[:, 0])
    assert table.var["active"].dtype == bool
    assert json.loads(table.uns["latentlab"])["factors"][0]["values"] == ["a", "b", "c"]


def test_what_anndata_writes_again_is_still_codes(path: Path, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    anndata.read_h5ad(path).write_h5ad(tmp_path / "again.h5ad")
    same(load_codes(tmp_path / "again.h5ad"), made())


def test_every_element_carries_its_encoding(path: Path) -> None:
    with h5py.File(path) as file:
        assert file.attrs["encoding-type"] == "anndata"

        def visit(name: str, element: Any) -> None:
            assert element.attrs["encoding-type"] in ("array", "dict", "dataframe", "string", "string-array"), name
            assert element.attrs["encoding-version"], name

        file.visititems(visit)


def test_awkward_factor_names_come_back_as_they_were(tmp_path: Path) -> None:
    awkward = ("row", "label", "rate", "distortion", "_index", "x/y", "x_y", "", "Größe ‰", "factor label", "a\0b")
    specs = tuple(Factor(name) for name in awkward)
    columns = _column_names(specs)
    assert len(set(columns)) == len(awkward)
    assert not set(columns) & module.RESERVED
    assert not any("/" in name or "\0" in name or not name for name in columns)
    codes = replace(made(), factors=np.arange(40 * 11, dtype=np.float64).reshape(40, 11), specs=specs)
    save_codes(tmp_path / "codes.h5ad", codes)
    same(load_codes(tmp_path / "codes.h5ad"), codes)
    table = pytest.importorskip("anndata").read_h5ad(tmp_path / "codes.h5ad")
    assert set(columns) <= set(table.obs)


# What a file says without being read as a whole


def test_the_summary_is_that_of_the_rows_whose_distortion_is_known(tmp_path: Path) -> None:
    codes = made()
    assert codes.distortion is not None
    codes.distortion[::2] = np.nan
    save_codes(tmp_path / "codes.h5ad", codes)
    summary, rate = read_summary(tmp_path / "codes.h5ad"), codes.rate
    assert rate is not None
    assert (summary["rows"], summary["judged_rows"]) == (40, 20)
    assert summary["distortion"] == pytest.approx(codes.distortion[1::2].astype(float).mean())
    assert summary["rate"] == pytest.approx(rate[1::2].astype(float).mean())
    assert summary["factors"] == ("shape", "x")
    assert summary["labels"]
    assert summary["active_units"] == 3
    assert read_provenance(tmp_path / "codes.h5ad") == codes.provenance


# In memory


def test_taking_rows_keeps_their_ids() -> None:
    codes = made()
    some = codes.take([5, 2])
    np.testing.assert_array_equal(some.row_ids, codes.row_ids[[5, 2]])
    np.testing.assert_array_equal(some.mean, codes.mean[[5, 2]])
    assert some.factor_names() == ("shape", "x")
    assert repr(some) == "Codes(2 rows × 3 latent dimensions; shape, x)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mean": np.zeros(4, np.float32)}, r"codes are \(4,\); expected \(rows, latent dimensions\)"),
        ({"labels": np.zeros(39, np.int64)}, "codes has 40 rows but labels has 39"),
        ({"factors": np.zeros((12, 2))}, "codes has 40 rows but factors has 12"),
        ({"variance": np.zeros((40, 2), np.float32)}, r"codes are \(40, 3\) but variance is \(40, 2\)"),
    ],
)
def test_parts_that_do_not_belong_together(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        replace(made(), **changes)


# Files that are broken, or made to break


def check_refused(path: Path) -> str:
    for reader in (load_codes, read_summary):
        with pytest.raises(InputError) as caught:
            reader(path)
        message = str(caught.value)
        assert str(path) in message
        assert len(message.replace(str(path), "codes.h5ad")) <= 200
        assert "\n" not in message
    return message


def test_a_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "codes.h5ad"
    assert "does not exist" in check_refused(path)
    for content in (b"", b"\x89HDF\r\n\x1a\n", np.random.default_rng(0).bytes(5000)):
        path.write_bytes(content)
        assert "not a readable HDF5 file" in check_refused(path)


def test_a_truncated_file_is_refused_wherever_it_was_cut(path: Path, tmp_path: Path) -> None:
    content, cut = path.read_bytes(), tmp_path / "cut.h5ad"
    for length in range(0, len(content), 211):
        cut.write_bytes(content[:length])
        check_refused(cut)


def test_a_damaged_file_is_read_or_refused_in_one_line(path: Path, tmp_path: Path) -> None:
    rng, damaged = np.random.default_rng(0), tmp_path / "damaged.h5ad"
    content, messages = path.read_bytes(), []
    for _ in range(150):
        wrong = bytearray(content)
        for place in rng.integers(0, len(content), 20):
            wrong[place] = rng.integers(256)
        damaged.write_bytes(bytes(wrong))
        try:
            load_codes(damaged)
        except InputError as error:
            messages.append(str(error).replace(str(damaged), "codes.h5ad"))
    assert len(messages) > 20
    assert [message for message in messages if "\n" in message or len(message) > 200] == []


def without(*keys: str) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        for key in keys:
            del file[key]

    return change


def described(text: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file["uns/latentlab"]
        file["uns"].create_dataset("latentlab", data=text if isinstance(text, str) else json.dumps(text))

    return change


def instead(key: str, value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[key]
        file[key] = value

    return change


GOOD = {"format": 1, "factors": [], "grid": None, "provenance": {}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (without("X"), "has no /X"),
        (without("obs"), "has no /obs"),
        (without("obs/row"), "has no /obs/row"),
        (without("obs/shape"), "has no /obs/shape"),
        (without("uns"), "has no /uns"),
        (without("uns/latentlab"), "has no /uns/latentlab"),
        (described("{"), "not the JSON"),
        (described([1]), "not the JSON"),
        (described("[" * 100_000), "not the JSON"),
        (described({**GOOD, "format": 2}), "has format '2'; this latentlab reads 1 to 1"),
        (described({**GOOD, "format": "new"}), "has format 'new'"),
        (described({"format": 1}), "is not a complete file of codes"),
        (described({**GOOD, "factors": [{"name": "x"}]}), "is not a complete file of codes"),
        (described({**GOOD, "factors": 3}), "is not a complete file of codes"),
        (instead("X", np.arange(5.0)), "X is not a matrix of floats"),
        (instead("X", np.zeros((40, 3), "i4")), "X is not a matrix of floats"),
        (instead("X", np.zeros((39, 3), "f4")), "codes has 39 rows but variance has 40"),
        (instead("layers/variance", np.zeros((40, 2), "f4")), "variance is"),
        (instead("obs", np.arange(5.0)), "has no /obs/"),
        (instead("obs/row", "text"), "/obs/row is not a numeric column"),
        (instead("obs/shape", np.zeros((40, 2))), "/obs/shape is not a numeric column"),
        (instead("obs/label", np.array([b"x"] * 40)), "/obs/label is not a numeric column"),
        (instead("X", h5py.ExternalLink("/etc/hostname", "/X")), "links to another file"),
        (instead("X", h5py.SoftLink("/nowhere")), "broken soft link"),
    ],
)
def test_what_is_malformed_is_named(path: Path, change: Callable[[Any], None], message: str) -> None:
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        load_codes(path)
    assert message in str(caught.value)
    assert len(str(caught.value).replace(str(path), "codes.h5ad")) <= 200
    assert "\n" not in str(caught.value)


def test_storage_in_another_file_is_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(480))
    with h5py.File(path, "r+") as file:
        del file["X"]
        file.create_dataset("X", (40, 3), "f4", external=[(str(tmp_path / "secret"), 0, 480)])
    assert "stored in another file" in check_refused(path)


# Files outlive code


def test_the_archived_codes_are_read_as_they_were_written() -> None:
    codes, rows = load_codes(ARCHIVE / "codes-v1.h5ad"), np.arange(6)
    np.testing.assert_array_equal(codes.mean, np.column_stack([rows / 4, -rows / 8]))
    np.testing.assert_array_equal(codes.variance, np.column_stack([np.full(6, 0.5), 1 + rows / 4]))
    np.testing.assert_array_equal(codes.factors[:, :2], np.column_stack([rows // 3, rows % 3]))
    np.testing.assert_array_equal(codes.factors[:, 2], [0.0, 0.1, np.nan, 0.3, 0.4, 0.5])
    np.testing.assert_array_equal(codes.row_ids, 10 * rows)
    np.testing.assert_array_equal(codes.labels, rows % 2)
    np.testing.assert_array_equal(codes.distortion, [100, 101, 102, 103, np.nan, np.nan])
    assert codes.factor_names() == ("shape", "x/y", "label", "Δ angle")
    assert [spec.kind for spec in codes.specs] == ["categorical", "ordinal", "continuous", "circular"]
    assert codes.specs[0].values == ("square", "heart")
    assert codes.grid is None
    assert codes.provenance == {"inputs": {"model": "ab" * 32, "rows": 6}, "run": "beta4-seed0", "label": "β = 4"}
    assert read_summary(ARCHIVE / "codes-v1.h5ad")["active_units"] == 2


def test_the_archived_grid_of_a_deterministic_encoder_is_read_as_it_was_written() -> None:
    codes, rows = load_codes(ARCHIVE / "codes-v1-grid.h5ad"), np.arange(6)
    np.testing.assert_array_equal(codes.mean, rows[:, None] * [[1.0, 2.0, 3.0]])
    np.testing.assert_array_equal(codes.factors, np.column_stack([rows // 3, rows % 3]))
    np.testing.assert_array_equal(codes.row_ids, rows)
    assert codes.grid == (2, 3)
    assert (codes.variance, codes.labels, codes.distortion, codes.rate) == (None, None, None, None)


def test_positions_find_row_ids_in_any_order() -> None:
    codes = Codes(np.zeros((4, 2), np.float32), row_ids=np.array([40, 10, 30, 20]))
    assert codes.positions(np.array([10, 20, 40])).tolist() == [1, 3, 0]
    with pytest.raises(InputError, match="project again"):
        codes.positions(np.array([11]))
