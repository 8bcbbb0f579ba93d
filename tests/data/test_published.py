"""The published benchmarks: small files of the same layout, written here, come out as what they are."""

import gzip
import struct
from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from latentlab.data import describe, files_of, load, names
from latentlab.errors import InputError, MissingError

RNG = np.random.default_rng(0)


def kinds(data: object) -> list[tuple[str, str, int]]:
    return [(spec.name, spec.kind, spec.levels) for spec in data.specs]  # type: ignore[attr-defined]


def test_each_says_what_it_is_and_which_files_it_needs() -> None:
    needing = {name for name in names() if files_of(name)}
    assert needing == {
        "cars3d", "celeba", "emnist", "fashion-mnist", "kmnist", "mnist", "mpi3d", "shapes3d", "smallnorb",
    }  # fmt: skip
    for name in names():
        assert describe(name).endswith(".")
    with pytest.raises(InputError, match=r"shapes3d is read from published files \(3dshapes.h5\); say where they are"):
        load("shapes3d")


def test_shapes3d(tmp_path: Path) -> None:
    values = [np.arange(2) / 10, np.arange(3) / 10, np.arange(2) / 10, np.linspace(0.75, 1.25, 2), np.arange(4.0)]
    values.append(np.linspace(-30, 30, 3))
    labels = np.stack(np.meshgrid(*values, indexing="ij"), axis=-1).reshape(-1, 6)
    images = RNG.integers(0, 256, (len(labels), 6, 6, 3), dtype=np.uint8)
    with h5py.File(tmp_path / "3dshapes.h5", "w") as file:
        file.create_dataset("images", data=images, chunks=(16, 6, 6, 3), compression="gzip")
        file.create_dataset("labels", data=labels)
    data = load(f"shapes3d:{tmp_path / '3dshapes.h5'}")
    assert kinds(data) == [
        ("floor hue", "circular", 2),
        ("wall hue", "circular", 3),
        ("object hue", "circular", 2),
        ("scale", "ordinal", 2),
        ("shape", "categorical", 4),
        ("orientation", "continuous", 3),
    ]
    assert data.grid == (2, 3, 2, 2, 4, 3)
    assert data.specs[5].values == (-30, 0, 30)
    rows = np.array([280, 3, 3, 0])
    assert (data[rows] == images[rows].transpose(0, 3, 1, 2)).all()
    assert load(tmp_path / "3dshapes.h5").grid == data.grid  # known by its layout alone
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = images[..., 0]
    with pytest.raises(InputError, match=r"other\.h5 holds images \(288, 6, 6\); expected images \(n, h, w, 3\)"):
        load(f"shapes3d:{tmp_path / 'other.h5'}")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@pytest.mark.parametrize(("name", "first"), [("mpi3d_real_complex", "yellow"), ("mpi3d_realistic_old", "0")])
def test_mpi3d(tmp_path: Path, save: object, name: str, first: str) -> None:
    images = RNG.integers(0, 256, (460_800, 2, 2, 3), dtype=np.uint8)
    save(tmp_path / f"{name}.npz", images=images)  # type: ignore[operator]
    data = load(f"mpi3d:{tmp_path / f'{name}.npz'}")
    assert data.grid == (4, 4, 2, 3, 3, 40, 40)
    assert [kind for _, kind, _ in kinds(data)] == [
        "categorical", "categorical", "categorical", "ordinal", "categorical", "continuous", "continuous",
    ]  # fmt: skip
    assert data.specs[0].values[0] == first
    assert data.factors is not None
    assert data.factors[115_200 + 28_800 * 2 + 40 + 7].tolist() == [1, 2, 0, 0, 0, 1, 7]
    rows = np.array([460_799, 0, 77])
    assert (data[rows] == images[rows].transpose(0, 3, 1, 2)).all()


def test_mpi3d_of_another_size_or_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    np.savez(path, images=np.zeros((10, 2, 2, 3), np.uint8))
    with pytest.raises(InputError, match="has 10 images; expected 1,036,800 or 460,800"):
        load(f"mpi3d:{path}")
    np.savez(path, other=np.zeros(3))
    with pytest.raises(InputError, match="holds no images"):
        load(f"mpi3d:{path}")
    path.write_bytes(b"PK")
    with pytest.raises(InputError, match=r"not a complete \.npz"):
        load(f"mpi3d:{path}")
    with pytest.raises(MissingError):
        load("mpi3d:nowhere.npz")


def test_cars3d(tmp_path: Path) -> None:
    from scipy.io import savemat

    cars = RNG.integers(0, 256, (2, 16, 16, 3, 24, 4), dtype=np.uint8)
    for number, car in enumerate(cars):
        savemat(tmp_path / f"car_{number:03}_mesh.mat", {"im": car}, do_compression=True)
    data = load(f"cars3d:{tmp_path},size=16")
    assert kinds(data) == [("elevation", "ordinal", 4), ("azimuth", "circular", 24), ("car", "categorical", 2)]
    assert data.grid == (4, 24, 2)
    row = np.ravel_multi_index((3, 5, 1), data.grid)
    assert (data[row][0] == cars[1, :, :, :, 5, 3].transpose(2, 0, 1)).all()
    assert load(f"cars3d:{tmp_path}").shape == (192, 3, 64, 64)
    assert load(f"cars3d:{tmp_path},size=8")[:3].shape == (3, 3, 8, 8)
    savemat(tmp_path / "zero.mat", {"im": cars[0, ..., 0]})
    with pytest.raises(InputError, match=r"zero\.mat: im is uint8 \(16, 16, 3, 24\); expected uint8 \(128, 128, 3"):
        load(f"cars3d:{tmp_path}")
    (tmp_path / "zero.mat").write_bytes(b"MATLAB 7.3" + bytes(200))
    with pytest.raises(InputError, match=r"zero\.mat is not a complete MATLAB 5 file"):
        load(f"cars3d:{tmp_path}")
    with pytest.raises(MissingError, match=r"holds no \.mat files"):
        load(f"cars3d:{tmp_path / 'none'}")


def matrix(path: Path, array: np.ndarray) -> None:
    """A file as LeCun's program writes it."""
    magic = 0x1E3D4C55 if array.dtype == np.uint8 else 0x1E3D4C54
    sizes = [*array.shape, 1, 1][: max(3, array.ndim)]
    content = struct.pack(f"<Ii{len(sizes)}i", magic, array.ndim, *sizes) + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


def write_norb(folder: Path, suffix: str) -> dict[str, np.ndarray]:
    written = {}
    for word, kinds_ in (("5x46789x9x18x6x2x96x96-training", 4), ("5x01235x9x18x6x2x96x96-testing", 3)):
        images = RNG.integers(0, 256, (kinds_, 2, 96, 96), dtype=np.uint8)
        info = np.stack([[9] * kinds_, range(kinds_), [34, 0, 2, 4][:kinds_], [5] * kinds_], axis=1).astype("<i4")
        for what, array in (("dat", images), ("cat", np.arange(kinds_, dtype="<i4")), ("info", info)):
            matrix(folder / f"smallnorb-{word}-{what}.mat{suffix}", array)
        written[word[-8:].strip("-")] = images
    return written


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_smallnorb(tmp_path: Path, suffix: str) -> None:
    written = write_norb(tmp_path, suffix)
    data = load(f"smallnorb:{tmp_path},size=96,camera=1")
    assert kinds(data) == [
        ("category", "categorical", 5),
        ("instance", "categorical", 10),
        ("elevation", "ordinal", 9),
        ("azimuth", "circular", 18),
        ("lighting", "categorical", 6),
    ]
    assert {name: len(rows) for name, rows in data.splits.items()} == {"train": 4, "test": 3}
    assert data.factors is not None
    assert data.factors[0].tolist() == [0, 9, 0, 17, 5]
    assert data.label_names[0] == "animal"
    assert (data[[5, 0]][:, 0] == np.stack([written["testing"][1, 1], written["training"][0, 1]])).all()
    assert load(f"smallnorb:{tmp_path}")[:].shape == (7, 1, 64, 64)


def test_smallnorb_damaged(tmp_path: Path) -> None:
    write_norb(tmp_path, "")
    data = next(tmp_path.glob("*training-dat.mat"))
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(InputError, match="shorter than it declares"):
        load(f"smallnorb:{tmp_path}")
    data.write_bytes(b"MATLAB 5.0")
    with pytest.raises(InputError, match=r"not a SmallNORB matrix \(it begins with 4d41544c"):
        load(f"smallnorb:{tmp_path}")
    data.unlink()
    with pytest.raises(MissingError, match=r"training-dat\.mat"):
        load(f"smallnorb:{tmp_path}")
    with pytest.raises(InputError, match="cameras 0 and 1"):
        load(f"smallnorb:{tmp_path},camera=2")


def idx(path: Path, array: np.ndarray) -> None:
    content = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize(
    ("name", "classes"),
    [
        ("mnist", ("0", "1", "2")),
        ("fashion-mnist", ("T-shirt/top", "trouser", "pullover")),
        ("kmnist", ("o", "ki", "su")),
    ],
)
def test_the_mnist_family(tmp_path: Path, name: str, classes: tuple[str, ...]) -> None:
    images = RNG.integers(0, 256, (6, 28, 28), dtype=np.uint8)
    for prefix, part in (("train", slice(0, 4)), ("t10k", slice(4, 6))):
        idx(tmp_path / f"{prefix}-images-idx3-ubyte.gz", images[part])
        idx(tmp_path / f"{prefix}-labels-idx1-ubyte.gz", np.arange(6, dtype=np.uint8)[part] % 3)
    data = load(f"{name}:{tmp_path}")
    assert (data.name, data.source["name"]) == (name, name)
    assert data.label_names[:3] == tuple(classes)
    assert (data[:][:, 0] == images).all()
    assert data.splits == {"train": range(4), "test": range(4, 6)}
    with pytest.raises(MissingError, match="not a folder"):
        load(f"{name}:nowhere")


def test_emnist_is_turned_upright(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
    for split, part in (("train", slice(0, 3)), ("test", slice(3, 5))):
        idx(tmp_path / f"emnist-letters-{split}-images-idx3-ubyte.gz", images[part].swapaxes(1, 2).copy())
        idx(tmp_path / f"emnist-letters-{split}-labels-idx1-ubyte.gz", np.array([1, 2, 3, 1, 3], np.uint8)[part])
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n3 67\n")
    data = load(f"emnist:{tmp_path},part=letters")
    assert (data[:][:, 0] == images).all()
    assert data.label_names == ("0", "Aa", "Bb", "C")
    assert {name: len(rows) for name, rows in data.splits.items()} == {"train": 3, "test": 2}
    with pytest.raises(InputError, match="holds no IDX images; expected emnist-balanced-train-images"):
        load(f"emnist:{tmp_path}")
    with pytest.raises(InputError, match="no part of EMNIST is called 'leters'; did you mean 'letters'"):
        load(f"emnist:{tmp_path},part=leters")


def write_celeba(folder: Path) -> None:
    (folder / "img_align_celeba").mkdir()
    for number in range(1, 6):
        face = np.full((218, 178, 3), number * 40, np.uint8)
        face[:35] = 255  # above the crop
        Image.fromarray(face).save(folder / "img_align_celeba" / f"{number:06}.jpg", quality=95)
    rows = [f"{number:06}.jpg  {1 if number > 2 else -1} -1" for number in range(1, 6)]
    (folder / "list_attr_celeba.txt").write_text("\n".join(["5", "Eyeglasses Wearing_Hat", *rows]) + "\n")
    parts = [f"{number:06}.jpg {part}" for number, part in enumerate((0, 2, 0, 1, 2), start=1)]
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")


def test_celeba(tmp_path: Path) -> None:
    write_celeba(tmp_path)
    data = load(f"celeba:{tmp_path},size=32")
    assert data.shape == (5, 3, 32, 32)
    assert kinds(data) == [("eyeglasses", "categorical", 2), ("wearing hat", "categorical", 2)]
    assert data.row_ids.tolist() == [1, 3, 4, 2, 5]
    assert {name: data.row_ids[list(rows)].tolist() for name, rows in data.splits.items()} == {
        "train": [1, 3],
        "valid": [4],
        "test": [2, 5],
    }
    assert data.factors is not None
    assert data.factors.tolist() == [[0, 0], [1, 0], [1, 0], [0, 0], [1, 0]]
    assert np.abs(data[[4, 0]].astype(int).reshape(2, -1) - [[200], [40]]).max() <= 3
    assert data[[]].shape == (0, 3, 32, 32)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_celeba_as_kaggle_packs_it(tmp_path: Path, end: str, quote: str) -> None:
    for name in ("published", "kaggle"):
        (tmp_path / name).mkdir()
        write_celeba(tmp_path / name)
    folder, inner = tmp_path / "kaggle", tmp_path / "kaggle/img_align_celeba/img_align_celeba"
    inner.mkdir()
    for picture in list(inner.parent.glob("*.jpg")):
        picture.rename(inner / picture.name)
    attributes = (folder / "list_attr_celeba.txt").read_text().splitlines()
    parts = (folder / "list_eval_partition.txt").read_text().splitlines()
    for name, lines in (("list_attr_celeba", [f"image_id {attributes[1]}", *attributes[2:]]),
                        ("list_eval_partition", ["image_id partition", *parts])):  # fmt: skip
        (folder / f"{name}.txt").unlink()
        rows = [",".join(f"{quote}{word}{quote}" for word in line.split()) + end for line in lines]
        (folder / f"{name}.csv").write_bytes("".join(rows).encode())
    kaggle, published = load(f"celeba:{folder}"), load(f"celeba:{tmp_path / 'published'}")
    assert (kaggle.specs, kaggle.splits) == (published.specs, published.splits)
    assert kaggle.factors is not None
    assert (kaggle.factors == published.factors).all()
    assert (kaggle[:] == published[:]).all()
    assert kaggle.fingerprint == published.fingerprint
    (folder / "list_attr_celeba.csv").write_text("image_id,Hat\n")
    with pytest.raises(InputError, match="has 0 files; expected a line of names"):
        load(f"celeba:{folder}")
    (folder / "list_attr_celeba.csv").write_text("image_id,Hat\n" + "x" * 200_000)
    with pytest.raises(InputError, match="is not a CSV"):
        load(f"celeba:{folder}")


def test_celeba_incomplete(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="has no img_align_celeba/"):
        load(f"celeba:{tmp_path}")
    write_celeba(tmp_path)
    with pytest.raises(InputError, match="expected 178×218, or a smaller crop="):
        load(f"celeba:{tmp_path},crop=200")[0]
    (tmp_path / "list_eval_partition.txt").write_text("000001.jpg 0\n")
    with pytest.raises(InputError, match=r"does not say which split 000002\.jpg belongs to"):
        load(f"celeba:{tmp_path}")
    (tmp_path / "list_eval_partition.txt").unlink()
    assert load(f"celeba:{tmp_path}").splits == {}
    (tmp_path / "list_attr_celeba.txt").write_text("1\nHat\n000001.jpg 2\n")
    with pytest.raises(InputError, match="expected a file and 1 of 1 and -1"):
        load(f"celeba:{tmp_path}")
