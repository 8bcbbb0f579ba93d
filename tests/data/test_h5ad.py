"""Annotated data: layers, rows' columns, sparse and dense alike, and what is refused."""

import warnings
from importlib.util import find_spec
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from latentlab.analysis.encode.stage import encode
from latentlab.data import Dataset, condition_of, from_arrays, load
from latentlab.data._annotated import LOOKED, unique
from latentlab.errors import InputError, MissingError
from latentlab.training.train import train

pd = pytest.importorskip("pandas")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    anndata = pytest.importorskip("anndata")

COUNTS = np.random.default_rng(0).poisson(1.5, (40, 6))


def cells(counts: np.ndarray = COUNTS, matrix=sparse.csr_matrix, **more):
    """An AnnData of counts in a layer, log-normalised values in X and raw, columns of every kind."""
    n, d = counts.shape
    rng = np.random.default_rng(1)
    logs = np.log1p(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) * 1e4).astype(np.float32)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(rng.choice(["B", "T", "NK"], n)),
            "batch": pd.Categorical(np.where(np.arange(n) < n / 4, "one", "two")),
            "n_counts": counts.sum(axis=1).astype(np.float32) + 0.5,
            "plate": np.arange(n) % 3,
            "doublet": np.arange(n) % 2 == 0,
            "constant": 1.0,
            "comment": [f"cell {i} is different" for i in range(n)],
        },
        index=[f"AAC{i}-1" for i in range(n)],
    )
    var = pd.DataFrame({"highly_variable": np.arange(d) % 2 == 0}, index=[f"GENE{j}" for j in range(d)])
    held = anndata.AnnData(matrix(logs), obs=obs, var=var, layers={"counts": matrix(counts.astype(np.float32))}, **more)
    held.raw = held.copy()
    return held


def written(held, tmp_path: Path) -> Path:
    path = tmp_path / "cells.h5ad"
    held.write_h5ad(path)
    return path


@pytest.mark.parametrize("matrix", [sparse.csr_matrix, sparse.csc_matrix, np.asarray])
def test_counts_of_a_layer_are_read_by_rows(matrix, tmp_path: Path) -> None:
    path = written(cells(matrix=matrix), tmp_path)
    data = load(f"{path}:layer=counts")
    assert (data.form.kind, data.form.stored, data.form.names[:2]) == ("counts", "int32", ("GENE0", "GENE1"))
    np.testing.assert_array_equal(data[:], COUNTS)
    order = np.array([7, 3, 3, 39, 0])
    np.testing.assert_array_equal(data[order], COUNTS[order])
    assert data.row_names is not None
    assert data.row_names[:2].tolist() == ["AAC0-1", "AAC1-1"]


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sparse_equals_dense_whatever_the_rows(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    n, d = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 5))
    counts = np.array(data.draw(st.lists(st.integers(0, 3), min_size=n * d, max_size=n * d))).reshape(n, d)
    rows = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=9)))
    folder = tmp_path_factory.mktemp("h5ad")
    for name, matrix in (("csr", sparse.csr_matrix), ("csc", sparse.csc_matrix), ("dense", np.asarray)):
        anndata.AnnData(matrix(counts.astype(np.float32))).write_h5ad(folder / f"{name}.h5ad")
    read = [load(folder / f"{name}.h5ad") for name in ("csr", "csc", "dense")]
    assert {each.form.kind for each in read} == {"counts"}
    for each in read:
        np.testing.assert_array_equal(each[rows], counts[rows])
    assert len({each.fingerprint["images"] for each in read}) == 1


def test_columns_of_rows_become_factors_and_labels(tmp_path: Path) -> None:
    data = load(written(cells(), tmp_path), layer="counts")
    kinds = {spec.name: (spec.kind, spec.values) for spec in data.specs}
    assert kinds["cell_type"] == ("categorical", ("B", "NK", "T"))
    assert kinds["n_counts"] == ("continuous", ())
    assert kinds["plate"] == ("categorical", (0.0, 1.0, 2.0))
    assert kinds["doublet"] == ("categorical", ("false", "true"))
    assert not {"constant", "comment"} & kinds.keys()
    assert any(
        "2 columns of obs left out as factors: constant (1.0 in all rows), comment (" in remark
        for remark in data.remarks
    )
    assert data.label_names == ("B", "NK", "T")
    assert any("labels are cell_type" in remark for remark in data.remarks)
    assert load(written(cells(), tmp_path), labels="batch").label_names == ("one", "two")
    assert condition_of(data, "batch") == {"name": "batch", "levels": ("one", "two"), "usual": "two"}


def test_an_object_is_read_as_its_file_is(tmp_path: Path) -> None:
    held = cells()
    there, here = load(written(held, tmp_path), layer="counts"), load(held, layer="counts")
    assert here.fingerprint == there.fingerprint
    assert here.specs == there.specs
    backed = anndata.read_h5ad(tmp_path / "cells.h5ad", backed="r")
    np.testing.assert_array_equal(load(backed, layer="counts")[:], COUNTS)


def test_what_is_no_counts_is_said_and_read_as_a_table(tmp_path: Path) -> None:
    path = written(cells(), tmp_path)
    data = load(path)
    assert data.form.kind == "table"
    assert any("as of log-normalised counts, read as a table of Gaussian columns" in each for each in data.remarks)
    assert any("other layers: raw, counts" in each for each in data.remarks)
    assert load(path, layer="raw").form.kind == "table"
    assert load(path, layer="counts", kind="table").form.kind == "table"
    with pytest.raises(InputError, match=r"X holds fractions from 0 to .* counts are whole numbers from 0"):
        load(path, kind="counts")


def test_features_are_chosen_by_a_flag_or_by_their_spread(tmp_path: Path) -> None:
    counts = COUNTS.copy()
    counts[:, 4] = np.where(np.arange(40) % 2, 60, 0)
    path = written(cells(counts), tmp_path)
    assert load(path, layer="counts", genes="highly_variable").form.names == ("GENE0", "GENE2", "GENE4")
    assert load(f"{path}:layer=counts,top=1").form.names == ("GENE4",)
    np.testing.assert_array_equal(load(path, layer="counts", top=1)[:][:, 0], counts[:, 4])
    assert load(path, layer="counts", top=6).form.names == load(path, layer="counts").form.names
    assert load(path, layer="counts", top=3)[:].shape == (40, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layer": "spliced"}, "no layer 'spliced'; it has: X, raw, counts"),
        ({"genes": "marker"}, "genes=marker is not a column of true and false.*highly_variable"),
        ({"genes": "highly_variable", "top": 2}, "give one"),
        ({"top": 7}, "top is 7"),
        ({"labels": "donor"}, "no column 'donor'"),
        ({"labels": "n_counts"}, "labels=n_counts holds numbers that cannot be labels"),
        ({"kind": "image"}, "expected counts or table"),
        ({"size": 3}, "no option 'size'"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(options, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(written(cells(), tmp_path), **options)
    assert len(str(caught.value)) <= 200 + len(str(tmp_path))


@given(st.lists(st.sampled_from(["A", "B", "A-1", "A-2", "B-1"]), max_size=8))
def test_names_that_repeat_are_numbered(names: list[str]) -> None:
    found, said = unique(names)
    assert len(set(found)) == len(found) == len(names)
    assert all(new == name or new.startswith(f"{name}-") for new, name in zip(found, names, strict=True))
    assert bool(said) == (len(set(names)) < len(names))
    assert all(name in found for name in names)


def test_repeated_feature_names_get_a_word(tmp_path: Path) -> None:
    held = cells()
    held.raw = None
    held.var_names = ["A", "B", "A", "C", "D", "E"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = load(written(held, tmp_path), layer="counts")
    assert data.form.names == ("A", "B", "A-1", "C", "D", "E")
    assert any("1 feature names repeat" in each for each in data.remarks)


def test_repeated_names_of_rows_name_none_of_them(tmp_path: Path) -> None:
    held = cells()
    held.obs_names = ["same", *held.obs_names[1:-1], "same"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = load(written(held, tmp_path), layer="counts")
    assert data.row_names is None
    assert data.row_ids.tolist() == list(range(40))
    assert "names of rows repeat, so rows are known by their numbers from 0" in data.remarks


def test_whole_numbers_below_0_are_not_called_fractions(tmp_path: Path) -> None:
    held = cells()
    held.layers["shifted"] = held.layers["counts"] - sparse.csr_matrix(np.eye(40, 6, dtype=np.float32) * 9)
    assert load(written(held, tmp_path), layer="shifted").remarks[0].startswith("shifted holds numbers from -")


def test_missing_labels_are_minus_one_and_said(tmp_path: Path) -> None:
    held = cells()
    held.obs.loc[held.obs_names[:3], "cell_type"] = np.nan
    data = load(written(held, tmp_path), layer="counts")
    assert data.labels is not None
    assert (data.labels < 0).sum() == 3
    assert any("3 of 40 rows have no label in cell_type" in each for each in data.remarks)
    with pytest.raises(InputError, match="label is missing in 3 rows"):
        condition_of(data, "label")
    column = [spec.name for spec in data.specs].index("cell_type")
    assert data.factors is not None
    assert np.isnan(data.factors[:, column]).sum() == 3


def test_a_table_of_records_as_old_versions_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "old.h5ad"
    with h5py.File(path, "w") as file:
        file["X"] = np.eye(3, 2, dtype="f4")
        file["obs"] = np.array([(b"a", 0, 1.5), (b"b", 1, 2.5), (b"c", -1, 3.5)],
                               [("index", "S1"), ("kind", "i1"), ("size", "f4")])  # fmt: skip
        file["var"] = np.array([(b"G1",), (b"G2",)], [("index", "S2")])
        file["uns/kind_categories"] = np.array([b"x", b"y"])
        csr = file.create_group("raw.X")
        csr.attrs["h5sparse_format"], csr.attrs["h5sparse_shape"] = "csr", [3, 2]
        csr["data"], csr["indices"], csr["indptr"] = np.ones(3, "f4"), np.array([0, 1, 1]), np.array([0, 1, 2, 3])
        file["raw.var"] = np.array([(b"G1",), (b"G2",)], [("index", "S2")])
    data = load(path, layer="raw")
    assert data[:].tolist() == [[1, 0], [0, 1], [0, 1]]
    assert data.specs[0].values == ("x", "y")
    np.testing.assert_array_equal(data.factors, [[0, 1.5], [1, 2.5], [np.nan, 3.5]])


def broken(path: Path, change) -> None:
    with h5py.File(path, "r+") as file:
        change(file["layers/counts"])


@pytest.mark.parametrize(
    "change",
    [
        lambda group: group["indices"].__setitem__(0, 99),
        lambda group: group["indptr"].__setitem__(1, 10**6),
        lambda group: group["indptr"].__setitem__(0, 5),
        lambda group: group.__delitem__("data"),
        lambda group: group.attrs.__setitem__("shape", [40, 3]),
        lambda group: group.attrs.__setitem__("encoding-type", "coo_matrix"),
    ],
)
def test_a_matrix_whose_indices_are_wrong_is_refused(change, tmp_path: Path) -> None:
    path = written(cells(), tmp_path)
    broken(path, change)
    with pytest.raises(InputError):
        load(path, layer="counts")


def test_fractions_that_come_late_are_refused_as_they_are_read(tmp_path: Path) -> None:
    counts = np.zeros((5000, 2), np.float32)
    looked = np.linspace(0, 4999, LOOKED).astype(int)
    late = int(np.setdiff1d(np.arange(5000), looked)[-1])
    counts[late, 1] = 0.5
    anndata.AnnData(counts).write_h5ad(tmp_path / "late.h5ad")
    data = load(tmp_path / "late.h5ad")
    assert data.form.kind == "counts"
    with pytest.raises(InputError, match="fractions"):
        data[late]


def test_codes_are_not_data_and_keep_the_names_of_rows(tmp_path: Path) -> None:
    data = load(written(cells(), tmp_path), layer="counts")
    assert isinstance(data, Dataset)
    run = train(data, tmp_path / "run", steps=2, latent_dim=2, threads=1)
    encode(run, data.take([5, 2]))
    assert anndata.read_h5ad(run.codes_path).obs_names.tolist() == ["AAC5-1", "AAC2-1"]
    assert run.codes().row_names.tolist() == ["AAC5-1", "AAC2-1"]  # type: ignore[union-attr]
    for codes in (run.codes_path, anndata.read_h5ad(run.codes_path)):
        with pytest.raises(InputError, match="codes, not data"):
            load(codes)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.h5ad", "w") as file:
        file["X"] = np.eye(2)
    with pytest.raises(InputError, match="no obs and var"):
        load(tmp_path / "other.h5ad")
    (tmp_path / "text.h5ad").write_text("no HDF5")
    with pytest.raises(InputError, match="not a readable HDF5 file"):
        load(tmp_path / "text.h5ad")


@pytest.mark.skipif(find_spec("scanpy") is not None, reason="scanpy is installed")
def test_cells_that_scanpy_ships_ask_for_it() -> None:
    with pytest.raises(MissingError, match="pip install scanpy"):
        load("pbmc68k-reduced")


@pytest.mark.slow
def test_cells_that_scanpy_ships_are_counts() -> None:
    pytest.importorskip("scanpy")
    data = load("pbmc68k-reduced")
    assert data.shape == (700, 765)
    assert data.form.kind == "counts"
    totals = data.factors[:, [spec.name for spec in data.specs].index("n_counts")]  # type: ignore[index]
    assert (data[:].sum(axis=1) < totals).all()
    assert {"CD3D", "CD3E", "IL32", "FCER1A", "CLEC10A"} <= set(data.form.names)
    assert len(data.label_names) == 10


def test_texts_that_are_one_and_the_same_are_counted(tmp_path: Path) -> None:
    """Thousands of entries may refer to one long text: they are counted before they fill the memory."""
    path = tmp_path / "same.h5ad"
    anndata.AnnData(np.eye(2, dtype="f4")).write_h5ad(path)
    with h5py.File(path, "r+") as file:
        del file["obs/_index"]
        long = file.create_dataset("obs/_index", (1 << 15,), h5py.string_dtype())
        long[:1] = ["x" * 50_000]
    content = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        start = file["obs/_index"].id.get_offset()
    content[start : start + 16 * (1 << 15)] = content[start : start + 16] * (1 << 15)
    path.write_bytes(content)
    with pytest.raises(InputError, match="bytes of text"):
        load(path)


def test_an_annotated_object_is_samples_in_memory_as_well() -> None:
    anndata = pytest.importorskip("anndata")
    counts = np.random.default_rng(0).poisson(2, (9, 4)).astype(np.float32)
    held = anndata.AnnData(
        sparse.csc_matrix(counts), obs=pd.DataFrame({"batch": list("aabbccaab")}, index=list("rstuvwxyz"))
    )
    data = from_arrays(held, labels=["x", "y", "z"] * 3)
    assert (data.form.kind, data.specs[0].name, data.label_names) == ("counts", "batch", ("x", "y", "z"))
    assert np.array_equal(data[:], counts)
    with pytest.raises(InputError, match="an AnnData, which holds them"):
        from_arrays(held, feature_names=list("abcd"))
