"""Small pictures of curves: over their own axis, with the ruler that belongs to it."""

import numpy as np
import pytest

from latentlab.data.kinds import Form
from latentlab.data.kinds._draw import WIDTH, lines, ticks

AXIS = (0.0, 1.0, 2.0, 3.0, 10.0)


def columns(picture: np.ndarray) -> np.ndarray:
    """The columns of pixels in which the curve stands at the top of its picture."""
    return np.flatnonzero((picture[:, :3] != 255).any(axis=(0, 1)))


def test_a_curve_lies_over_its_own_axis_low_on_the_left() -> None:
    curve = np.array([[0.0, 0.0, 0.0, 1.0, 0.0]])
    even, uneven = lines(curve), lines(curve, np.array(AXIS))
    assert columns(even).mean() == pytest.approx(0.75 * WIDTH, abs=2)
    assert columns(uneven).mean() == pytest.approx(0.3 * WIDTH, abs=3)
    assert np.array_equal(lines(curve[:, ::-1], np.array(AXIS[::-1])), uneven)


def test_one_point_is_a_level() -> None:
    assert (lines(np.array([[0.5]]), np.array([7.0])) != 255).any(axis=(0, 1)).all()


def test_ticks_are_round_and_few() -> None:
    assert ticks(-0.13, 1.06, 5) == [0.0, 0.5, 1.0]
    assert ticks(4e-7, 9e-7, 5) == [4e-7, 6e-7, 8e-7]
    assert ticks(3, 3, 5) == [3]
    assert ticks(0, 3999, 5) == [0.0, 1000.0, 2000.0, 3000.0]


def test_a_ruler_tells_where_values_stand() -> None:
    form = Form(
        "signal", (1, 5), offset=(2.0,), scale=(4.0,), axis=AXIS, axis_unit="nm", unit="a.u.", edges=(-0.5, 2.0)
    )
    ruler = form.ruler
    assert ruler is not None
    assert (ruler["x_title"], ruler["y_title"]) == ("nm", "a.u.")
    assert ruler["x"][0] == (0.0, "0")
    assert ruler["x"][-1] == (1.0, "10")
    assert {text: share for share, text in ruler["y"]} == pytest.approx({"0": 0.0, "5": 0.5, "10": 1.0})
    assert "0 to 10 nm, from 0 to 10 a.u." in form.shown


def test_channels_have_a_range_each() -> None:
    form = Form("signal", (2, 5), offset=(0.0, 1.0), scale=(1.0, 10.0), names=("x", "y"), edges=(0.0, 1.0))
    ruler = form.ruler
    assert ruler is not None
    assert not ruler["y"]
    assert [(each["name"], each["range"]) for each in ruler["channels"]] == [("x", "0 to 1"), ("y", "1 to 11")]
    assert ruler["x_title"] == "point"


def test_pictures_without_axes_have_no_ruler() -> None:
    assert Form("table", (3,)).ruler is None
