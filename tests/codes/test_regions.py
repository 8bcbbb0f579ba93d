"""Labels of a map: dense regions are named by what most of their rows have, and only then."""

import numpy as np

from latentlab.codes.regions import regions

RNG = np.random.default_rng(0)
WHICH = np.repeat([0, 1, 2], 400)
XY = RNG.normal(size=(1200, 2)) + np.array([[0, 0], [20, 0], [0, 20]])[WHICH]


def test_each_region_is_named_by_its_value_where_its_rows_lie():
    found = regions(XY, {"kind": (WHICH, ["ant", "bee", "cat"]), "noise": (RNG.integers(0, 2, 1200), ["x", "y"])})
    assert sorted(region.text for region in found) == ["ant", "bee", "cat"]
    for region in found:
        kind = ["ant", "bee", "cat"].index(region.text)
        middle = np.median(XY[kind == WHICH], axis=0)
        assert np.allclose((region.x, region.y), middle, atol=1)
    assert sum(region.rows for region in found) == 1200


def test_numbers_are_told_with_their_factor_and_rows_without_a_value_do_not_count():
    levels = np.where(WHICH == 2, -1, WHICH)
    assert sorted(region.text for region in regions(XY, {"size": (levels, ["0.5", "1"])})) == ["size 0.5", "size 1"]


def test_what_is_like_the_rest_has_no_label():
    assert regions(XY, {"noise": (RNG.integers(0, 2, 1200), ["a", "b"])}) == []
    assert regions(np.zeros((5, 2)), {"kind": (np.zeros(5, int), ["a"])}) == []
    assert regions(XY, {}) == []
