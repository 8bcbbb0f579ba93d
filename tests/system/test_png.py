"""Our PNG is the PNG that an independent reader reads."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from latentlab.errors import InputError
from latentlab.system.png import data_uri, heat, png, strip


@pytest.mark.parametrize("channels", [1, 3])
def test_png_is_read_back_pixel_for_pixel(channels: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (7, 13, channels), dtype=np.uint8)
    with Image.open(io.BytesIO(png(image)), formats=["PNG"]) as read:
        assert np.array_equal(np.asarray(read).reshape(7, 13, channels), image)
    assert base64.b64decode(data_uri(image).partition(",")[2]) == png(image)


def test_strip_holds_every_image_in_order() -> None:
    images = np.stack([np.full((1, 64, 64), value, np.uint8) for value in (10, 20, 30, 40, 50)])
    sheet = strip(images, columns=3)
    assert sheet.shape == (129, 194, 1)
    assert [int(sheet[y, x, 0]) for y in (0, 65) for x in (0, 65, 130)] == [10, 20, 30, 40, 50, 128]


def test_small_images_are_enlarged_by_a_whole_factor() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    assert np.array_equal(strip(image)[::8, ::8, 0], image[0, 0])


def test_what_is_no_stack_of_images_is_refused() -> None:
    with pytest.raises(InputError, match="channels"):
        strip(np.zeros((3, 8, 8), np.uint8))


def test_heat_grows_lighter_with_the_value_and_is_black_where_nothing_changes() -> None:
    colours = heat(np.linspace(0, 1, 64)[None], 1.0)[0]
    lightness = colours @ np.array([0.2126, 0.7152, 0.0722])
    assert colours[0].tolist() == [0, 0, 0]
    assert (np.diff(lightness) >= 0).all()
    assert np.array_equal(heat(np.full((2, 2), 5.0), 1.0), heat(np.ones((2, 2)), 1.0)), "beyond the most is the most"
    assert not heat(np.zeros((8, 8)), 0.0).any()
