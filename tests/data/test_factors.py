"""One rule for columns about rows: the same column is the same factor in a table, in obs, in memory and as metadata."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentlab.analysis.score.arrays import levels_of, read_arrays
from latentlab.data import Dataset, from_arrays, load
from latentlab.data._factors import factors_of, labels_of
from latentlab.errors import InputError
from latentlab.exchange.embeddings.rows import Rows, embedded

N = 60
RNG = np.random.default_rng(0)
COLUMNS = {
    "word": (RNG.choice(["a", "b"], N), "categorical"),
    "flag": (np.arange(N) % 2 == 0, "categorical"),
    "plate": (np.arange(N) % 3, "categorical"),
    "size": (pd.Categorical(RNG.choice(["s", "l"], N), ["s", "m", "l"], ordered=True), "ordinal"),
    "dose": (RNG.normal(size=N), "continuous"),
    "depth": (RNG.permutation(N) * 7, "continuous"),
}
X = RNG.normal(size=(N, 4)).astype(np.float32)


def obs() -> pd.DataFrame:
    frame = pd.DataFrame({name: column for name, (column, _) in COLUMNS.items()})
    frame.loc[4, "word"] = None
    frame.loc[5, "dose"] = np.nan
    return frame.set_axis([f"cell {k}" for k in range(N)])


def ways(tmp_path: Path) -> dict[str, Dataset]:
    """The same columns in every way in."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        anndata = pytest.importorskip("anndata")
        held = anndata.AnnData(X, obs=obs())
        held.write_h5ad(tmp_path / "x.h5ad")
    frame = obs().reset_index(drop=True)
    values = pd.DataFrame(X, columns=[f"x{j}" for j in range(4)])
    pd.concat([values, frame], axis=1).to_parquet(tmp_path / "x.parquet")
    return {
        "object": load(held),
        "h5ad": load(tmp_path / "x.h5ad"),
        "frame": from_arrays(pd.concat([values, frame], axis=1), factors=list(COLUMNS)),
        "memory": from_arrays(X, factors=frame, kind="table"),
        "parquet": load(tmp_path / "x.parquet", factors=list(COLUMNS)),
    }


def test_a_column_is_the_same_factor_whichever_way_it_comes(tmp_path: Path) -> None:
    codes = embedded(Rows.of(X), [(obs().reset_index(drop=True), "metadata")], None, None, "", name="x").codes
    for way, found in {**ways(tmp_path), "codes": codes}.items():
        assert [(each.name, each.kind) for each in found.specs] == [
            (name, kind) for name, (_, kind) in COLUMNS.items()
        ], way
        assert found.specs == codes.specs, way
        np.testing.assert_array_equal(found.factors, codes.factors, err_msg=way)


def test_what_levels_are_and_what_is_missing() -> None:
    found = factors_of(obs(), (), "t")
    assert {each.name: each.values for each in found.specs} == {
        "word": ("a", "b"), "flag": ("false", "true"), "plate": (0.0, 1.0, 2.0), "size": ("s", "l"), "dose": (),
        "depth": (),
    }  # fmt: skip
    assert found.values is not None
    assert np.isnan(found.values).sum(axis=0).tolist() == [1, 0, 0, 0, 1, 0]
    many = pd.DataFrame({"whole": np.arange(600) % 40})
    assert factors_of(many, (), "t").specs[0].kind == "ordinal", "fifteen rows of each of 40 numbers"


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (np.ones(N), "1.0 in all rows"),
        (RNG.permutation(N), "counts the rows"),
        ([f"cell {k}" for k in range(N)], "60 different words in 60 rows"),
        (pd.date_range("2020", periods=N), "datetime64"),
        (["1", "b"] * (N // 2), "both numbers and words"),
        ([None] * N, "nothing"),
        ([1.0] * (N - 1) + [np.inf], "infinity"),
    ],
)
def test_what_is_no_factor_is_left_out_with_a_reason_or_refused_by_name(column: object, why: str) -> None:
    table = pd.DataFrame({"odd": column, "dose": obs()["dose"].to_numpy()})
    found = factors_of(table, (), "t")
    assert [each.name for each in found.specs] == ["dose"]
    assert why in found.left["odd"]
    if why in ("1.0 in all rows", "counts the rows"):
        assert [each.name for each in factors_of(table, ["odd"], "t").specs] == ["odd", "dose"]
    else:
        with pytest.raises(InputError, match=rf"^t: column 'odd' holds .*{why}"):
            factors_of(table, ["odd"], "t")


def test_scored_tables_make_levels_of_words_by_the_same_rule(tmp_path: Path) -> None:
    table = obs()[["word", "flag", "size", "dose"]].reset_index(drop=True)
    table["size"] = table["size"].cat.rename_categories({"s": "z", "l": "b"})
    table.to_parquet(tmp_path / "v.parquet")
    np.save(tmp_path / "z.npy", X)
    expected = factors_of(table, (), "t").values
    for found in (read_arrays(tmp_path / "z.npy", tmp_path / "v.parquet"), levels_of(table, ())):
        values, names = found.factors, found.names
        np.testing.assert_array_equal(values, expected)
        assert tuple(names) == tuple(table.columns)
    with pytest.raises(InputError, match=r"^factors: column 'word' holds 60 different words in 60 rows"):
        levels_of(table.assign(word=[f"w{k}" for k in range(N)]), ())
    numbers = table[["dose"]].assign(plate=np.arange(N) % 3 * 5)
    np.testing.assert_array_equal(levels_of(numbers, ())[0], numbers, "numbers stay what they are")


def test_names_of_classes_may_look_like_numbers() -> None:
    labels, names = labels_of(pd.Series(["1", "x", None, "1"]), "t")
    assert (labels.tolist(), names) == ([0, 1, -1, 0], ("1", "x"))
