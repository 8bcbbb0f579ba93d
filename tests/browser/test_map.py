"""What the map of all rows is sent: every row once, in any order, with its id, its place and its level."""

import base64

import numpy as np
import pytest

from latentlab.browser.map import MISSING, content
from latentlab.errors import InputError
from latentlab.figures._style import LONG

RNG = np.random.default_rng(0)
XY = RNG.normal(size=(500, 2)) * [3, 1] + 7
LEVELS = RNG.integers(-1, 3, 500)
FACTORS = {"kind": (LEVELS, ["ant", "bee", "cat"])}


def unpacked(text: str, kind: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), kind)


@pytest.mark.parametrize(("ids", "kind"), [(np.arange(500) * 7, "<u4"), (np.arange(500) + 2**40, "<f8")])
def test_rows_come_back_with_their_places_and_levels(ids, kind):
    found = content(XY, ids, FACTORS)
    order = np.argsort(unpacked(found["rows"], kind))
    assert (unpacked(found["rows"], kind)[order] == ids).all()
    assert (order != np.arange(500)).any(), "no level is drawn over another"
    placed = unpacked(found["points"], "<u2").reshape(-1, 2)[order] / 65535 * found["span"] + found["low"]
    assert np.abs(placed - XY).max() <= found["span"] / 65535
    assert (unpacked(found["factors"][0]["levels"], "u1")[order] == np.where(LEVELS < 0, MISSING, LEVELS)).all()


def test_rows_are_called_by_their_names_where_these_are_not_too_many(monkeypatch):
    names = np.array([f"cell-{k}" for k in range(500)])
    found = content(XY, np.arange(500), FACTORS, names=names)
    assert [names[row] for row in unpacked(found["rows"], "<u4")] == found["names"]
    monkeypatch.setattr("latentlab.browser.map.NAMED", 499)
    assert content(XY, np.arange(500), FACTORS, names=names)["names"] == content(XY, np.arange(500), {})["names"] == []


def test_colours_go_along_a_scale_where_values_have_an_order():
    assert content(XY, np.arange(500), FACTORS, (), {"kind"})["factors"][0]["colours"] == list(LONG[:3])
    low, middle, high = content(XY, np.arange(500), FACTORS)["factors"][0]["colours"]
    assert (low, high) == ("#440154", "#FDE725"), "viridis, from end to end"
    assert middle not in (low, high)


def test_points_that_coincide_are_drawn_and_lengths_that_differ_are_refused():
    assert content(np.ones((3, 2)), np.arange(3), {})["span"] == 1
    with pytest.raises(InputError, match="3 points and 2 row ids"):
        content(np.ones((3, 2)), np.arange(2), {})
    with pytest.raises(InputError, match="0 points"):
        content(np.empty((0, 2)), np.arange(0), {})
