"""Folders of images."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latentlab.data import load
from latentlab.errors import InputError, MissingError

RNG = np.random.default_rng(0)


def save(path: Path, *shape: int) -> np.ndarray:
    pixels = RNG.integers(0, 256, shape, dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_flat_colour(tmp_path: Path, suffix: str) -> None:
    options = {"lossless": True} if suffix == "webp" else {}
    wanted = []
    for i in range(12):
        pixels = RNG.integers(0, 256, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{i}.{suffix}", **options)
        wanted.append(pixels.transpose(2, 0, 1))
    data = load(tmp_path)
    assert data.shape == (12, 3, 6, 5)
    assert data.labels is None
    # 10 comes after 9, and rows may be asked for in any order.
    assert (data[:] == np.stack(wanted)).all()
    assert (data[[11, 2]] == np.stack([wanted[11], wanted[2]])).all()


def test_a_folder_per_label(tmp_path: Path) -> None:
    pixels = {
        f"{label}/{i}.png": save(tmp_path / label / f"{i}.png", 4, 4) for label in ("cat", "dog") for i in range(3)
    }
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / "cat" / ".hidden.png").write_bytes(b"no image")
    data = load(tmp_path)
    assert data.shape == (6, 1, 4, 4)
    assert data.labels is not None
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert data.label_names == ("cat", "dog")
    assert (data[4][0, 0] == pixels["dog/1.png"]).all()


def test_a_zip_is_a_folder(tmp_path: Path) -> None:
    for label in ("a", "b"):
        for i in range(2):
            save(tmp_path / "top" / label / f"{i}.png", 4, 4)
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in sorted((tmp_path / "top").rglob("*.png")):
            archive.write(file, file.relative_to(tmp_path))
    zipped, folder = load(tmp_path / "x.zip"), load(tmp_path / "top")
    assert (zipped[:] == folder[:]).all()
    assert zipped.label_names == folder.label_names == ("a", "b")


def test_jpeg_and_binary_images_are_read(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 77).save(tmp_path / "a.jpg")
    Image.new("1", (8, 8), 1).save(tmp_path / "b.png")
    data = load(tmp_path)
    assert abs(int(data[0].mean()) - 77) <= 1
    assert data[1].min() == 255


def test_two_sizes_are_refused_by_name_and_resized_on_request(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 8, 8)
    save(tmp_path / "b.png", 8, 9)
    with pytest.raises(InputError, match=r"a\.png is 8×8, b\.png 9×8.*:size=64") as caught:
        load(tmp_path)
    assert len(str(caught.value)) < 200
    data = load(f"{tmp_path}:size=16")
    assert data[:].shape == (2, 1, 16, 16)
    assert data.source["size"] == 16


def test_resizing_averages(tmp_path: Path) -> None:
    board = np.kron(np.indices((8, 8)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.uint8) * 200
    Image.fromarray(board).save(tmp_path / "a.png")
    small = load(f"{tmp_path}:size=2")[0]
    assert np.abs(small.astype(float) - 100).max() < 12


def test_grey_and_colour_do_not_mix(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 8, 8)
    save(tmp_path / "b.png", 8, 8, 3)
    with pytest.raises(InputError, match="all grey or all RGB"):
        load(tmp_path)


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((8, 8), dtype=np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="8-bit"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no image at all", b"\x89PNG\r\n\x1a\n" + bytes(20)])
def test_what_is_no_image_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.png"):
        load(tmp_path)


def test_an_image_cut_short_is_named_when_read(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 64, 64)
    content = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").write_bytes(content[: len(content) // 2])
    data = load(tmp_path)
    with pytest.raises(InputError, match=r"a\.png"):
        data[0]


def test_formats_off_the_list_are_not_decoded(tmp_path: Path) -> None:
    """An EPS in a PNG's clothes would start an interpreter."""
    (tmp_path / "a.png").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n")
    with pytest.raises(InputError, match=r"a\.png"):
        load(tmp_path)


def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path / "a.png", 100, 100)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6000)
    with pytest.raises(InputError, match="pixels"):
        load(tmp_path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="holds no images"):
        load(tmp_path)
    (tmp_path / "x.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match="no whole"):
        load(tmp_path / "x.zip")


def test_a_wrong_size_option(tmp_path: Path) -> None:
    save(tmp_path / "a.png", 8, 8)
    for size in ("0", "100000", "big"):
        with pytest.raises(InputError, match="size="):
            load(f"{tmp_path}:size={size}")


@pytest.mark.shared
def test_real_omniglot(shared: Path) -> None:
    data = load(f"{shared / 'data' / 'omniglot_small1.zip'}:size=28")
    assert data.shape == (2720, 1, 28, 28)
    assert len(data.label_names) == 136
    assert data.labels is not None
    assert set(np.bincount(data.labels)) == {20}
    # Dark strokes on a white page.
    assert data[:100].mean() > 200


def test_a_file_of_many_pictures_is_not_taken_for_its_first(tmp_path: Path) -> None:
    frames = [Image.fromarray(RNG.integers(0, 256, (4, 4), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    with pytest.raises(InputError, match=r"x\.gif has 3 frames; expected one image a file"):
        load(tmp_path)
