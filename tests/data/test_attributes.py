"""Attributes measure what they say: they follow a change of that property and of no other, for every kind of sample."""

import numpy as np
import pytest

from latentlab.data.attributes import measured
from latentlab.data.kinds import Form, image_form

SIDE = 32


def drawn(cx: float = 16, cy: float = 16, a: float = 6, b: float = 3, angle: float = 0, light: float = 1) -> np.ndarray:
    """An ellipse (1, SIDE, SIDE) with these half axes, turned anticlockwise by an angle in degrees."""
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    u, v, t = x - cx, cy - y, np.radians(angle)
    inside = ((u * np.cos(t) + v * np.sin(t)) / a) ** 2 + ((v * np.cos(t) - u * np.sin(t)) / b) ** 2 <= 1
    return (255 * light * inside).astype(np.uint8)[None]


def of(images: list[np.ndarray], name: str) -> np.ndarray:
    """The values of one attribute of images."""
    stack = np.stack(images)
    found = {each.name: each.values for each in measured(image_form(stack.shape[1:]), stack)}
    return found[name]


@pytest.mark.parametrize(
    ("name", "images"),
    [
        ("x position", [drawn(cx=x) for x in (8, 16, 24)]),
        ("y position", [drawn(cy=y) for y in (8, 16, 24)]),
        ("size", [drawn(a=2 * s, b=s) for s in (2, 4, 6)]),
        ("filled area", [drawn(a=2 * s, b=s) for s in (2, 4, 6)]),
        ("slant", [drawn(angle=t) for t in (120, 90, 60)]),
        ("width", [drawn(angle=90, b=s) for s in (2, 3, 4)]),
        ("height", [drawn(b=s) for s in (2, 3, 4)]),
        ("thickness", [drawn(a=10, b=s) for s in (1.5, 3, 5)]),
        ("elongation", [drawn(a=s, b=4) for s in (4, 7, 10)]),
        ("orientation", [drawn(a=10, b=2, angle=t) for t in (0, 60, 120)]),
        ("brightness", [drawn(light=s) for s in (0.3, 0.6, 1)]),
        ("contrast", [drawn(light=s) for s in (0.3, 0.6, 1)]),
    ],
)
def test_an_attribute_rises_with_what_it_measures(name: str, images: list[np.ndarray]) -> None:
    assert (np.diff(of(images, name)) > 0).all()


def test_dark_figures_on_a_light_ground_measure_alike() -> None:
    images = [drawn(cx=x, a=s, angle=5 * s) for x, s in ((8, 4), (20, 6))]
    for name in ("x position", "size", "slant", "thickness"):
        assert of([255 - image for image in images], name) == pytest.approx(of(images, name))


def test_symmetry_and_compactness_do_not_depend_on_the_place() -> None:
    one_sided = np.zeros((1, SIDE, SIDE), np.uint8)
    one_sided[0, 10:20, 10] = one_sided[0, 19, 10:18] = 255
    images = [drawn(cx=10), drawn(cx=20), one_sided, np.roll(one_sided, 5, axis=2)]
    symmetry, compactness = of(images, "symmetry"), of(images, "compactness")
    assert symmetry[0] == pytest.approx(1) == symmetry[1]
    assert symmetry[2] == pytest.approx(symmetry[3])
    assert symmetry[2] < 0.8
    assert compactness[0] == pytest.approx(1, abs=0.03)
    assert compactness[2] == pytest.approx(compactness[3])
    assert compactness[2] < 0.5


def test_hues_are_those_of_the_parts() -> None:
    images = np.zeros((2, 3, 9, 9), np.uint8)
    images[0, 0, :3] = images[0, 2, -3:] = images[1, 1] = 255
    found = {each.name: each for each in measured(image_form((3, 9, 9)), images)}
    upper, lower = (found[f"hue of the {part} part"] for part in ("upper", "lower"))
    assert [upper.labels[int(k)] for k in upper.values] == ["red", "green"]
    assert [lower.labels[int(k)] for k in lower.values] == ["blue", "green"]


def test_an_image_without_ink_has_no_place() -> None:
    values = of([drawn(cx=8), drawn(cx=24), np.zeros((1, SIDE, SIDE), np.uint8)], "x position")
    assert np.isfinite(values).tolist() == [True, True, False]


def test_columns_and_categories_of_a_table_are_its_attributes() -> None:
    columns = ("numeric", "binary", "category kind", "category kind")
    form = Form("table", (4,), names=("age", "smokes", "kind=a", "kind=b"), columns=columns)
    rows = np.array([[1, 0, 1, 0], [2, 1, 0, 1], [np.nan, 1, 0, 1]], np.float32)
    found = {each.name: each for each in measured(form, rows)}
    assert list(found) == ["age", "smokes", "kind"]
    assert found["kind"].labels == ("a", "b")
    assert found["kind"].values.tolist() == [0, 1, 1]
    assert np.isnan(found["age"].values[2])


def test_features_of_counts_do_not_depend_on_how_much_was_counted() -> None:
    form = Form("counts", (2,), stored="int32", names=("g1", "g2"), library=10.0)
    found = {each.name: each.values for each in measured(form, np.array([[1, 3], [10, 30], [3, 1]]))}
    assert found["g1"][0] == pytest.approx(found["g1"][1])
    assert found["g1"][0] < found["g1"][2]
    assert found["total count"][1] > found["total count"][0]


def test_peaks_and_bands_of_signals_lie_on_their_axis() -> None:
    axis = np.arange(64.0) * 10
    signals = np.exp(-(((axis - np.array([[150.0], [450.0]])) / 40) ** 2)).astype(np.float32)[:, None]
    found = {each.name: each for each in measured(Form("signal", (1, 64), axis=tuple(axis), axis_unit="nm"), signals)}
    peak = found["position of the peak"]
    assert peak.values.tolist() == [150, 450]
    assert peak.high == "near 630 nm"
    assert np.diff(found["band 400 to 470 nm"].values) > 0 > np.diff(found["band 160 to 230 nm"].values)


def test_attributes_that_never_vary_are_left_out() -> None:
    assert measured(image_form((1, SIDE, SIDE)), np.stack([drawn()] * 3)) == []


@pytest.mark.parametrize("points", [1, 2, 3])
@pytest.mark.filterwarnings("error")
def test_signals_of_few_points_have_a_level_and_no_warning(points: int) -> None:
    values = np.random.default_rng(0).normal(size=(5, 2, points))
    found = {each.name: each.values for each in measured(Form("signal", (2, points)), values)}
    assert found["level, channel 1"] == pytest.approx(values[:, 0].mean(axis=1), abs=1e-6)
