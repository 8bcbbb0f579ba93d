"""Samples in memory as people hold them: what pandas and torch say of rows is read, in order, or refused in a line."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader, Dataset, TensorDataset

from latentlab.data import from_arrays, load
from latentlab.data.kinds import kind_of
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
FLOATS = RNG.normal(size=(6, 3))
SKY = RNG.gamma(0.3, 400, (12, 5, 8, 8)).astype(">f4")
DOSES = pd.Categorical(["mid", "low", None, "mid", "high", "low"], ["low", "mid", "high"], ordered=True)
PICTURES = torch.rand(6, 1, 4, 4) * 3


class Made(Dataset):
    """A torch data set whose items a function makes."""

    def __init__(self, item: Callable[[int], Any]) -> None:
        self.item = item

    def __len__(self) -> int:
        return 6

    def __getitem__(self, i: int) -> Any:
        return self.item(i)


@pytest.mark.parametrize(
    ("labels", "names", "numbers"),
    [
        (DOSES, ("low", "mid", "high"), [1, 0, -1, 1, 2, 0]),
        (pd.Series(DOSES, index=list("fedcba")), ("low", "mid", "high"), [1, 0, -1, 1, 2, 0]),
        (pd.Series(["b", "a"] * 3), ("a", "b"), [1, 0] * 3),
        (pd.Series(["b", None] * 3, dtype="string"), ("b",), [0, -1] * 3),
        (["b", None] * 3, ("b",), [0, -1] * 3),
        (pd.array([2, 1, None] * 2, dtype="Int64"), ("0", "1", "2"), [2, 1, -1] * 2),
        (pd.Index(["b", "a"] * 3), ("a", "b"), [1, 0] * 3),
        (torch.arange(6) % 2, ("0", "1"), [0, 1] * 3),
    ],
    ids=["categories", "series", "words", "strings", "list", "missing", "index", "tensor"],
)
def test_labels_are_what_pandas_and_torch_say(labels: Any, names: tuple[str, ...], numbers: list[int]) -> None:
    data = from_arrays(FLOATS, labels=labels)
    assert data.labels is not None
    assert (data.label_names, data.labels.tolist()) == (names, numbers)


def test_categories_keep_their_order_as_factors() -> None:
    for given in (DOSES, pd.Series(DOSES)):
        [spec] = from_arrays(FLOATS, factors={"dose": given}).specs
        assert (spec.kind, spec.values) == ("ordinal", ("low", "mid", "high"))
    assert from_arrays(FLOATS, factors=pd.Series(DOSES, name="dose")).specs == (spec,)


def test_names_of_rows_may_be_a_series_of_words() -> None:
    for given in (pd.Series(list("abcdef")), pd.Index(list("abcdef"))):
        names = from_arrays(FLOATS, row_ids=given).row_names
        assert names is not None
        assert names.tolist() == list("abcdef")


def test_columns_of_a_mapping_in_another_order_are_refused_not_mixed_up() -> None:
    frame = pd.DataFrame(FLOATS)
    turned = {"dose": pd.Series(range(6))[::-1]}
    with pytest.raises(InputError, match="factors have the rows of x in another order"):
        from_arrays(frame, factors=turned)
    assert from_arrays(frame, factors={"dose": turned["dose"].loc[frame.index]}).factors is not None


@pytest.mark.parametrize("how", [from_arrays, load])
def test_arrays_of_images_take_what_their_files_take(how: Callable[..., Any]) -> None:
    form = how(SKY, stretch="asinh", colours=(4, 2, 1)).form
    assert (form.stretch, form.colours, form.bytes) == ("asinh", (4, 2, 1), False)
    grey = RNG.random((6, 4, 4))
    assert (how(grey).form.stored, how(grey, stored="float32").form.stored) == ("uint8", "float32")


@pytest.mark.parametrize(
    ("x", "options", "told"),
    [
        (pd.DataFrame(FLOATS), {"stretch": "asinh"}, "stretch was given, but x is a DataFrame; it is for arrays"),
        (FLOATS, {"stretch": "asinh"}, r"expected \(n, d\) and d; leave stretch out"),
        (SKY, {"colours": (9, 2, 1)}, "expected channels from 1 to 5"),
        (FLOATS, {"axis": pd.date_range("2020", periods=3)}, r"axis holds datetime64\[ns\]; expected numbers"),
        (pd.DataFrame(FLOATS), {"axis": pd.date_range("2020", periods=3)}, "axis holds datetime64"),
        (FLOATS, {"axis": ["a", "b", "c"]}, "the axis holds <U1; expected numbers"),
        (FLOATS, {"labels": RNG.normal(size=6)}, "^array: labels are float64; expected whole numbers or names"),
        (FLOATS, {"labels": DOSES[:4]}, "labels are 4; expected 6"),
        (Made(lambda i: {"scan": PICTURES[i]}), {}, "items with scan; expected one called images, imgs, signals"),
        (Made(lambda i: torch.rand(1, 4 + i % 2, 4)), {}, r"shape \(1, 4, 4\) and \(1, 5, 4\); expected one shape"),
        (torch.eye(6).to_sparse(), {}, "is a tensor that makes no array"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(x: Any, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        from_arrays(x, **options)
    assert len(str(caught.value)) <= 200


def test_a_sparse_matrix_is_counts_and_nothing_else() -> None:
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(InputError, match=r"read as counts; for a table give x\.toarray\(\)"):
        from_arrays(sparse.csr_matrix(np.eye(6)), kind="table")


def test_images_below_what_a_logarithm_is_defined_for_are_refused() -> None:
    data = from_arrays(RNG.normal(size=(6, 1, 8, 8)) * 5, stretch="log1p")
    with pytest.raises(InputError, match="array has values that log1p is not defined for; choose another stretch"):
        kind_of(data.form).fitted(data.form, data)


def test_an_index_that_names_no_rows_is_said() -> None:
    frame = pd.DataFrame(FLOATS, index=pd.MultiIndex.from_product([[0, 1, 2], [0, 1]]))
    assert from_arrays(frame).remarks == ("the index of the frame is left out; row_ids= names the rows otherwise",)
    assert from_arrays(frame, row_ids=list("abcdef")).row_names is not None


@pytest.mark.parametrize(
    "made",
    [
        Made(lambda i: (PICTURES[i], i % 3)),
        Made(lambda i: (PICTURES[i].double(), torch.tensor(i % 3), i)),
        Made(lambda i: {"image": PICTURES[i], "label": i % 3}),
        Made(lambda i: {"y": i % 3, "x": PICTURES[i].numpy(), "path": "a.png"}),
        TensorDataset(PICTURES, torch.arange(6) % 3),
        DataLoader(TensorDataset(PICTURES, torch.arange(6) % 3), batch_size=2, shuffle=True),
    ],
    ids=["pair", "triple", "mapping", "other mapping", "tensors", "loader"],
)
def test_torch_data_are_read_with_their_labels_in_their_order(made: Any) -> None:
    data = from_arrays(made)
    np.testing.assert_array_equal(data[:], PICTURES.numpy())
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2] * 2


def test_what_is_beside_torch_samples_and_no_class_is_a_factor_or_said() -> None:
    measured = from_arrays(Made(lambda i: (PICTURES[i], i * 0.4)))
    assert (measured.labels, measured.specs[0].name) == (None, "target")
    assert measured.factors is not None
    np.testing.assert_allclose(measured.factors[:, 0], np.arange(6) * 0.4)
    for beside in (torch.eye(3)[0], {"boxes": 1}):
        data = from_arrays(Made(lambda i, beside=beside: (PICTURES[i], beside)))
        assert data.labels is None
        assert "what stands beside each sample is neither a number nor a word: left out" in data.remarks


def test_numbers_that_numpy_does_not_have_are_read_as_float32() -> None:
    np.testing.assert_array_equal(from_arrays(PICTURES.bfloat16())[:], PICTURES.bfloat16().float().numpy())
    deep = (PICTURES * 10_000).to(torch.uint16)
    np.testing.assert_array_equal(from_arrays(deep)[:], deep.numpy())


LEVELS = pd.MultiIndex.from_tuples([("dose", "mean"), ("dose", "sd"), ("id", "")])


def test_columns_of_several_levels_are_called_alike_everywhere() -> None:
    from latentlab import from_codes, score

    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(40, 3)), columns=LEVELS)
    known = pd.DataFrame(rng.integers(0, 3, (40, 3)), columns=LEVELS)
    expected = ["dose mean", "dose sd", "id"]
    assert list(from_arrays(frame).form.names) == expected
    assert [each.name for each in from_arrays(frame.to_numpy(), factors=known).specs] == expected
    assert [each.name for each in from_codes(frame, factors=known).codes().specs] == expected
    assert [each.name for each in from_codes(frame.to_numpy(), metadata=known).codes().specs] == expected
    assert list(score(frame, known, metrics=["mig"], resamples=0).scores["mig"].per_factor) == expected
    twice = known.set_axis(pd.MultiIndex.from_tuples([("a", "b c"), ("a b", "c"), ("d", "")]), axis=1)
    with pytest.raises(InputError, match="two factors are called 'a b c'"):
        from_arrays(frame.to_numpy(), factors=twice)
