"""What a program of one's own says of the rows of its data: the right arrays, or one line."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import latentlab as ll
from latentlab.data import Dataset, Factor, check
from latentlab.errors import InputError

N = 12
IMAGES = np.random.default_rng(0).integers(0, 256, (N, 1, 8, 8), dtype=np.uint8)
A = (Factor("a"),)


def made(**known: Any) -> Dataset:
    return Dataset("mine", IMAGES.shape, known.pop("read", IMAGES.__getitem__), **known)


@pytest.mark.parametrize(
    ("known", "came"),
    [
        ({"labels": np.array(["cat", "dog"] * 6)}, r"labels are <U3 \(12,\); expected whole numbers .*from_arrays"),
        ({"labels": np.arange(N) / 7}, r"labels are float64 \(12,\), not all of them whole"),
        ({"labels": np.full(N, np.nan)}, "not all of them whole"),
        ({"labels": np.zeros((N, 1), int)}, r"labels are int64 \(12, 1\)"),
        ({"labels": np.full(N, 2**63, np.uint64)}, "labels are uint64"),
        ({"row_ids": np.arange(N) + 0.5}, "row_ids are float64"),
        ({"row_ids": np.array([f"r{k}" for k in range(N)])}, "row_ids are .*names go into row_names"),
        ({"row_ids": -np.arange(N)}, "row_ids go down to -11"),
        ({"row_ids": np.arange(N)[:, None]}, r"row_ids are int64 \(12, 1\)"),
        ({"row_names": np.arange(N)}, "row_names are int64"),
        ({"factors": np.arange(N), "specs": A}, r"factors are int64 \(12,\); expected numbers \(12, k\)"),
        ({"factors": np.array([["x"], ["y"]] * 6), "specs": A}, "factors are <U1"),
        ({"factors": pd.DataFrame({"a": ["x", "y"] * 6}), "specs": A}, "factors are "),
        ({"factors": np.full((N, 1), np.inf), "specs": A}, "infinity in row 1"),
        ({"factors": [[1.0], [2.0, 3.0]] * 6, "specs": A}, "a list that makes no array"),
        ({"factors": np.zeros((N, 1)), "specs": ("a",)}, "something else than ll.data.Factor"),
        ({"factors": np.zeros((N, 2)), "specs": A * 2}, "two factors are called 'a'"),
    ],
)
def test_what_is_no_array_of_its_kind_is_refused(known: dict[str, Any], came: str) -> None:
    with pytest.raises(InputError, match=came) as caught:
        made(**known)
    assert len(str(caught.value)) <= 200
    assert "\n" not in str(caught.value)


@given(
    values=st.lists(st.integers(0, 9), min_size=N, max_size=N),
    form=st.sampled_from([list, np.array, pd.Series, lambda v: np.array(v, np.int8), lambda v: np.array(v, float)]),
)
def test_numbers_in_any_form_are_the_same_numbers(values: list[int], form: Any) -> None:
    data = made(labels=form(values))
    assert data.labels is not None
    assert data.labels.dtype == np.int64
    assert data.labels.tolist() == values
    assert data.fingerprint == made(labels=np.array(values)).fingerprint
    column = pd.DataFrame({"a": np.asarray(form(values))})
    for factors in (column, column.to_numpy(), column.to_numpy().tolist()):
        held = made(factors=factors, specs=A)
        assert held.factors is not None
        assert held.factors.dtype == np.float64
        assert held.factors[:, 0].tolist() == values


def test_masked_and_large_numbers_keep_what_they_say() -> None:
    masked = np.ma.masked_less(np.arange(N)[:, None], 3)
    data = made(factors=masked, specs=A)
    assert data.factors is not None
    assert np.isnan(data.factors[:, 0]).tolist() == [True] * 3 + [False] * 9
    large = made(factors=2**60 + np.arange(N)[:, None] % 3, specs=A)
    assert large.factors is not None
    assert len(np.unique(large.factors)) == 3
    with pytest.raises(InputError, match="NaN or infinity"):
        made(read=lambda rows: np.ma.masked_less(IMAGES[rows], 9))[:]


def test_rows_with_one_id_are_not_trained_on_or_encoded(tmp_path: Path) -> None:
    data = made(row_ids=np.arange(N) // 2)
    found = next(each for each in check(data) if each["what"] == "row ids")
    assert found["problem"] == "mine: row_ids has 0 more than once (6 repeats); expected an id of its own for each row"
    with pytest.raises(InputError, match="more than once"):
        ll.train(data, tmp_path / "run", steps=1, latent_dim=2)
    assert not (tmp_path / "run").exists()
    run = ll.train(made(), tmp_path / "run", steps=1, latent_dim=2)
    with pytest.raises(InputError, match="more than once"):
        ll.encode(run, data)
