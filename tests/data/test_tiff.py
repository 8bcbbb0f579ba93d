"""TIFFs as microscopes and telescopes write them: channels as pages are read, channels in a page refused by name."""

import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data import load
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 65535, (4, 5, 12, 9), dtype=np.uint16)
IMAGEJ = "ImageJ=1.11a\nimages={n}\nchannels=5\nhyperstack=true\n"
OME = '<?xml version="1.0"?><OME><Pixels DimensionOrder="{order}" SizeC="5" SizeZ="1" SizeT="{t}" /></OME>'


def save(path: Path, pages: np.ndarray, description: str) -> None:
    first, *others = (Image.fromarray(page) for page in pages.reshape(-1, 12, 9))
    first.save(path, save_all=True, append_images=others, description=description)


def in_one_page(path: Path, page: np.ndarray, *, apart: bool) -> None:
    """A page of several channels, uncompressed, in one strip or one for each channel."""
    channels, height, width = page.shape
    planes = [plane.tobytes() for plane in page] if apart else [page.transpose(1, 2, 0).tobytes()]
    start, bits = 8 + 2 + 12 * 10 + 4, page.dtype.itemsize * 8
    lists = start, start + 2 * channels, start + 2 * channels + 4 * len(planes)
    first = lists[2] + 4 * len(planes)
    offsets = [first + k * len(planes[0]) for k in range(len(planes))]
    at = (lists[1], lists[2]) if apart else (first, len(planes[0]))
    tags = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, channels, lists[0]), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, len(planes), at[0]), (277, 3, 1, channels), (278, 3, 1, height), (279, 4, len(planes), at[1]),
        (284, 3, 1, 2 if apart else 1),
    ]  # fmt: skip
    ifd = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags) + bytes(4)
    long = struct.pack(f"<{channels}H", *[bits] * channels)
    long += struct.pack(f"<{2 * len(planes)}I", *offsets, *[len(plane) for plane in planes])
    path.write_bytes(b"II*\0" + struct.pack("<I", 8) + ifd + long + b"".join(planes))


@pytest.mark.parametrize(
    "description", [IMAGEJ.format(n=20), OME.format(order="XYCZT", t=4), OME.format(order="XYZCT", t=4),
                    '{"shape": [4, 5, 12, 9]}'],
)  # fmt: skip
def test_pages_are_the_channels_that_the_file_tells_of(tmp_path: Path, description: str) -> None:
    save(tmp_path / "stack.tif", PIXELS, description)
    data = load(tmp_path / "stack.tif")
    assert data.shape == (4, 5, 12, 9)
    assert np.array_equal(data[[3, 0]], PIXELS[[3, 0]])
    assert "5 pages are the channels of an image" in data.remarks[0]


@pytest.mark.parametrize("dtype", [np.uint16, np.uint8])
def test_files_of_a_folder_may_hold_a_page_for_each_channel(tmp_path: Path, dtype: type) -> None:
    pixels = (PIXELS >> 8).astype(dtype) if dtype is np.uint8 else PIXELS
    for k, image in enumerate(pixels):
        save(tmp_path / f"{k}.tif", image, IMAGEJ.format(n=5))
    data = load(tmp_path)
    assert (data.shape, data.form.bytes) == ((4, 5, 12, 9), dtype is np.uint8)
    assert np.array_equal(data[:], pixels)
    assert load(f"{tmp_path}:size=6").shape == (4, 5, 6, 6)
    save(tmp_path / "z.tif", pixels[0, :3], '{"shape": [3, 12, 9]}')
    with pytest.raises(InputError, match=r"z\.tif has 3 frames; expected one image per file, or all in one \.npy"):
        load(tmp_path)


def test_pages_that_lie_otherwise_are_refused(tmp_path: Path) -> None:
    for description, told in {
        OME.format(order="XYTZC", t=4): "holds its channels one after the other",
        IMAGEJ.format(n=40): "announces 40 pages in images of 5 channels, and 20 pages are read",
    }.items():
        save(tmp_path / "x.tif", PIXELS, description)
        with pytest.raises(InputError, match=told):
            load(tmp_path / "x.tif")


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_channels_in_a_page_are_refused_with_what_to_do(tmp_path: Path, dtype: type, apart: bool) -> None:
    (tmp_path / "photos").mkdir()
    for path in (tmp_path / "one.tif", tmp_path / "photos" / "a.tif"):
        in_one_page(path, PIXELS[0].astype(dtype), apart=apart)
    bits = 8 * np.dtype(dtype).itemsize
    for path in (tmp_path / "one.tif", tmp_path / "photos"):
        told = rf"5 channels of {bits} bits in a page are not read; save all as one \.npy \(n, 5, 12, 9\)$"
        with pytest.raises(InputError, match=told):
            load(path)


def white_at_0(path: Path, *pages: np.ndarray, photometric: int = 0, big: bool = False) -> None:
    """Uncompressed grey pages, the last of them with that photometric interpretation and the others with black at 0."""
    mark, order = ("<", b"II*\0") if not big else (">", b"MM\0*")
    content = order + struct.pack(mark + "I", 8)
    for k, page in enumerate(pages):
        height, width = page.shape
        at, last = len(content) + 2 + 12 * 10 + 4, k == len(pages) - 1
        formats = {"f": 3, "u": 1}[page.dtype.kind]
        tags = [
            (256, 3, width), (257, 3, height), (258, 3, page.itemsize * 8), (259, 3, 1),
            (262, 3, photometric if last else 1), (273, 4, at), (277, 3, 1), (278, 3, height), (279, 4, page.nbytes),
            (339, 3, formats),
        ]  # fmt: skip
        content += struct.pack(mark + "H", len(tags))
        for tag, kind, value in tags:
            content += struct.pack(mark + ("HHIHxx" if kind == 3 else "HHII"), tag, kind, 1, value)
        content += struct.pack(mark + "I", 0 if last else at + page.nbytes)
        content += page.astype(page.dtype.newbyteorder(mark)).tobytes()
    path.write_bytes(content)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_white_at_0_is_refused_where_it_would_be_read_as_black(tmp_path: Path, dtype: type, big: bool) -> None:
    (tmp_path / "photos").mkdir()
    page, bits = PIXELS[0, 0].astype(dtype), 8 * np.dtype(dtype).itemsize
    told = rf"a\.tif: {bits} bits a pixel with white at 0 \(WhiteIsZero\) are not read; save them with black at 0$"
    for path in (tmp_path / "a.tif", tmp_path / "photos" / "a.tif"):
        white_at_0(path, page, big=big)
        with pytest.raises(InputError, match=told):
            load(path if path.parent == tmp_path else path.parent)
        white_at_0(path, page, photometric=1, big=big)
        assert np.array_equal(load(path if path.parent == tmp_path else path.parent)[[0]][0, 0], page)


def test_white_at_0_is_white_in_bytes_and_refused_of_a_later_page(tmp_path: Path) -> None:
    dark = (PIXELS[0, 0] >> 8).astype(np.uint8)
    white_at_0(tmp_path / "a.tif", dark)
    assert np.array_equal(load(tmp_path / "a.tif")[[0]][0, 0], 255 - dark)
    white_at_0(tmp_path / "a.tif", PIXELS[0, 0], PIXELS[0, 1])
    data = load(tmp_path / "a.tif")
    assert np.array_equal(data[[0]][0, 0], PIXELS[0, 0])
    with pytest.raises(InputError, match="16 bits a pixel with white at 0"):
        data[[1]]
