"""What a lasso encloses, against an independent test of points in polygons, and what it says of factors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.path import Path as Polygon
from toy import toy_codes

from latentlab.codes.codes import Codes
from latentlab.codes.selections import (
    as_table,
    composition,
    extremes,
    holding,
    inside,
    levels,
    marks,
    named,
    together,
    values_of,
)
from latentlab.data.dataset import Factor
from latentlab.errors import InputError


@given(st.integers(0, 10_000), st.integers(3, 12))
def test_inside_agrees_with_matplotlib_on_simple_polygons(seed: int, corners: int) -> None:
    rng = np.random.default_rng(seed)
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    radius = rng.uniform(0.3, 1, corners)
    polygon = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    points = rng.uniform(-1, 1, (200, 2))
    assert np.array_equal(inside(polygon.tolist(), points), Polygon(polygon).contains_points(points))


def test_a_polygon_of_two_corners_is_refused() -> None:
    with pytest.raises(InputError, match="three corners"):
        inside([(0, 0), (1, 1)], np.zeros((1, 2)))


def test_composition_of_all_rows_lifts_nothing_and_shares_sum_to_one() -> None:
    codes = toy_codes(4.0, 0)
    found = composition(codes, np.arange(len(codes)))
    assert np.allclose(found["lift"], 1)
    assert np.allclose(found.groupby("factor")["share"].sum(), 1)


def test_composition_of_one_shape_lifts_that_shape_by_the_number_of_shapes() -> None:
    codes = toy_codes(4.0, 0)
    assert codes.factors is not None
    found = composition(codes, np.flatnonzero(codes.factors[:, 0] == 1)).set_index(["factor", "value"])
    assert found.loc[("shape", "ellipse"), "lift"] == pytest.approx(3)
    assert found.loc[("shape", "square"), "rows"] == 0
    assert np.allclose(found.loc["x"]["lift"], 1)


def test_bins_of_many_levels_are_told_in_their_values_not_in_their_numbers() -> None:
    ages, sizes = np.arange(20.0, 80.0), tuple(f"size {k:02d}" for k in range(60))
    factors = np.arange(60)[:, None].repeat(2, axis=1).astype(float)
    specs = (Factor("age", "ordinal", tuple(ages.tolist())), Factor("size", "ordinal", sizes))
    codes = Codes(np.zeros((60, 1), np.float32), factors=factors, specs=specs)
    told = {name: texts for name, (_, texts) in levels(codes).items()}
    assert (told["age"][0], told["age"][-1]) == ("20 … 26", "73 … 79")
    assert (told["size"][0], told["size"][-1]) == ("size 00 … size 06", "size 53 … size 59")
    assert holding(codes, "age", "73 … 79").tolist() == list(range(53, 60))


def test_a_continuous_factor_is_counted_in_bins_of_equal_counts() -> None:
    values = np.random.default_rng(0).normal(size=(1000, 1))
    codes = Codes(values.astype("f4"), None, values, (Factor("size", "continuous"),))
    found = composition(codes, np.arange(1000))
    assert found["rows"].tolist() == [100] * 10


def test_the_table_to_take_along_has_ids_factors_and_codes() -> None:
    codes = toy_codes(4.0, 0)
    found = as_table(codes, np.array([5, 3]))
    assert found["row"].tolist() == [5, 3]
    assert np.allclose(found[["z0", "z1", "z2", "z3"]], codes.mean[[5, 3]])
    assert list(found.columns)[1:5] == list(codes.factor_names())


def test_the_table_to_take_along_has_words_and_leaves_open_what_is_not_known() -> None:
    specs = (Factor("shape", values=("square", "heart")), Factor("z0", "ordinal", (5.0, 7.5)), Factor("factor z0"))
    factors = np.array([[1.0, 0.0, 3.0], [np.nan, 1.0, 4.0]])
    codes = Codes(np.ones((2, 1), np.float32), None, factors, specs, np.array([-1, 1]), label_names=("-1", "cat"))
    found = as_table(codes, np.arange(2))
    assert found["shape"].tolist() == ["heart", None]
    assert found["factor z0"].tolist() == [3.0, 4.0], "a name that is free is kept"
    assert found["factor factor z0"].tolist() == [5.0, 7.5]
    assert found["label"].tolist() == [None, "cat"]
    assert found["z0"].tolist() == [1.0, 1.0]


def test_rows_with_names_are_named_by_them_or_by_their_ids() -> None:
    z, names = np.zeros((3, 1), np.float32), np.array(["AAC-1", "7", "B 2"])
    codes = Codes(z, row_ids=np.array([5, 6, 7]), row_names=names)
    assert named(codes, "AAC-1, B 2").tolist() == [0, 2]
    assert named(codes, "7").tolist() == [1], "a name counts before an id"
    assert named(codes, "5").tolist() == [0]
    assert (codes.called(slice(1, 3)), codes.called(0)) == (["7", "B 2"], ["AAC-1"])
    with pytest.raises(InputError, match="no row is called '8'"):
        named(codes, "8")


def test_named_rows_are_the_ids_and_whatever_lies_in_a_range() -> None:
    codes = Codes(np.zeros((5, 2), np.float32), row_ids=np.array([40, 10, 30, 20, 7]))
    assert sorted(codes.row_ids[named(codes, "7; 15 – 35, 40")]) == [7, 20, 30, 40]
    assert named(codes, "  ").tolist() == []
    with pytest.raises(InputError, match="nearest id is 10"):
        named(codes, "7, 11")
    with pytest.raises(InputError, match="not a row id"):
        named(codes, "7; DROP TABLE")


def test_rows_holding_a_value_are_those_that_composition_counts() -> None:
    codes = toy_codes(4.0, 0)
    counted = composition(codes, np.arange(len(codes))).set_index(["factor", "value"])["rows"]
    for factor in ("shape", "x", "angle"):
        assert values_of(codes, factor) == counted.loc[factor].index.tolist()
        for value in values_of(codes, factor):
            found = composition(codes, holding(codes, factor, value)).set_index(["factor", "value"])
            assert found.loc[(factor, value), "rows"] == counted[(factor, value)]
            assert found.loc[(factor, value), "share"] == 1
    with pytest.raises(InputError, match="it takes: square"):
        holding(codes, "shape", "star")
    with pytest.raises(InputError, match="no varying factor"):
        holding(codes, "colour", "red")


@given(st.lists(st.integers(-5, 5), max_size=30), st.integers(1, 8))
def test_extremes_hold_nothing_lower_or_higher_outside_and_share_no_row(values: list[int], count: int) -> None:
    array = np.array(values, np.float32)
    low, high = extremes(array, count)
    assert len(low) == len(high) == min(count, len(values) // 2)
    assert not set(low.tolist()) & set(high.tolist())
    if len(low):
        assert array[low].tolist() == sorted(values)[: len(low)]
        assert array[high].tolist() == sorted(values, reverse=True)[: len(high)]


def test_marks_are_where_the_chosen_rows_lie_and_no_more_than_can_be_seen() -> None:
    xy, ids = np.random.default_rng(0).normal(size=(5_000, 2)), np.arange(5_000)[::-1] * 3
    found = marks(xy, ids, np.array([30, 9, 10]))
    assert sorted(map(tuple, found)) == sorted([tuple(xy[ids == 30][0]), tuple(xy[ids == 9][0])]), "10 is no row here"
    some = marks(xy, ids, ids)
    assert 1_000 < len(some) <= 2_000
    assert together().tolist() == []
