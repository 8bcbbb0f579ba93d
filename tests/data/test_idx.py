"""IDX folders: real MNIST, and files that are cut, swollen, mismatched or no IDX at all."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from latentlab.data import load
from latentlab.errors import InputError

RNG = np.random.default_rng(0)


def idx(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write(folder: Path, part: str, images: np.ndarray, labels: np.ndarray | None = None, zipped: bool = True) -> None:
    folder.mkdir(exist_ok=True)
    files = {f"{part}-images-idx{images.ndim}-ubyte": images}
    if labels is not None:
        files[f"{part}-labels-idx1-ubyte"] = labels
    for name, array in files.items():
        content = idx(array)
        path = folder / (name + ".gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)


def bytes_of(*shape: int) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.shared
def test_real_mnist(shared: Path) -> None:
    data = load(shared / "data" / "mnist")
    assert data.shape == (70_000, 1, 28, 28)
    assert data.splits == {"train": range(60_000), "test": range(60_000, 70_000)}
    assert data.labels is not None
    # Published facts: the first digits of both parts, and the mean and deviation of the training pixels.
    assert data.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert data.split("test").labels[:5].tolist() == [7, 2, 1, 0, 4]  # type: ignore[index]
    train = data.split("train")[:]
    assert train.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert train.std() / 255 == pytest.approx(0.3081, abs=1e-4)


@pytest.mark.shared
def test_real_notmnist_has_one_part(shared: Path) -> None:
    data = load(shared / "data" / "notmnist")
    assert data.shape == (10_000, 1, 28, 28)
    assert dict(data.splits) == {"test": range(10_000)}


@pytest.mark.parametrize("zipped", [True, False])
def test_both_parts_and_labels(tmp_path: Path, zipped: bool) -> None:
    train, test = bytes_of(5, 4, 3), bytes_of(2, 4, 3)
    write(tmp_path, "train", train, np.arange(5, dtype=np.uint8), zipped)
    write(tmp_path, "t10k", test, np.arange(2, dtype=np.uint8), zipped)
    data = load(tmp_path)
    assert (data[:,][:, 0] == np.concatenate([train, test])).all()
    assert data.labels is not None
    assert data.labels.tolist() == [0, 1, 2, 3, 4, 0, 1]
    assert (data.split("test")[:][:, 0] == test).all()
    assert data.spec == str(tmp_path)


def test_no_labels(tmp_path: Path) -> None:
    write(tmp_path, "train", bytes_of(5, 4, 3))
    assert load(tmp_path).labels is None


@pytest.mark.parametrize("shape", [(5, 8, 8, 3), (5, 3, 8, 8)])
def test_colour(tmp_path: Path, shape: tuple[int, ...]) -> None:
    images = bytes_of(*shape)
    write(tmp_path, "train", images)
    data = load(tmp_path)
    assert data.form.shape == (3, 8, 8)
    assert (data[:] == (images if shape[1] == 3 else images.transpose(0, 3, 1, 2))).all()


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "train", np.zeros((5, 4, 3), dtype=np.uint8), zipped=False)
    assert load(tmp_path)[:].max() == 0
    write(tmp_path, "train", np.ones((6, 4, 3), dtype=np.uint8), zipped=False)
    assert load(tmp_path)[:].min() == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content[:-1], "contains 59"),
        (lambda content: content[:-59], "declares 60 bytes of shape"),
        (lambda content: content + b"x", "more than 60"),
        (lambda content: content[:10], "ends within its header"),
        (lambda content: b"", "begins with nothing"),
        (lambda content: b"\x89PNG" + content, "not an IDX file"),
        (lambda content: b"\x00\x00\x0d\x03" + content[4:], "not an IDX file of bytes"),
        (lambda content: content[:4] + b"\xff" * 12 + content[16:], "not a valid IDX"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_damaged_files_are_named(tmp_path: Path, change, message: str, zipped: bool) -> None:
    content = change(idx(bytes_of(5, 4, 3)))
    name = "train-images-idx3-ubyte"
    (tmp_path / (name + ".gz" if zipped else name)).write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(InputError, match=message) as caught:
        load(tmp_path)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 5, 30, -1])
def test_a_cut_gzip_file(tmp_path: Path, keep: int) -> None:
    content = gzip.compress(idx(bytes_of(5, 4, 3)))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content[:keep])
    with pytest.raises(InputError):
        load(tmp_path)


def test_a_gzip_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """64 MiB of zeros behind a header of 60 bytes: refused after 61."""
    content = gzip.compress(idx(bytes_of(5, 4, 3)) + bytes(64 << 20))
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(content)
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(InputError, match="more than 60"):
        load(tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 20


def test_counts_must_agree(tmp_path: Path) -> None:
    write(tmp_path, "train", bytes_of(5, 4, 3), np.arange(4, dtype=np.uint8))
    with pytest.raises(InputError, match="4 labels but there are 5 images"):
        load(tmp_path)


def test_parts_must_agree(tmp_path: Path) -> None:
    write(tmp_path, "train", bytes_of(5, 4, 3))
    write(tmp_path, "t10k", bytes_of(5, 4, 4))
    with pytest.raises(InputError, match="differ in shape"):
        load(tmp_path)


@pytest.mark.parametrize("shape", [(5, 0, 4), (5, 4, 0), (0, 4, 4)])
def test_images_of_no_pixels(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Thirty bytes may announce a thousand million of them."""
    write(tmp_path, "train", np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="without pixels"):
        load(tmp_path)


def test_files_in_folders_of_their_own_names(tmp_path: Path) -> None:
    """The widespread archive on Kaggle: each file lies in a folder of its name, and again at the top, with a dot."""
    images, labels = bytes_of(5, 4, 4), bytes_of(5) % 10
    for part in ("train", "t10k"):
        for name, array in (("images-idx3-ubyte", images), ("labels-idx1-ubyte", labels)):
            folder = tmp_path / f"{part}-{name}"
            folder.mkdir()
            (folder / folder.name).write_bytes(idx(array))
    nested = load(tmp_path)
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images.idx3-ubyte").write_bytes(idx(images))
        (tmp_path / f"{part}-labels.idx1-ubyte").write_bytes(idx(labels))
    for data in (nested, load(tmp_path), load(f"mnist:{tmp_path}")):
        assert data.splits == {"train": range(5), "test": range(5, 10)}
        assert (data[:5][:, 0] == images).all()
        assert data.labels is not None
        assert (data.labels[5:] == labels).all()
