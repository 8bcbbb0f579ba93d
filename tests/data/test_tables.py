"""A table is read the same in whatever dialect it was written, nothing is left out in silence, and units are kept."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.distributions import kl_divergence

import latentlab as ll
from latentlab.data import Dataset, check, from_arrays, load
from latentlab.data.kinds import Form, kind_of
from latentlab.errors import InputError
from latentlab.models.columns import PerColumn
from latentlab.models.counted import CountLikelihood
from latentlab.system import registry

RNG = np.random.default_rng(0)
N = 40
FRAME = pd.DataFrame(
    {
        "sample": np.arange(1, N + 1),
        "height": RNG.normal(170, 10, N).round(2),
        "weight": RNG.normal(70, 9, N).round(1),
        "smokes": RNG.integers(0, 2, N),
        "blood group": RNG.choice(["A", "AB", "B"], N),
        "species": RNG.choice(["cat", "dog"], N),
        "dose": RNG.choice([0.5, 1.5, 2.5], N),
        "site": "Ulm",
    }
)
FRAME.loc[3, "weight"] = np.nan
FRAME.loc[5, "blood group"] = None
Write = Callable[[Path, pd.DataFrame], object]
DIALECTS: dict[str, Write] = {
    "comma.csv": lambda path, frame: frame.to_csv(path, index=False),
    "semicolon.csv": lambda path, frame: frame.to_csv(path, index=False, sep=";", decimal=","),
    "tabs.tsv": lambda path, frame: frame.to_csv(path, index=False, sep="\t", na_rep="NA"),
    "bars.txt": lambda path, frame: frame.to_csv(path, index=False, sep="|", na_rep="?"),
    "quoted.csv": lambda path, frame: frame.to_csv(path, index=False, quoting=1),
    "windows.csv": lambda path, frame: frame.to_csv(path, index=False, lineterminator="\r\n", encoding="utf-8-sig"),
    "wide.csv": lambda path, frame: frame.to_csv(path, index=False, encoding="utf-16"),
    "packed.csv.gz": lambda path, frame: path.write_bytes(gzip.compress(frame.to_csv(index=False).encode())),
    "commented.csv": lambda path, frame: path.write_text("# measured in May\n" + frame.to_csv(index=False)),
    "columns.parquet": lambda path, frame: frame.to_parquet(path),
}
ROLES = "labels=species,factors=dose"


def written(path: Path, frame: pd.DataFrame = FRAME) -> Path:
    DIALECTS[path.name](path, frame)
    return path


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return written(tmp_path / "comma.csv")


@pytest.mark.parametrize("name", DIALECTS)
def test_ten_dialects_are_one_data_set(tmp_path: Path, name: str) -> None:
    expected = load(FRAME, labels="species", factors=["dose"])
    data = load(f"{written(tmp_path / name)}:{ROLES}")
    assert data.fingerprint == expected.fingerprint
    assert np.array_equal(data[:], expected[:], equal_nan=True)
    assert data.label_names == ("cat", "dog")
    assert data.form.kind == "table"


def test_columns_keep_their_names_values_and_kinds(table: Path) -> None:
    data = load(f"{table}:{ROLES}")
    levels = ("blood group=A", "blood group=AB", "blood group=B")
    assert data.form.names == ("height", "weight", "smokes", *levels)
    assert data.form.columns == ("numeric", "numeric", "binary", *("category blood group",) * 3)
    np.testing.assert_allclose(data[:][:, 0], FRAME["height"], rtol=1e-6)
    assert np.isnan(data[3][0, 1])
    assert np.isnan(data[5][0, 3:]).all()
    assert data.form.missing
    group = data[:][:, 3:].argmax(axis=1)
    assert [levels[k].split("=")[1] for k in group[6:]] == FRAME["blood group"][6:].tolist()
    assert data.factors is not None
    assert data.factors[:, 0].tolist() == FRAME["dose"].tolist()


def test_what_is_left_out_is_said_and_can_be_kept(table: Path) -> None:
    data = load(table)
    (left, meant) = data.remarks
    assert left == "left out: sample (counts the rows), site (Ulm in all rows)"
    assert meant == "species is an input; labels=species makes it the labels"
    kept = load(f"{table}:columns=sample=numeric+site=category+smokes=category,drop=species+dose")
    assert kept.form.names[0] == "sample"
    assert {"site=Ulm", "smokes=0", "smokes=1"} < set(kept.form.names)
    assert not {"species", "dose"} & set(kept.form.names)
    assert kept.remarks == ("dropped as asked: species, dose",)
    assert load(f"{table}:ids=sample").row_ids.tolist() == list(range(1, N + 1))
    assert load(f"{table}:columns=species=binary").form.names[-2:] == ("species=dog", "dose")


def test_labels_may_be_missing_and_ids_may_be_texts(table: Path) -> None:
    data = load(f"{table}:labels=blood group")
    assert data.labels is not None
    assert np.flatnonzero(data.labels < 0).tolist() == [5]
    assert "1 of 40 rows have no label in blood group" in data.remarks
    names = [f"mouse {k}" for k in range(N)]
    named = from_arrays(FRAME.assign(mouse=names), row_ids="mouse")
    assert named.row_names is not None
    assert named.row_names.tolist() == names
    assert "mouse" not in named.form.names


def test_row_numbers_without_a_name_are_no_input(tmp_path: Path) -> None:
    FRAME.drop(columns="sample").to_csv(tmp_path / "i.csv")
    data = load(tmp_path / "i.csv")
    assert "the first column, which has no name, called index" in data.remarks[0]
    assert "index (counts the rows)" in data.remarks[1]
    assert data.form.names[0] == "height"


def test_a_name_may_hold_a_plus(tmp_path: Path) -> None:
    FRAME.rename(columns={"height": "Na+", "weight": "Na+K"}).to_csv(tmp_path / "p.csv", index=False)
    data = load(f"{tmp_path / 'p.csv'}:factors=Na++Na+K+dose")
    assert [spec.name for spec in data.specs] == ["Na+", "Na+K", "dose"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("labels=breed", "has no column 'breed' for labels; it has: sample, height"),
        ("columns=dose=weird", "to be 'weird'; expected numeric, binary, category"),
        ("columns=dose", "columns has 'dose'; expected NAME=KIND"),
        ("columns=species=numeric", "holds words; expected numbers"),
        ("columns=dose=binary", "is to be binary; expected 0 and 1, or two words"),
        ("labels=dose", "numbers that cannot be labels; expected whole numbers or names"),
        ("ids=smokes", "more than once"),
        ("drop=dose,factors=dose", "given two roles"),
        ("drop=sample+height+weight+smokes+blood group+species+dose+site", "no column that is an input"),
        ("header=2", "header is 2; expected 1"),
        ("inverted=1", "inverted= is for images of bytes"),
        ("size=3", "has no option 'size'"),
    ],
)
def test_wrong_options_are_refused_in_a_line(table: Path, options: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(f"{table}:{options}")
    assert len(str(caught.value).replace(str(table.parent), "")) < 200


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([f"word {k}" for k in range(30)] + ["again"] * 10, "31 different words in 40 rows; leave it out"),
        ([1.0] * 39 + [np.inf], "infinity in row 40"),
        (pd.date_range("2020", periods=N), "datetime"),
        (["7 mg"] + ["3"] * 39, "expected numbers in all its rows"),
    ],
)
def test_columns_that_are_no_inputs_are_named(column: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(FRAME.assign(odd=column))


def test_words_among_which_some_look_like_numbers_are_levels_where_that_is_said() -> None:
    frame = FRAME.assign(group=["0", "A"] * (N // 2))
    assert from_arrays(frame, columns={"group": "category"}).form.names[-2:] == ("group=0", "group=A")
    assert from_arrays(frame, labels="group").label_names == ("0", "A")
    with pytest.raises(InputError, match="expected numbers in all its rows"):
        load(frame)


def test_a_column_without_values_and_one_of_names_are_left_out() -> None:
    data = load(FRAME.assign(empty=np.nan, name=[f"row {k}" for k in range(N)]))
    assert "name (another word in each row)" in data.remarks[0]
    assert "empty (no value in any row)" in data.remarks[0]
    with pytest.raises(InputError, match="no value in any row, so it cannot be an input"):
        from_arrays(FRAME.assign(empty=np.nan), columns={"empty": "numeric"})


def test_a_frame_keeps_its_index_as_row_ids_and_the_order_of_its_categories() -> None:
    size = pd.Categorical(RNG.choice(["small", "large"], N), ["small", "medium", "large"], ordered=True)
    data = load(FRAME.assign(size=size)[::2], factors=["size"])
    assert data.row_ids.tolist() == list(range(0, N, 2))
    assert (data.specs[0].kind, data.specs[0].values) == ("ordinal", ("small", "large"))
    with pytest.raises(InputError, match="no column 'nothing'"):
        load(FRAME, labels="nothing")
    with pytest.raises(InputError, match="two columns called"):
        load(pd.concat([FRAME, FRAME], axis=1))


def test_data_check_tells_every_column(table: Path) -> None:
    findings = {each["what"]: each for each in check(f"{table}:{ROLES}")}
    assert findings["column weight"]["problem"] == f"missing in 1 of {N} rows"
    assert str(findings["column blood group"]["found"]).startswith("category of 3: ")
    assert str(findings["column smokes"]["found"]).startswith("binary, 1 in ")
    assert str(findings["remark"]["found"]).startswith("left out: sample")
    assert all(each["usable"] for each in findings.values())
    assert check(from_arrays(FLOATS))[2]["what"] == "column 1", "a column without a name is not called so twice"


@pytest.mark.parametrize(
    ("name", "rows", "columns"), [("wine", 178, 13), ("breast-cancer", 569, 30), ("diabetes", 442, 10)]
)
def test_tables_by_name(name: str, rows: int, columns: int) -> None:
    data = load(name)
    assert data.shape == (rows, columns)
    assert len(set(data.form.names)) == columns
    assert (data.labels is None) == (name == "diabetes")
    assert not [each for each in check(name) if each["problem"]]


# Arrays of every kind
FLOATS = RNG.normal(size=(6, 5))


@pytest.mark.parametrize(
    ("given", "options", "kind", "shape"),
    [
        (FLOATS, {}, "table", (5,)),
        (FLOATS.tolist(), {}, "table", (5,)),
        (FLOATS > 0, {}, "table", (5,)),
        (np.arange(30).reshape(6, 5) - 3, {}, "table", (5,)),
        (np.arange(30).reshape(6, 5), {"kind": "counts"}, "counts", (5,)),
        (FLOATS, {"axis": np.arange(5), "axis_unit": "nm"}, "signal", (1, 5)),
        (RNG.normal(size=(6, 2, 50)), {"kind": "signal"}, "signal", (2, 50)),
        (RNG.integers(0, 255, (6, 8, 9), dtype=np.uint8), {}, "image", (1, 8, 9)),
        (torch.randn(6, 5), {}, "table", (5,)),
    ],
)
def test_arrays_are_read_as_what_they_plainly_are(given: object, options: dict, kind: str, shape: tuple) -> None:
    data = from_arrays(given, **options)
    assert (data.form.kind, data.form.shape, len(data)) == (kind, shape, 6)
    np.testing.assert_allclose(data[:].reshape(6, -1) / 1, np.asarray(given).reshape(6, -1))


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (np.arange(30).reshape(6, 5), {}, "may be counts or a table: say kind=counts"),
        (RNG.random((6, 2, 50)), {}, "may be signals .* or images"),
        (FLOATS, {"kind": "picture"}, "kind is 'picture'; expected one of counts, image"),
        (FLOATS, {"kind": "counts"}, "counts hold fractions"),
        (FLOATS, {"feature_names": ["a"]}, "with 1 names"),
        (FLOATS, {"kind": "table", "axis": range(5)}, "leave axis out"),
        ([[1, 2], [3]], {}, "expected numbers"),
        (np.array([["a", "b"]]), {}, "expected"),
        (FLOATS, {"labels": [1, 2]}, "labels have shape"),
        (FLOATS, {"factors": np.zeros((3, 2))}, "expected \\(6, k\\)"),
        (FLOATS, {"row_ids": [0] * 6}, "ids are unique"),
        (FLOATS, {"row_ids": [0.5] * 6}, "whole numbers or names, all different"),
        (FLOATS, {"feature_names": list("abcda")}, "two features are called 'a'; name each once"),
        (FLOATS, {"axis": [1, 2, 5, 3, 4]}, "the axis goes up and down; expected points in order"),
        (FLOATS, {"columns": {"a": "numeric"}}, "not a DataFrame"),
    ],
)
def test_arrays_that_are_not_plain_are_asked_about(given: object, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        from_arrays(given, **options)
    assert len(str(caught.value)) <= 200


def test_what_is_known_of_rows_in_memory() -> None:
    words = ["a", "b", "a", "b", "a", "b"]
    data = from_arrays(FLOATS, factors={"word": words, "number": FLOATS[:, 0]}, labels=words, row_ids=range(10, 16))
    assert [(spec.name, spec.kind, spec.values) for spec in data.specs] == [
        ("word", "categorical", ("a", "b")),
        ("number", "continuous", ()),
    ]
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert data.row_ids.tolist() == list(range(10, 16))
    pairs = torch.utils.data.TensorDataset(torch.from_numpy(FLOATS), torch.arange(6))
    assert np.array_equal(load(pairs)[:], FLOATS)
    assert load(pairs).labels.tolist() == list(range(6))  # type: ignore[union-attr]


def test_rows_are_named_by_ids_or_by_the_index_of_a_frame() -> None:
    names = [f"P{k}" for k in range(6)]
    frame = pd.DataFrame(FLOATS, index=names)
    for data in (
        from_arrays(FLOATS, row_ids=names),
        from_arrays(frame),
        from_arrays(frame.assign(i=names), row_ids="i"),
    ):
        assert data.row_names is not None
        assert data.row_names.tolist() == names
        assert len(set(data.row_ids.tolist())) == 6
    assert from_arrays(pd.DataFrame(FLOATS, index=["a"] * 6)).row_names is None


def test_rows_in_another_order_than_the_frame_are_refused_not_mixed_up() -> None:
    frame = pd.DataFrame(FLOATS, index=list("abcdef"))
    dose = pd.DataFrame({"dose": RNG.normal(size=6)}, index=list("fedcba"))
    with pytest.raises(InputError, match=r"factors have the rows of x in another order; pass factors\.loc\[x\.index\]"):
        from_arrays(frame, factors=dose)
    with pytest.raises(InputError, match="labels have the rows of x in another order"):
        from_arrays(frame, labels=pd.Series(list("xyxyxy"), dose.index))
    found = from_arrays(frame, factors=dose.loc[frame.index]).factors
    assert found is not None
    assert found[:, 0].tolist() == dose["dose"].tolist()[::-1]
    assert len(from_arrays(frame, factors=dose.reset_index(drop=True))) == 6, "rows without names go by their order"


@pytest.mark.parametrize("name", ["x.npz", "x.h5"])
def test_files_of_arrays_may_say_what_they_hold(tmp_path: Path, name: str) -> None:
    arrays = {"X": FLOATS, "kind": np.array("signal"), "axis": np.linspace(0, 1, 5), "labels": np.arange(6)}
    if name.endswith("npz"):
        np.savez(tmp_path / name, **arrays)  # type: ignore[arg-type]
    else:
        import h5py

        with h5py.File(tmp_path / name, "w") as file:
            for key, value in arrays.items():
                file[key] = "signal" if key == "kind" else value
    data = load(tmp_path / name)
    assert (data.form.kind, data.form.axis[-1], data.remarks) == ("signal", 1.0, ())
    assert np.array_equal(data[:][:, 0], FLOATS)
    assert load(f"{tmp_path / name}:kind=signal").fingerprint == data.fingerprint


def test_a_file_of_the_users_own_may_give_a_frame(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import pandas as pd\n\ndef rows():\n    return pd.DataFrame({'a': [1.5, 2, 3]})\n"
    )
    assert load(f"{tmp_path / 'own.py'}:rows").form.names == ("a",)


# Laws
def table_of(x: np.ndarray) -> tuple[Dataset, Form]:
    data = from_arrays(x, "table", feature_names=[f"c{k}" for k in range(x.shape[1])])
    return data, kind_of(data.form).fitted(data.form, data)


@settings(max_examples=40, deadline=None)
@given(
    hnp.arrays(np.float64, (7, 3), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([1e-9, 1.0, 1e6]),
    st.sampled_from([0.0, 1e4]),
)
def test_values_come_back_in_their_own_units(x: np.ndarray, unit: float, origin: float) -> None:
    """Stored to model to stored: within a millionth of each column's range."""
    x = x * unit + origin
    data, form = table_of(x)
    returned = form.from_model(form.to_model(data[:]))
    spread = np.ptp(x, axis=0)
    wide = spread > np.maximum(1e-9 * np.abs(x).max(axis=0), 1e-100)
    assert (np.abs(returned - x)[:, wide] <= 1e-6 * spread[wide]).all()


FORM = Form(
    "table", (6,), missing=True, columns=("numeric", "category g", "binary", "category g", "numeric", "category g")
)


def rows(seed: int, n: int = 5) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    level = np.eye(3)[rng.integers(0, 3, n)]
    x = np.column_stack(
        [rng.normal(size=n), level[:, 0], rng.integers(0, 2, n), level[:, 1], rng.normal(size=n), level[:, 2]]
    )
    return torch.from_numpy(x).float()


@pytest.mark.parametrize("lost", [[0], [2], [1, 3, 5], [0, 4], [0, 1, 2, 3, 4, 5]])
def test_missing_values_are_not_in_the_likelihood(lost: list[int]) -> None:
    """A row's log-probability is that of the columns that are known, alone."""
    likelihood, outputs, x = PerColumn(FORM, 0.7), torch.randn(5, 6), rows(0)
    holed = x.clone()
    holed[:, lost] = torch.nan
    kept = [k for k in range(6) if k not in lost]
    expected = torch.zeros(5)
    if kept:
        columns = tuple(FORM.columns[k] for k in kept)
        alone = PerColumn(Form("table", (len(kept),), columns=columns), 0.7)
        expected = alone(outputs[:, kept]).log_prob(x[:, kept])
    assert torch.allclose(likelihood(outputs).log_prob(holed), expected, atol=1e-5)


@given(st.permutations(range(6)))
@settings(max_examples=20, deadline=None)
def test_columns_in_another_order_are_everything_in_that_order(order: list[int]) -> None:
    x, outputs = rows(1), torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    turned = Form("table", (6,), columns=tuple(FORM.columns[k] for k in order))
    here, there = PerColumn(FORM, 0.7)(outputs), PerColumn(turned, 0.7)(outputs[:, order])
    assert torch.allclose(here.log_prob(x), there.log_prob(x[:, order]), atol=1e-5)
    assert torch.allclose(here.mean[:, order], there.mean, atol=1e-6)
    numbers, _ = table_of(FLOATS)
    other, _ = table_of(FLOATS[:, order[:5]] if max(order[:5]) < 5 else FLOATS)
    assert numbers.form.shape == other.form.shape


def test_fitting_follows_the_order_of_columns() -> None:
    order = [3, 0, 4, 1, 2]
    (_, here), (_, there) = table_of(FLOATS), table_of(FLOATS[:, order])
    assert np.take(here.offset, order) == pytest.approx(there.offset)
    assert np.take(here.scale, order) == pytest.approx(there.scale)


def test_the_kl_between_rows_is_what_sampling_gives() -> None:
    torch.manual_seed(0)
    likelihood = PerColumn(FORM, 0.7)
    p, q = likelihood(torch.randn(2, 6)), likelihood(torch.randn(2, 6))
    x = p.sample((40_000,))
    sampled = p.log_prob(x) - q.log_prob(x)
    assert kl_divergence(p, q).detach().numpy() == pytest.approx(sampled.mean(0).detach().numpy(), rel=0.05)
    assert kl_divergence(p, p).detach().numpy() == pytest.approx([0, 0], abs=1e-6)


@pytest.mark.parametrize("dispersed", [True, False])
def test_the_kl_between_counts_is_what_sampling_gives(dispersed: bool) -> None:
    torch.manual_seed(0)
    form = Form("counts", (4,), "int32", library=30.0)
    likelihood = CountLikelihood(form, dispersed=dispersed)
    p, q = likelihood(torch.randn(1, 4)), likelihood(torch.randn(1, 4))

    def log_prob(outputs: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """With means of the typical library size, instead of the draw's own."""
        mean = 30 * torch.softmax(outputs, -1)
        if not dispersed:
            return torch.distributions.Poisson(mean).log_prob(x).sum(-1)
        return torch.distributions.NegativeBinomial(torch.ones(4), logits=mean.log()).log_prob(x).sum(-1)

    x = p.sample((40_000,))
    sampled = (log_prob(p.log_share, x) - log_prob(q.log_share, x)).mean(0)
    assert kl_divergence(p, q).detach().numpy() == pytest.approx(sampled.detach().numpy(), rel=0.05)


@pytest.mark.parametrize("kind", registry.names("data/kinds"))
def test_every_kind_has_what_its_users_call(kind: str) -> None:
    """Scores without a model, features and readings are finite numbers, one row a sample."""
    x = {
        "image": RNG.integers(0, 256, (30, 1, 8, 8), dtype=np.uint8),
        "table": np.where(RNG.random((30, 5)) < 0.1, np.nan, RNG.normal(size=(30, 5))),
        "counts": RNG.poisson(3, (30, 7)),
        "signal": RNG.normal(size=(30, 2, 40)),
    }[kind]
    data = from_arrays(x, kind)
    module = kind_of(data.form)
    form, samples = module.fitted(data.form, data), data[:]
    scores = module.baselines(form, samples, samples)
    assert module.MATCHED[0] in ("", *scores)
    for each in (*scores.values(), module.compared(form, samples), module.seen(form, samples)):
        assert np.isfinite(each).all()
        assert len(each) == 30
    assert np.isfinite(module.space(form, samples)(samples)).all()
    nothing, which = module.constants(form, samples)
    assert nothing.dtype == samples.dtype
    assert all(len(nothing[part]) for part in which.values())
    assert {found[0] for found in module.examined(form, iter([samples]))}
    assert ll.data.load(x, kind=kind).form.same(data.form)


DOUBTFUL = {  # what is neither a number nor a word, and what is said of it
    "thousands;": ("price;n\n1.234;5\n2.500;7\n", "pass decimal=comma or decimal=point"),
    "thousands,": ("price\tn\n1,234\t5\n2,500\t7\n", "pass decimal=comma or decimal=point"),
    "both": ('price;n\n"1.234,50";0,5\n"2.500,25";7,5\n', "holds '1.234,50'"),
    "money": ("price,n\n$1.50,5\n$2.50,7\n", "holds '[$]1.50'"),
    "a unit": ("price,n\n5 kg,5\n7 kg,7\n9 kg,8\n", "remove what stands behind them"),
    "a remark": ("price,n\n1.5,5 # ok\n2.5,7 # ok\n2.5,8 # ok\n", "remove what stands behind them"),
    "a hard space": ("price,n\n\u00a01.5,5\n\u00a02.5,7\n", "expected numbers"),
    "a true minus": ("price,n\n\u22121.5,5\n\u22122.5,7\n", "holds '\u22121.5'"),
    "hexadecimal": ("price,n\n0x1f,5\n0x2a,7\n", "holds '0x1f'"),
    "complex": ("price,n\n1+2j,5\n3-1j,7\n", "holds '1[+]2j'"),
    "dates": ("day,n\n2024-03-01,5\n2024-03-02,7\n2024-03-01,8\n", "holds dates \\(2024-03-01\\)"),
    "days": ("day,n\n1 Mar 2024,5\n2 Mar 2024,7\n1 Mar 2024,8\n", "holds dates"),
    "times": ("day,n\n07:30,5\n08:15,7\n07:30,8\n", "holds dates"),
    "large": (f"key,n\n{2**53 + 1},5\n{2**53},7\n", "beyond 2\\^53, which floats merge"),
    "one row": ("a,b\n1.5,2.5\n", "no column that is an input \\(a \\(1.5 in all rows\\), b "),
}


@pytest.mark.parametrize("case", list(DOUBTFUL))
def test_what_is_neither_number_nor_word_is_refused(tmp_path: Path, case: str) -> None:
    content, message = DOUBTFUL[case]
    path = tmp_path / "d.csv"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        load(path)


def test_the_decimal_sign_can_be_said(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("price;n\n1.234;5\n2.500;7\n")
    assert load(f"{path}:decimal=point")[:][:, 0].tolist() == pytest.approx([1.234, 2.5])
    path.write_text("price;n\n1,234;5\n2,500;7\n")
    assert load(f"{path}:decimal=comma")[:][:, 0].tolist() == pytest.approx([1.234, 2.5])
    with pytest.raises(InputError, match="expected point or comma"):
        load(f"{path}:decimal=dot")


@pytest.mark.parametrize("words", [["01", "1", "001"], ["1E1", "10", "010"], ["007", "008", "012"]])
def test_whole_numbers_that_are_names_stay_as_they_are_written(tmp_path: Path, words: list[str]) -> None:
    path = tmp_path / "d.csv"
    path.write_text("a,code\n" + "".join(f"{k}.5,{word}\n" for k, word in enumerate(words * 3)))
    labelled = load(f"{path}:labels=code")
    assert labelled.labels is not None
    assert [labelled.label_names[k] for k in labelled.labels] == words * 3
    category = load(f"{path}:columns=code=category")
    assert {f"code={word}" for word in words} <= set(category.form.names)
    factors = load(f"{path}:factors=code").factors
    assert factors is not None
    assert len(np.unique(factors)) == 3
    path.write_text("a,code\n" + "".join(f"{k}.5,{word}\n" for k, word in enumerate(words)))
    named = load(f"{path}:ids=code")
    assert named.row_names is not None
    assert named.row_names.tolist() == words


def test_leading_zeros_of_an_input_and_what_may_be_an_id_are_said(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("zip,patient_id,a\n" + "".join(f"{z:05d},{1000 + 7 * z % 11},{z}.5\n" for z in (501, 123, 501)))
    remarks = load(path).remarks
    assert "zip is read as numbers, though it holds 00501; columns=zip=category keeps the texts" in remarks
    assert "patient_id is an input; ids=patient_id makes it the row ids" not in remarks
    path.write_text("patient_id,a\n17,0.5\n1001,1.5\n99,2.5\n")
    assert "patient_id is an input; ids=patient_id makes it the row ids" in load(path).remarks


def test_a_category_of_large_whole_numbers_keeps_them_apart(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("key,n\n" + "".join(f"{2**60 + k % 3},{k}\n" for k in range(9)))
    names = load(f"{path}:columns=key=category").form.names
    assert [name for name in names if name.startswith("key=")] == [f"key={2**60 + k}" for k in range(3)]


# Tables of text that hold counts or signals


@pytest.fixture
def genes(tmp_path: Path) -> Path:
    counts = np.random.default_rng(0).poisson(2, (12, 25))
    counts[:, 3] = 0
    frame = pd.DataFrame(counts, columns=[f"GENE{k}" for k in range(25)], index=[f"cell{k}" for k in range(12)])
    frame.assign(type=["T", "B"] * 6).to_csv(tmp_path / "genes.csv", index_label="cell")
    return tmp_path / "genes.csv"


@pytest.fixture
def spectra(tmp_path: Path) -> Path:
    values = np.random.default_rng(0).normal(size=(12, 25))
    frame = pd.DataFrame(values, columns=[f"{900 + 10.5 * k:g}" for k in range(25)])
    frame.assign(sample=[f"s{k}" for k in range(12)], protein=np.arange(12) / 7).to_csv(
        tmp_path / "spectra.csv", index=False
    )
    return tmp_path / "spectra.csv"


def test_a_text_table_of_counts_is_read_as_counts_where_that_is_said(genes: Path) -> None:
    assert any("kind=counts reads them as counts" in each for each in load(f"{genes}:drop=type+cell").remarks)
    data = load(f"{genes}:kind=counts,labels=type,ids=cell")
    assert (data.form.kind, data.form.shape, data.form.names[3]) == ("counts", (25,), "GENE3")
    assert data[0].dtype == np.int32
    assert data.label_names == ("B", "T")
    assert data.row_names is not None
    assert data.row_names[1] == "cell1"


def test_the_names_of_columns_are_the_axis_of_signals(spectra: Path) -> None:
    assert any("kind=signal" in each for each in load(spectra).remarks)
    data = load(f"{spectra}:kind=signal,axis_unit=nm,unit=a.u.,factors=protein,ids=sample")
    assert (data.form.shape, data.form.axis[:2], data.form.axis_unit, data.form.unit) == (
        (1, 25),
        (900.0, 910.5),
        "nm",
        "a.u.",
    )
    assert any("900 to 1152, are the axis" in each for each in data.remarks)
    assert data.factors[1, 0] == pytest.approx(1 / 7)
    forgotten = load(f"{spectra}:kind=signal")
    assert forgotten.form.shape == (1, 25), "what has no place on the axis is no point of a signal"
    assert any("protein (no number as its name" in each for each in forgotten.remarks)


def test_a_frame_of_another_kind_keeps_its_index_axis_and_columns_of_other_roles(spectra: Path) -> None:
    frame = pd.read_csv(spectra).set_index("sample")
    data = from_arrays(frame, "signal", factors="protein", axis_unit="nm")
    assert (data.form.axis[-1], data.form.axis_unit, data.specs[0].name) == (1152.0, "nm", "protein")
    assert data.row_names is not None
    assert data.row_names[2] == "s2"
    assert from_arrays(frame.drop(columns="protein"), axis=np.arange(25)).form.axis[1] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("kind=image", "kind is 'image'; expected what a table's row may be: table, counts, signal"),
        ("kind=counts,drop=type+cell", "counts hold fractions"),
        ("unit=m", "add kind=signal"),
        ("kind=signal,columns=type=category", "columns is for a table"),
    ],
)
def test_kinds_that_a_text_table_cannot_have_are_refused(genes: Path, options: str, message: str) -> None:
    genes.write_text(genes.read_text().replace(",0,", ",0.5,", 1))
    with pytest.raises(InputError, match=message):
        load(f"{genes}:{options}")


def test_gaps_in_counts_are_named(genes: Path) -> None:
    genes.write_text(genes.read_text().replace(",0,", ",,", 1))
    with pytest.raises(InputError, match="lacks values; expected samples without gaps, or kind=table"):
        load(f"{genes}:kind=counts")
