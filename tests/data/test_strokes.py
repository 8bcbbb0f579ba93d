"""Thickness, slant and width are those of what was drawn, and stand beside a data set's labels."""

import numpy as np
import pytest

from latentlab.data import Dataset, load
from latentlab.data._polarity import inverted, light_ground
from latentlab.data._strokes import measured, strokes
from latentlab.errors import InputError

FINE = 8  # figures are drawn that much larger and averaged, so that their edges are grey as real ones are


def bar(thickness: float, length: float = 20, slant: float = 0.0, size: int = 28) -> np.ndarray:
    """A bar (1, 1, size, size) in the middle, upright, sheared by `slant` degrees to the right."""
    y, x = (np.mgrid[: size * FINE, : size * FINE] + 0.5) / FINE - size / 2
    ink = (abs(x + np.tan(np.radians(slant)) * y) < thickness / 2) & (abs(y) < length / 2)
    grey = ink.reshape(size, FINE, size, FINE).mean(axis=(1, 3))
    return (grey * 255).round().astype(np.uint8)[None, None]


@pytest.mark.parametrize("thickness", [2, 3, 4, 6])
def test_thickness_and_width_of_an_upright_bar_are_its_sides(thickness):
    t, slant, width = strokes(bar(thickness))[0]
    assert t == pytest.approx(thickness, rel=0.12)
    assert width == pytest.approx(thickness, abs=0.5)  # grey edges widen an odd bar by half a pixel
    assert slant == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("slant", [-30, -10, 20, 40])
def test_slant_is_the_angle_of_the_shear_and_does_not_touch_the_width(slant):
    found = strokes(bar(4, slant=slant))[0]
    assert found[1] == pytest.approx(slant, abs=1.0)
    assert found[2] == pytest.approx(4, abs=0.5)


def test_a_figure_elsewhere_brighter_ground_or_mirrored_measures_alike():
    image = bar(3, slant=15)
    base = strokes(image)
    np.testing.assert_allclose(strokes(np.roll(image, (2, -3), axis=(2, 3))), base, rtol=1e-6)
    np.testing.assert_allclose(strokes(255 - image, light=True), base, rtol=1e-6)
    np.testing.assert_allclose(strokes(image[..., ::-1]) * [1, -1, 1], base, rtol=1e-6)


def test_brightness_is_not_width():
    """Moments are shares of the ink, so half the light in every pixel changes nothing."""
    image = bar(4).astype(float)
    assert strokes((image / 2).astype(np.uint8))[0, 2] == pytest.approx(strokes(image.astype(np.uint8))[0, 2], rel=0.01)


def test_an_image_without_ink_is_missing():
    assert np.isnan(strokes(np.zeros((1, 1, 28, 28), np.uint8))).all()


def test_they_stand_beside_the_label_in_a_named_data_set():
    data = load("digits:factors=strokes")
    assert [spec.name for spec in data.specs] == ["class", "thickness", "slant", "width"]
    assert [spec.kind for spec in data.specs[1:]] == ["continuous"] * 3
    np.testing.assert_array_equal(data.factors[:, 0], load("digits").labels)
    assert data.spec == "digits:factors=strokes"
    assert data.source["factors"] == "strokes"


def test_light_ground_is_seen_and_inverted():
    data = load("digits:inverted=1")
    plain = load("digits")
    np.testing.assert_array_equal(data[:5], 255 - plain[:5])
    assert light_ground(data)
    assert not light_ground(plain)
    # Strokes are those of the figure, whichever way round it is drawn.
    np.testing.assert_allclose(load("digits:inverted=1,factors=strokes").factors, measured(plain, "strokes").factors)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: load("digits:factors=colour"), "expected strokes"),
        (lambda: load("digits:inverted=2"), "expected 1"),
        (
            lambda: measured(Dataset("tiny", (4, 1, 2, 2), lambda r: np.zeros((len(r), 1, 2, 2), "u1")), "strokes"),
            "3×3",
        ),
        (lambda: inverted(load("digits"), "yes"), "inverted is 'yes'"),
    ],
)
def test_wrong_input_is_one_line(make, match):
    with pytest.raises(InputError, match=match) as error:
        make()
    assert len(str(error.value)) < 200
