"""Tables in every dialect that pandas, NumPy and R write: what comes back is what was written, or a question."""

import bz2
import csv
import gzip
import io
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latentlab.analysis.score.arrays import Arrays, read_arrays
from latentlab.analysis.score.scoring import score
from latentlab.data import load, read_columns
from latentlab.data._dialects import Asked
from latentlab.errors import InputError


def packed_in_zip(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", content)
        archive.writestr("__MACOSX/._table.csv", b"\0")
    return file.getvalue()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes, ".gz": gzip.compress, ".BZ2": bz2.compress, ".xz": lzma.compress, ".zip": packed_in_zip,
}  # fmt: skip
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-32"]
FLOATS = st.floats(-1e6, 1e6).filter(lambda x: x != int(x))
CODES = st.tuples(st.integers(3, 12), st.integers(2, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=FLOATS)
)
LEVELS = st.tuples(st.integers(4, 12), st.integers(3, 5)).flatmap(
    lambda shape: arrays(np.int64, shape, elements=st.integers(0, 3))
)
NAMES = st.text("abcxyzÄß -_", min_size=1, max_size=6).map(lambda name: f"n{name}".strip())
TRIALS = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def table(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_factors(path: Path, rows: int, options: Asked = Asked()) -> Arrays:  # noqa: B008
    """The table read as the factors of so many codes."""
    np.save(path.parent / "codes.npy", np.arange(2.0 * rows).reshape(rows, 2))
    return read_arrays(path.parent / "codes.npy", path, options)


@TRIALS
@given(
    values=CODES,
    separator=st.sampled_from([",", ";", "\t", "|", " "]),
    comma=st.booleans(),
    header=st.sampled_from(["none", "counting", "names"]),
    index=st.sampled_from(["none", "counting", "words"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    packer=st.sampled_from(list(PACKERS)),
    encoding=st.sampled_from(ENCODINGS),
    ending=st.sampled_from(["\n", "\r\n", "\r"]),
    drawn=st.lists(NAMES, min_size=5, max_size=5, unique=True),
)
def test_what_pandas_writes_comes_back(
    tmp_path, values, separator, comma, header, index, quoting, packer, encoding, ending, drawn
) -> None:
    n, d = values.shape
    names = [str(j) for j in range(d)] if header == "counting" else drawn[:d]
    index = "none" if header == "none" else index
    frame = pd.DataFrame(values, columns=names, index=[f"r{i}" for i in range(n)] if index == "words" else None)
    text = frame.to_csv(
        sep=separator,
        decimal="," if comma and separator != "," else ".",
        header=header != "none",
        index=index != "none",
        quoting=quoting,
        lineterminator=ending,
    )
    path = table(tmp_path / f"z.csv{packer}", PACKERS[packer](text.encode(encoding)))
    read = read_arrays(path)
    np.testing.assert_array_equal(read.codes, values)
    assert read.names == (() if header == "none" else tuple(names))
    assert f"{n} rows × {d} columns" in read.said[0]
    assert ("index column left out" in read.said[0]) == (index != "none")


@TRIALS
@given(
    values=CODES | LEVELS,
    separator=st.sampled_from([" ", ",", "\t", ";"]),
    form=st.sampled_from(["%.18e", "%.17g"]),
    header=st.sampled_from(["", "comment", "comments", "plain"]),
    footer=st.sampled_from(["", "the end"]),
)
def test_what_numpy_writes_comes_back(tmp_path, values, separator, form, header, footer) -> None:
    values = values[:, :3]
    d = values.shape[1]
    if values.dtype.kind == "i" and form == "%.17g" and list(values[0]) == list(range(d)):
        values = values[::-1]  # a first row of 0, 1, 2 is a header by all that one can see: tested below
        if list(values[0]) == list(range(d)):
            return
    if values.dtype.kind == "i" and all(values[:, 0] == np.arange(len(values)) + values[0, 0]):
        return  # a column that counts the rows is asked about
    names = ["size", "hue", "x y" if separator != " " else "xy"][:d]
    lines = {"": "", "plain": separator.join(names), "comment": separator.join(names)}
    lines["comments"] = f"made by me, 2024\n{separator.join(names)}"
    marks = "" if header == "plain" else "# "
    path = tmp_path / "v.txt"
    np.savetxt(path, values, form, separator, header=lines[header], comments=marks, footer=footer if marks else "")
    read = as_factors(path, len(values))
    np.testing.assert_array_equal(read.factors, values)
    assert read.names == (tuple(names) if header else ())


@TRIALS
@given(values=LEVELS, seed=st.integers(0, 99), mark=st.sampled_from(["NA", "NaN", "?", "", "-", "<NA>", "null"]))
def test_words_missing_values_and_truth_come_back(tmp_path, values, seed, mark) -> None:
    words = np.array(["azure", "blue", "coral", "dim, red"])[values[:, 0]]
    frame = pd.DataFrame(
        {"word": words, "truth": values[:, 1] > 1, "size": values[:, 2] * 0.5, "big": values[:, 2] + 2**60}
    )
    gone = np.random.default_rng(seed).random(frame.shape) < 0.2
    gone[:2] = False
    holed = frame.astype(object).mask(gone)
    read = as_factors(table(tmp_path / "v.csv", holed.to_csv(index=False, na_rep=mark)), len(values))
    assert read.factors is not None
    np.testing.assert_array_equal(np.isnan(read.factors), gone)
    for j, name in enumerate(frame):
        known = ~gone[:, j]
        ranks = np.unique(frame[name].to_numpy()[known], return_inverse=True)[1]
        np.testing.assert_array_equal(np.unique(read.factors[known, j], return_inverse=True)[1], ranks)
    assert f"column 'word' has {len(set(words[~gone[:, 0]]))} words as levels" in read.said[0]
    assert ("missing" in read.said[0]) == gone.any()


@pytest.mark.parametrize("write", [pd.DataFrame.to_csv, pd.DataFrame.to_parquet], ids=["csv", "parquet"])
def test_pandas_defaults(tmp_path: Path, write: Callable[..., None]) -> None:
    values = np.round(np.random.default_rng(0).normal(size=(20, 3)), 5)
    suffix = "csv" if write is pd.DataFrame.to_csv else "PARQUET"
    for k, frame in enumerate([pd.DataFrame(values), pd.DataFrame(values, columns=list("abc"))]):
        part = frame.sample(frac=0.5, random_state=1)
        for name, each in (("whole", frame), ("part", part)):
            path = tmp_path / f"{name}{k}.{suffix}"
            write(each.rename(columns=str), path)
            read = read_arrays(path)
            np.testing.assert_array_equal(read.codes, each.to_numpy())
            assert read.names == tuple(map(str, frame.columns))


def test_numpy_defaults_and_a_first_row_of_equal_numbers(tmp_path: Path) -> None:
    factors = np.stack(np.unravel_index(np.arange(60), (3, 4, 5)), 1)
    np.savetxt(tmp_path / "v.txt", factors)
    np.testing.assert_array_equal(as_factors(tmp_path / "v.txt", 60).factors, factors)
    np.savetxt(tmp_path / "v.csv", factors, "%d", ",")
    np.testing.assert_array_equal(as_factors(tmp_path / "v.csv", 60).factors, factors)


COUNTING = "0\n1\n2\n1\n"
OPEN = {  # what can be read in two ways, and what the option that is asked for makes of it
    "names or a row": (COUNTING, "--header", {Asked(header=True): (3, 1), Asked(header=False): (4, 1)}),
    "years": (
        "2019,2020\n0.5,0.7\n0.1,0.2\n",
        "--header",
        {Asked(header=True): (2, 2), Asked(header=False): (3, 2)},
    ),
    "wavelengths": (
        "400.3,400.8,401.3,401.8\n0.5,0.7,0.1,0.2\n0.1,0.2,0.4,0.1\n0.3,0.1,0.4,0.2\n",
        "--header",
        {Asked(header=True): (3, 4), Asked(header=False): (4, 4)},
    ),
    "years of counts": (
        "2018,2019,2020\n3,5,1\n2,2,7\n3,4,6\n",
        "--header",
        {Asked(header=True): (3, 3), Asked(header=False): (4, 3)},
    ),
    "row numbers": ("0,.5,1\n1,.7,1\n2,.1,0\n", "--index", {Asked(index=True): (3, 2), Asked(index=False): (3, 3)}),
    "an id": ("id,a\n1,5\n2,6\n3,6\n", "--index", {Asked(index=True): (3, 1), Asked(index=False): (3, 2)}),
    "a nameless column": (
        ",a\n1,5\n1,6\n3,6\n",
        "--index",
        {Asked(index=True): (3, 1), Asked(index=False): (3, 2)},
    ),
}


@pytest.mark.parametrize("case", list(OPEN))
def test_what_is_open_is_asked_for(tmp_path: Path, case: str) -> None:
    content, option, answers = OPEN[case]
    path = table(tmp_path / "z.csv", content)
    with pytest.raises(InputError, match=f"pass {option} .*or --no-"):
        read_arrays(path)
    for options, shape in answers.items():
        assert read_arrays(path, asked=options).codes.shape == shape


def test_the_number_of_codes_says_what_a_first_line_is(tmp_path: Path) -> None:
    path = table(tmp_path / "v.csv", COUNTING)
    assert as_factors(path, 4).names == ()
    assert as_factors(path, 3).names == ("0",)
    path = table(tmp_path / "v.csv", "0,1,2\n2,1,0\n1,1,1\n")
    assert as_factors(path, 3).names == ()
    assert as_factors(path, 2).names == ("0", "1", "2")


def test_one_column_keeps_its_missing_values(tmp_path: Path) -> None:
    column = pd.DataFrame({"size": [1.5, np.nan, 2.5, np.nan]})
    read = as_factors(table(tmp_path / "v.csv", column.to_csv(index=False)), 4)
    np.testing.assert_array_equal(read.factors, column.to_numpy())


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_separator_as_excel_is_told_it_is_no_row(tmp_path: Path, first: str) -> None:
    content = f"{first}\r\nx;y\r\n1,5;0\r\n2,5;1\r\n3,25;1\r\n"
    read = read_arrays(table(tmp_path / "z.csv", content))
    assert read.names == ("x", "y")
    np.testing.assert_array_equal(read.codes, [[1.5, 0], [2.5, 1], [3.25, 1]])


def test_row_names_as_r_writes_them(tmp_path: Path) -> None:
    for content in ('"a" "b"\n"1" 0.5 2\n"2" 1 3\n', '"","a","b"\n"1",0.5,2\n"2",1,3\n'):
        read = read_arrays(table(tmp_path / "z.txt", content))
        np.testing.assert_array_equal(read.codes, [[0.5, 2], [1, 3]])
        assert read.names == ("a", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2\n3,4\n5\n", "line 3 has 1 cells, not 2"),
        ("# c\n1,2\n\n3,4\n5,6,7\n", "line 5 has 3 cells"),
        ("1,2\n1,2,3\n", "line 1 has 2 cells, not 3"),
        ("a,b\n1,2\n3,x\n", "column 'b', row 2 holds 'x'"),
        ("a,b\nred,2\n3,4\n", "column 'a', row 1 holds 'red'"),
        ("a,a\n1,2\n", "two columns called 'a'"),
        ("a,,c\n1,2,3\n", "column 2 has no name"),
        ("a,b\n", "names but no rows"),
        ("# only a comment\n", "has no rows"),
        ("1,2\n# aside\n3,4\n", "line 2 begins with #"),
        ('a,b\n1,2\n3,"4\n5,6\n', "unexpected end of data"),
        ("a\n1\n1,000\n", "line 3 has 2 cells"),
        ('a,b\n1,"1,000.5"\n2,3\n', "column 'b', row 1 holds '1,000.5'"),
        ('a,b\n1,"0,5"\n2,"0,7"\n', "column 'b', row 1 holds '0,5'"),
        ("a,b\n1,2\0\n", "NUL characters"),
        ("0:" * 200_000, "field larger than field limit"),
        ("0," * 2_000_000 + "0\n", "2,000,001 columns; at most 10,000"),
        ("a\n" + "\n".join(f"{i}.5" for i in range(9)) + "\n1e400\n", "row 10 holds '1e400'"),
        ("a\n1\n2\n#DIV/0!\n", "row 3 holds '#DIV/0!'"),
        ("word\n" + "\n".join(f"w{i}" for i in [*range(40), 0]), "40 different words in 41 rows"),
    ],
)
def test_what_is_refused_in_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = table(tmp_path / "v.csv", content)
    with pytest.raises(InputError) as caught:
        as_factors(path, 2)
    assert message in str(caught.value)
    assert len(str(caught.value).replace(str(tmp_path), "")) <= 200


def test_words_are_no_codes(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"column 'a', row 1 holds 'red'; expected numbers"):
        read_arrays(table(tmp_path / "z.csv", "a,b\nred,2\nblue,4\nred,1\n"))


def test_text_is_read_within_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latentlab.data._packed.LIMIT", 10_000)
    content = b"1,2\n" * 5_000
    for packer, pack in PACKERS.items():
        with pytest.raises(InputError, match="more than 10,000 bytes"):
            read_arrays(table(tmp_path / f"z.csv{packer}", pack(content)))
    monkeypatch.undo()
    for bound, message in (("LONGEST", "100 lines"), ("MOST", "100 cells")):
        monkeypatch.setattr(f"latentlab.data._textual.{bound}", 100)
        with pytest.raises(InputError, match=f"more than {message}"):
            read_arrays(table(tmp_path / "z.csv.gz", gzip.compress(content)))
        monkeypatch.undo()
    for packer in (".gz", ".bz2", ".xz", ".zip"):
        with pytest.raises(InputError, match=r"damaged|not a complete"):
            read_arrays(table(tmp_path / f"z.csv{packer}", content))


def test_names_that_are_not_utf8_are_read_and_said(tmp_path: Path) -> None:
    read = read_arrays(table(tmp_path / "z.csv", "Größe,b\n1,2\n2,1\n".encode("latin-1")))
    assert read.names == ("Größe", "b")
    assert "read as Latin-1" in read.said[0]


def test_an_export_of_ours_is_not_taken_for_codes(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(
        pa.table({"z0": [1.0], "x": [2.0]}).replace_schema_metadata({"latentlab": "{}"}), tmp_path / "z.pq"
    )
    with pytest.raises(InputError, match="is a latentlab export"):
        read_arrays(tmp_path / "z.pq")


@pytest.mark.parametrize(
    ("content", "rows", "names"),
    [
        ('a,"b\nin mm",c\n1.5,2.5,3.5\n4.5,5.5,6.5\n', 2, ("a", "b in mm", "c")),
        ("#,a,b\n5,0.5,1\n9,1.5,2\n7,2.5,1\n", 3, ("#", "a", "b")),
        ("#N/A,0.5\n2.5,1.5\n3.5,2.5\n", 3, ()),
        ("1.5,0.5\n2.5,1.5\n#N/A,2.5\n", 3, ()),
    ],
)
def test_names_of_several_lines_and_cells_that_look_like_comments(
    tmp_path: Path, content: str, rows: int, names: tuple[str, ...]
) -> None:
    read = read_arrays(table(tmp_path / "z.csv", content), asked=Asked(index=False))
    assert read.codes.shape[0] == rows
    assert read.names == names


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("names", ["numbers", "words", "with zeros"])
@settings(max_examples=8, deadline=None)
@given(order=st.permutations(range(7)))
def test_factors_are_found_by_the_names_of_the_rows(
    tmp_path_factory: pytest.TempPathFactory, ending: str, names: str, order: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("order")
    form = {"numbers": "{}", "words": "row {}", "with zeros": "{:03d}"}[names]
    index = [int(form.format(k)) if names == "numbers" else form.format(k) for k in range(1, 8)]
    codes = pd.DataFrame({"z0": np.arange(7) / 8, "z1": np.arange(7) / 16}, index)
    factors = pd.DataFrame({"f": np.arange(7) % 3, "g": np.arange(7) // 3 + 0.5}, index)
    for frame, name in ((codes, "z"), (factors.iloc[order], "f")):
        path = folder / f"{name}{ending}"
        frame.to_parquet(path) if ending == ".parquet" else frame.to_csv(path)
    read = read_arrays(folder / f"z{ending}", folder / f"f{ending}")
    np.testing.assert_array_equal(read.factors, factors.to_numpy())
    assert any("joined by their names" in line for line in read.said) == (list(order) != sorted(order))


def test_names_of_rows_that_differ_are_refused_or_their_order_is_said(tmp_path: Path) -> None:
    codes = table(tmp_path / "z.csv", ",z0\na,0.5\nb,0.25\nc,0.75\n")
    with pytest.raises(InputError, match=r"1 of 3 rows of z.csv are not in v.csv \(first: 'c'\); complete it"):
        read_arrays(codes, table(tmp_path / "v.csv", ",f\nb,1\na,2\nd,3\n"))
    counted = read_arrays(codes, table(tmp_path / "v.csv", ",f\n0,1\n1,2\n2,3\n"))
    assert counted.said[-1] == "v.csv: its rows are taken to be in the order of z.csv"
    more = read_arrays(codes, table(tmp_path / "v.csv", ",f\nx,9\nc,3\nb,2\na,1\n"))
    np.testing.assert_array_equal(more.factors, [[1], [2], [3]])
    assert "1 of its rows have no code" in more.said[-1]


def test_a_first_column_that_both_tables_have_is_asked_about(tmp_path: Path) -> None:
    codes = table(tmp_path / "z.csv", "scan,z0\n11,0.5\n12,0.25\n15,0.75\n")
    factors = table(tmp_path / "v.csv", "scan,f\n15,3\n11,1\n12,2\n")
    with pytest.raises(InputError, match=r"both begin with 'scan', other in every row: pass --index .* or --no-index"):
        read_arrays(codes, factors)
    joined = read_arrays(codes, factors, Asked(index=True))
    np.testing.assert_array_equal(joined.factors, [[1], [2], [3]])
    assert read_arrays(codes, factors, Asked(index=False)).codes.shape == (3, 2)


def test_data_frames_in_another_order_are_refused() -> None:
    codes = pd.DataFrame(np.arange(12.0).reshape(6, 2), list("abcdef"))
    factors = pd.DataFrame({"f": [0, 1, 0, 1, 0, 1]}, list("abcdef"))
    with pytest.raises(InputError, match=r"pass factors.loc\[codes.index\]"):
        score(codes, factors[::-1], metrics=["mig"])


def test_levels_that_only_leading_zeros_tell_apart_stay_apart(tmp_path: Path) -> None:
    read = as_factors(table(tmp_path / "v.csv", "f\n01\n1\n001\n1\n"), 4)
    assert len(np.unique(read.factors)) == 3
    months = as_factors(table(tmp_path / "v.csv", "f\n01\n02\n12\n01\n"), 4)
    np.testing.assert_array_equal(months.factors, [[1], [2], [12], [1]])


@TRIALS
@given(
    start=st.floats(-50, 2000).map(lambda x: round(x, 1)),
    steps=st.lists(st.floats(0.2, 9), min_size=5, max_size=9),
    values=arrays(np.float64, (8, 9), elements=st.floats(-9, 9).map(lambda x: round(x, 2))),
    falling=st.booleans(),
)
def test_a_scale_above_a_table_is_never_taken_for_a_row(tmp_path, start, steps, values, falling) -> None:
    scale = np.round(start + np.cumsum([0, *steps]), 1)[:9]
    scale, rows = (scale[::-1] if falling else scale), values[:, : len(scale)]
    frame = pd.DataFrame(rows, columns=list(map(str, scale)))
    path = table(tmp_path / "z.csv", frame.to_csv(index=False))
    running = sum(bool((np.diff(row) > 0).all() or (np.diff(row) < 0).all()) for row in rows)
    if running:  # rows that run one way themselves are no evidence
        return
    with pytest.raises(InputError, match=r"may be names or a row; pass --header"):
        read_arrays(path)
    np.testing.assert_array_equal(as_factors(path, len(rows)).factors, rows)


@TRIALS
@given(
    numbers=st.lists(st.integers(0, 9_999_999), min_size=8, max_size=20),
    separator=st.sampled_from([",", ";", "\t", "|"]),
    mark=st.sampled_from([".", ",", "'", " ", "\u00a0", "\u202f"]),
)
def test_marks_of_thousands_never_make_another_number(tmp_path, numbers, separator, mark) -> None:
    written = [f"{number:,}".replace(",", mark) for number in numbers]
    frame = pd.DataFrame({"a": written, "b": np.arange(len(numbers)) % 3})
    path = table(tmp_path / "v.csv", frame.to_csv(index=False, sep=separator))
    marked = [number for number in numbers if number > 999]
    if 0 < len(marked) < 3 and len(marked) < len(numbers) and max(numbers) < 1_000_000:
        return  # too few to be told from fractions
    if len(marked) == len(numbers) and separator != ";" and mark == "." and max(numbers) < 1_000_000:
        return  # as numbers with three decimals are written
    try:
        read = as_factors(path, len(numbers))
    except InputError:
        return
    _, ranks = np.unique(numbers, return_inverse=True)
    assert read.factors is not None
    np.testing.assert_array_equal(np.unique(read.factors[:, 0], return_inverse=True)[1], ranks)


def test_three_decimals_are_no_thousands(tmp_path: Path) -> None:
    for form in ("%.3f", "%.4g"):
        values = np.random.default_rng(0).uniform(1, 900, (40, 2))
        np.savetxt(tmp_path / "z.tsv", values, form, "\t")
        assert read_arrays(tmp_path / "z.tsv").codes.shape == (40, 2)


def test_amounts_with_a_decimal_comma_do_not_part_cells(tmp_path: Path) -> None:
    path = table(tmp_path / "v.csv", "".join(f"{k},50 €;{k % 5},25\n" for k in (3, 9, 1, 7)))
    with pytest.raises(InputError, match=r"the first line \(3,50 €, 3,25\)"):
        as_factors(path, 9)


def test_what_windows_writes_is_read_as_windows_has_it(tmp_path: Path) -> None:
    content = "Preis €;w\n0,5;„ja“\n1,5;Žižek\n2,25;„ja“\n"
    read = as_factors(table(tmp_path / "v.csv", content.encode("cp1252")), 3)
    assert read.names == ("Preis €", "w")
    assert "read as Windows-1252" in read.said[0]
    assert "(Žižek, „ja“)" in read.said[0]


IDS = [f"scan {k:02d}" for k in range(30)]
KNOWN = pd.DataFrame({"scan": IDS, "shape": ["b", "a", "c"] * 10, "x": np.arange(30) / 8})


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize("codes", ["npz", "first.csv", "last.csv"])
def test_factors_are_found_by_a_column_of_words_that_names_the_rows(tmp_path: Path, ending: str, codes: str) -> None:
    z = np.random.default_rng(0).normal(size=(30, 2))
    frame = pd.DataFrame(z, columns=["a", "b"])
    frame.insert(0 if codes.startswith("first") else 2, "name", IDS)
    np.savez(tmp_path / "z.npz", codes=z, ids=np.array(IDS))
    frame.to_csv(tmp_path / "z.csv", index=False)
    shuffled = KNOWN.sample(frac=1, random_state=1)
    path = tmp_path / f"v{ending}"
    shuffled.to_csv(path, index=False) if ending == ".csv" else shuffled.to_parquet(path, index=False)
    read = read_arrays(tmp_path / ("z.npz" if codes == "npz" else "z.csv"), path)
    np.testing.assert_array_equal(read.codes, z)
    np.testing.assert_array_equal(read.factors[:, 1], KNOWN["x"])
    assert read.names == ("shape", "x")
    assert any("column 'scan' names the rows" in line for line in read.said)
    assert "joined by their names" in read.said[-1]


def test_numbers_of_rows_in_another_order_are_asked_about_and_never_taken_for_a_factor(tmp_path: Path) -> None:
    z, order = np.random.default_rng(0).normal(size=(30, 2)), np.random.default_rng(1).permutation(30)
    np.savez(tmp_path / "z.npz", codes=z, ids=np.arange(30))
    np.save(tmp_path / "z.npy", z)
    pd.DataFrame({"id": np.arange(30), "x": np.arange(30) / 8}).iloc[order].to_csv(tmp_path / "v.csv", index=False)
    with pytest.raises(InputError, match=r"'id', is another number in every row; pass --index if .*, or --no-index"):
        read_arrays(tmp_path / "z.npz", tmp_path / "v.csv")
    read = read_arrays(tmp_path / "z.npz", tmp_path / "v.csv", Asked(index=True))
    np.testing.assert_array_equal(read.factors[:, 0], np.arange(30) / 8)
    with pytest.raises(InputError, match=r"numbers its rows in another order .* but z.npy does not name its rows"):
        read_arrays(tmp_path / "z.npy", tmp_path / "v.csv", Asked(index=True))
    scans = (tmp_path / "v.csv").read_text().replace("id,", "scan,")
    with pytest.raises(InputError, match=r"w.csv begins with 'scan', which has the row names of z.npz: pass --index"):
        read_arrays(tmp_path / "z.npz", table(tmp_path / "w.csv", scans))
    assert read_arrays(tmp_path / "z.npz", tmp_path / "w.csv", Asked(index=False)).factors.shape == (30, 2)


def test_an_index_is_asked_of_both_files_and_no_dimension_is_lost_to_it(tmp_path: Path) -> None:
    z = table(tmp_path / "z.csv", "a,b\n0.5,1.5\n0.25,2.5\n0.75,3.5\n")
    read = read_arrays(z, table(tmp_path / "v.csv", "id,f\n7,1\n9,2\n8,3\n"), Asked(index=True))
    assert read.codes.shape == (3, 2)
    assert "first column of fractions kept" in read.said[0]
    assert read.said[-1] == "z.csv does not name its rows: they are taken to be in the order of v.csv"


@pytest.mark.parametrize(("cell", "mend"), [
    ("1'234", "remove marks of thousands"), ("1 234", "remove marks of thousands"), ("1\u00a0234", "remove marks"),
    ("12%", "remove the unit"), ("$3.50", "remove the unit"), ("\u22121.5", "not ASCII"), ("1.5\u200b", "not shown"),
    ("1e400", "floats end at"), ("(1.5)", "write a minus"),
])  # fmt: skip
def test_what_may_be_meant_as_a_number_is_refused_with_a_way_out(tmp_path: Path, cell: str, mend: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a;b\n" + "".join(f"{cell};{k}.5\n" for k in range(5)), encoding="utf-8")
    with pytest.raises(InputError, match=f"expected numbers in all its rows: .*{mend}"):
        load(path)


@pytest.mark.parametrize("head", ["a,b,", "a,b"])
def test_separators_at_the_ends_of_lines_are_no_column(tmp_path: Path, head: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"{head}\n" + "".join(f"{k}.5,{k * k},\n" for k in range(5)), encoding="utf-8")
    data = load(path)
    assert data.form.names == ("a", "b")
    assert "separators at the ends of lines ignored" in data.remarks[0]
    path.write_text(f"{head}\n" + "".join(f"{k}.5,{k * k},{k}\n" for k in range(5)), encoding="utf-8")
    with pytest.raises(InputError, match=r"has no name|correct that line"):
        load(path)


def test_a_title_above_a_table_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Report\n\na,b\n1.5,2\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"line 1 .*remove it if it is a title"):
        load(path)
    path.write_text("Report\n\na,b,c\n1.5,2,3\n", encoding="utf-8")
    with pytest.raises(InputError, match="remove lines to 2 if they are a title"):
        load(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_column_called_id_is_no_factor_wherever_it_stands(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"v{suffix}"
    frame = pd.DataFrame({"shape": ["a", "b"] * 6, "id": [10 + 7 * k for k in range(12)]})
    frame.to_csv(path, index=False) if suffix == ".csv" else frame.to_parquet(path)
    with pytest.raises(InputError, match="column 'id' is another number in every row"):
        read_columns(path, Asked(), words=True)
    assert read_columns(path, Asked(index=False), words=True).values.shape == (12, 2)


def test_two_columns_of_one_name_in_parquet_are_named(tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    path = tmp_path / "t.parquet"
    parquet.write_table(pyarrow.table([pyarrow.array([1.0, 2.0])] * 2, names=["a", "a"]), path)
    with pytest.raises(InputError, match="two columns called 'a'"):
        load(path)


@pytest.mark.parametrize("day", ["Jan {}, 2024", "2024-{:02d}", "2024-Q{}", "{}:30 PM", "March {} 2023"])
def test_dates_in_other_forms_are_no_words(tmp_path: Path, day: str) -> None:
    path = tmp_path / "t.csv"
    cells = [day.format(k % 4 + 1) for k in range(12)]
    pd.DataFrame({"when": cells, "x": np.arange(12) / 4}).to_csv(path, index=False)
    with pytest.raises(InputError, match="holds dates"):
        load(path)


def test_an_array_without_a_name_is_read_where_it_is_alone(tmp_path: Path) -> None:
    z = np.random.default_rng(0).normal(size=(30, 2))
    np.savez(tmp_path / "z.npz", z)
    read = read_arrays(tmp_path / "z.npz")
    np.testing.assert_array_equal(read.codes, z)
    assert read.said == ()
    np.savez(tmp_path / "two.npz", z, z)
    with pytest.raises(InputError, match="has arrays arr_0, arr_1; expected one called codes"):
        read_arrays(tmp_path / "two.npz")
    np.savez(tmp_path / "short.npz", codes=z, ids=np.arange(7))
    with pytest.raises(InputError, match="has 7 ids for 30 rows"):
        read_arrays(tmp_path / "short.npz")
