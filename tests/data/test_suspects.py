"""What in a table may not be what it looks like is said; what only looks odd is not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from latentlab.data import load, read_columns
from latentlab.data._dialects import Asked
from latentlab.data._suspects import marks, said_of_days, said_of_levels, said_of_marks

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1.5, 2.5, 7.0, 3.0, 4.0, -999, -999], [-999]),
        ([*RNG.normal(size=50), *[9999] * 3, *[-999] * 4, *[-998] * 2], [9999, -999, -998]),
        ([0, 1, 2, 3, 4, 4, 99, 99], [99]),
        ([*RNG.uniform(500, 520, 30), 0, 0], [0]),
        ([*RNG.normal(size=50), 1e20, 1e20], [1e20]),
        ([*RNG.normal(size=50), np.nan, -999], []),  # once: an outlier
        (RNG.normal(size=500), []),
        (RNG.poisson(3, 500), []),
        ((10 * RNG.pareto(1, 1000)).round(), []),
        ([*[0] * 100, 253, 254, 255], []),  # a pixel that is mostly black
        ([0, 1] * 20, []),
        ([0, 0, 1, 99, 99], []),  # too few others
        ([], []),
    ],
)
def test_numbers_that_may_mark_missing_values(values: list[float], found: list[float]) -> None:
    column = np.asarray(values, float)
    assert marks(column) == found
    if found and len(found) == 1:
        assert marks(-column) == [-found[0]]


def test_many_columns_with_marks_are_told_in_few_sentences() -> None:
    column = np.array([1.5, 2.5, 7.0, 3.0, 4.0, -999, -999])
    said = said_of_marks((f"c{j}", column) for j in range(9))
    assert said[0] == "c0 is -999 in 2 rows, 1.5 to 7 in the others; if that marks missing values, leave them empty"
    assert said[3:] == ["6 more columns have such numbers: c3, c4, c5"]


def test_levels_and_days() -> None:
    for alike in (["Male", "male"], ["m", "m\u00a0"], ["caf\u00e9", "cafe\u0301"], ["a b", "a  b"]):
        assert "are two levels" in said_of_levels("x", ["other", *alike])[0]
    assert not said_of_levels("x", ["a", "b", "ab", "a b"])
    assert said_of_days("day", np.array([20240131.0, 20240201, 20240202]))
    assert not said_of_days("n", np.array([20240132.0, 20240201, 20240202]))


def write(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_of_a_table(tmp_path: Path) -> None:
    rows = [f"{('NA', 'DE', 'FR')[i % 3]},{i if i % 9 else -999},{i % 4 if i % 7 else 99}" for i in range(60)]
    path = write(tmp_path / "t.csv", "country,x,grade", [*rows, "Total,5,1"])
    said = load(f"{path}:factors=grade").remarks
    assert "country is 'Total' in the last row alone; remove that row if it sums up the others" in said
    assert any(each.startswith("x is -999 in 7 rows, 1 to 59 in the others") for each in said)
    assert any(each.startswith("grade is 99 in 9 rows, 0 to 3 in the others") for each in said)
    assert "country is NA in 20 rows, read as missing; where it is a word, write it otherwise" in said
    columns = read_columns(path, Asked(index=False), words=True)
    assert all(part in columns.said for part in ("in the last row alone", "grade is 99", "country is NA in 20 rows"))


def test_na_in_a_file_that_has_other_means_to_say_missing(tmp_path: Path) -> None:
    frame = pd.DataFrame({"country": ["NA", "DE", None] * 9, "x": np.arange(27.0) ** 2})
    frame.to_parquet(tmp_path / "t.parquet")
    told = "country is NA in 9 rows, read as missing; where it is a word, write it otherwise"
    assert told in load(tmp_path / "t.parquet").remarks
    assert told in load(frame).remarks
    assert told in read_columns(tmp_path / "t.parquet", Asked(), words=True).said


def test_what_is_plain_is_not_remarked_upon(tmp_path: Path) -> None:
    rows = [f"{('', 'DE', 'FR')[i % 3]},{i},{i % 4}" for i in range(60)]
    assert load(f"{write(tmp_path / 't.csv', 'country,x,total', rows)}:drop=x").remarks == ("dropped as asked: x",)


def test_numbers_with_a_unit_are_no_words(tmp_path: Path) -> None:
    rows = [f"{i}cm,{i % 3}A,{i * 1.5}" for i in range(15)]
    path = write(tmp_path / "t.csv", "size,plate,x", rows)
    with pytest.raises(Exception, match="'size' holds '0cm', …; expected numbers"):
        load(path)
    kept = load(f"{path}:drop=size,columns=plate=category")
    assert kept.form.names == ("plate=0A", "plate=1A", "plate=2A", "x")
    days = write(tmp_path / "d.csv", "race,x", [f"{('1st', '2nd', '3rd')[i % 3]},{i * 1.5}" for i in range(15)])
    assert load(days).form.names == ("race=1st", "race=2nd", "race=3rd", "x")


def test_words_that_name_the_rows_are_no_input_in_few_rows_either(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", ",a,b", [f"r{i},{i * 1.5},{i * 2.5}" for i in range(12)])
    data = load(path)
    assert data.form.names == ("a", "b")
    assert "left out: index (another word in each row)" in data.remarks
