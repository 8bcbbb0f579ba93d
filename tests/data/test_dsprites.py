"""The rendering against frames of the published data, and the laws of the grid."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from latentlab.data import dsprites, load
from latentlab.errors import InputError

N = 737_280


def _frames(shared: Path) -> np.ndarray:
    from PIL import Image, ImageSequence

    with Image.open(shared / "data" / "dsprites_published_frames.gif", formats=["GIF"]) as gif:
        return np.stack([np.asarray(frame.convert("L")) for frame in ImageSequence.Iterator(gif)])


def _rows_of_frames() -> np.ndarray:
    """Which row each of the 320 frames shows: the animation varies one factor at a time, as its frames let one see.

    Heart: scale up, down, up; all orientations; y down, x right, y up, x left; scale down. Then ellipse and square:
    scale up, down, up; all orientations; scale down.
    """
    up, down = list(range(6)), list(range(5, -1, -1))
    around, there, back = range(40), range(32), range(31, -1, -1)
    factors = [(2, k, 0, 0, 0) for k in up + down + up] + [(2, 5, o, 0, 0) for o in around]
    factors += [(2, 5, 0, 0, y) for y in there] + [(2, 5, 0, x, 31) for x in there]
    factors += [(2, 5, 0, 31, y) for y in back] + [(2, 5, 0, x, 0) for x in back]
    factors += [(2, k, 0, 0, 0) for k in down]
    for shape in (1, 0):
        factors += [(shape, k, 0, 0, 0) for k in up + down + up] + [(shape, 5, o, 0, 0) for o in around]
        factors += [(shape, k, 0, 0, 0) for k in down]
    return np.ravel_multi_index(np.array(factors).T, dsprites.GRID)


@pytest.mark.shared
def test_published_frames_are_reproduced(shared: Path) -> None:
    frames, rows = _frames(shared), _rows_of_frames()
    assert frames.shape == (320, 64, 64)
    differing = (dsprites.render(rows)[:, 0] != frames).sum(axis=(1, 2))
    _, distinct = np.unique(frames.reshape(len(frames), -1), axis=0, return_index=True)
    assert len(distinct) == 254
    # Required: 95 % exact and at most 4 pixels; held to what was reached.
    assert (differing[distinct] == 0).sum() >= 251
    assert differing.max() <= 2


def test_a_centre_pixel_is_white_and_images_are_binary() -> None:
    rows = np.arange(0, N, 997)
    images = dsprites.render(rows)
    assert images.dtype == np.uint8
    assert set(np.unique(images)) == {0, 255}
    _, _, _, x, y = np.unravel_index(rows, dsprites.GRID)
    column, row = (16 + 32 * x / 31).astype(int), (16 + 32 * y / 31).astype(int)
    assert (images[np.arange(len(rows)), 0, row, column] == 255).all()


@pytest.mark.parametrize("size", [16, 32, 64, 100, 128])
def test_areas_are_those_of_the_outlines(size: int) -> None:
    """Pixel counts against closed forms: (2a)², πab, and the integral of the heart's curve."""
    t = np.linspace(0, 2 * np.pi, 100_001)
    profile = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    u, v = 9.5935 * np.sin(t) ** 3, 0.662313 * profile
    heart = abs(np.sum(np.diff(v) * (u[:-1] + u[1:]) / 2))
    exact = np.array([19.196**2, np.pi * 12.7675 * 7.2125, heart]) * (size / 64) ** 2
    for shape in range(3):
        rows = np.ravel_multi_index(
            np.array([(shape, 5, o, p, p) for o in range(40) for p in range(32)]).T, dsprites.GRID
        )
        area = (dsprites.render(rows, size) == 255).sum(axis=(1, 2, 3))
        assert area.mean() == pytest.approx(exact[shape], rel=0.01)


def test_the_image_turns_by_minus_theta() -> None:
    """Pixel by pixel: a point (u, v), v down, goes to (u cos θ + v sin θ, −u sin θ + v cos θ) about the centre."""
    rows = np.ravel_multi_index(np.array([(2, 5, o, 16, 16) for o in (0, 13, 39)]).T, dsprites.GRID)
    upright, turned, whole = dsprites.render(rows, 128)[:, 0]
    assert (upright == whole).all()
    angle, centre = 2 * np.pi * 13 / 39, 2 * (16 + 32 * 16 / 31)
    y, x = np.nonzero(upright)
    u, v = x + 0.5 - centre, y + 0.5 - centre
    to_x = np.floor(np.cos(angle) * u + np.sin(angle) * v + centre).astype(int)
    to_y = np.floor(-np.sin(angle) * u + np.cos(angle) * v + centre).astype(int)
    assert (turned[to_y, to_x] == 255).mean() > 0.97
    assert (turned[to_y, 127 - to_x] == 255).mean() < 0.9


def test_position_moves_the_image() -> None:
    """x and y swap under transposition for shapes with that symmetry, and a whole shift moves every pixel."""
    at = np.ravel_multi_index(np.array([(0, 3, 0, 3, 20), (0, 3, 0, 20, 3)]).T, dsprites.GRID)
    one, other = dsprites.render(at)[:, 0]
    assert (one == other.T).all()
    left, right = dsprites.render(np.ravel_multi_index(np.array([(2, 2, 7, 0, 5), (2, 2, 7, 31, 5)]).T, dsprites.GRID))
    assert (np.roll(left, 32, axis=2) == right).all()


def test_rows_can_be_read_in_any_order() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, N, 5000)
    whole = dsprites.render(rows)
    some = rng.permutation(5000)[:100]
    assert (dsprites.render(rows[some]) == whole[some]).all()
    assert dsprites.render([]).shape == (0, 1, 64, 64)


def test_dataset_describes_the_published_grid() -> None:
    data = load("dsprites")
    assert data.shape == (N, 1, 64, 64)
    assert data.grid == (3, 6, 40, 32, 32)
    assert [(s.name, s.kind, s.levels) for s in data.specs] == [
        ("shape", "categorical", 3),
        ("scale", "ordinal", 6),
        ("orientation", "circular", 40),
        ("x position", "continuous", 32),
        ("y position", "continuous", 32),
    ]
    assert data.source["name"] == "dsprites-rendered"
    assert data.factors is not None
    assert data.factors[N - 1].tolist() == [2, 5, 39, 31, 31]
    assert data.factors[1].tolist() == [0, 0, 0, 0, 1]
    assert (data[[5, 700_000]] == dsprites.render([5, 700_000])).all()


def test_a_smaller_grid_is_a_subset_of_the_full_one() -> None:
    data = load("dsprites:size=32,grid=3x3x10x8x8")
    assert data.shape == (5760, 1, 32, 32)
    assert data.spec == "dsprites:size=32,grid=3x3x10x8x8"
    assert data.row_ids.tolist() == list(range(5760))
    levels = data.source["levels"]
    assert levels[1] == [0, 2, 5]
    assert levels[3][0] == 0
    assert levels[3][-1] == 31
    assert 39 not in levels[2]
    assert data.specs[1].values == tuple(np.linspace(0.5, 1, 6)[[0, 2, 5]])
    full = np.ravel_multi_index(np.array([levels[i][-1] for i in range(5)]), dsprites.GRID)
    assert (data[-1] == dsprites.render([full], 32)).all()


def test_no_two_images_of_a_smaller_grid_are_equal_for_the_heart() -> None:
    images = load("dsprites", size=64, grid=(3, 2, 6, 3, 3))[-2 * 6 * 9 :]
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(images)


@pytest.mark.parametrize("options", [{"size": 4}, {"size": 100_000}, {"grid": (3, 6)}, {"grid": (3, 7, 40, 32, 32)}])
def test_wrong_settings_are_refused(options: dict) -> None:
    with pytest.raises(InputError):
        load("dsprites", **options)


@pytest.mark.parametrize("rows", [[-1], [N]])
def test_rows_outside_the_grid_are_refused(rows: list[int]) -> None:
    with pytest.raises(InputError, match="737,279"):
        dsprites.render(rows)


def test_speed() -> None:
    """The whole grid in 20 s is 27 µs an image; held here with room for a busy machine (measured: 4 µs)."""
    import time

    dsprites.render([0])
    rows = np.random.default_rng(0).integers(0, N, 8192)
    times = []
    for _ in range(3):
        start = time.process_time()
        dsprites.render(rows)
        times.append(time.process_time() - start)
    assert min(times) / len(rows) < 27e-6


class TestPublished:
    """Small files of the published layout."""

    @staticmethod
    def _write(path: Path, rows: np.ndarray, **more: np.ndarray) -> Path:
        classes = np.stack([np.zeros(len(rows), dtype=np.int64), *np.unravel_index(rows, dsprites.GRID)], axis=1)
        arrays = {
            "imgs": (dsprites.render(rows)[:, 0] > 0).astype(np.uint8),
            "latents_classes": classes,
            "latents_values": classes.astype(np.float64),
            "metadata": np.array({"pickled": "object"}, dtype=object),
        }
        np.savez_compressed(path, **(arrays | more))
        return path

    def test_the_same_images_and_factors(self, tmp_path: Path) -> None:
        rows = np.arange(2000)
        path = self._write(tmp_path / "dsprites.npz", rows)
        for spec in (f"dsprites:{path}", str(path)):
            data = load(spec)
            assert data.source["name"] == "dsprites-published"
            assert len(data.source["sha256"]) == 64
            assert (data[::7] == dsprites.render(rows[::7])).all()
            assert data.factors is not None
            assert data.factors[1999].tolist() == [0, 0, 1, 30, 15]
            assert data.grid is None
            assert data.specs == dsprites.SPECS

    @pytest.mark.parametrize("suffix", [".hdf5", ".H5"])
    def test_the_same_file_as_hdf5(self, tmp_path: Path, suffix: str) -> None:
        path = self._hdf5(tmp_path / f"d{suffix}", np.arange(2048))
        wanted = load(self._write(tmp_path / "d.npz", np.arange(2048)))
        for spec in (f"dsprites:{path}", str(path)):
            data = load(spec)
            assert (data.source["name"], data.grid) == ("dsprites-published", (1, 1, 2, 32, 32))
            assert (data[:] == wanted[:]).all()
            assert data.factors is not None
            assert (data.factors == wanted.factors).all()
            assert data.specs == wanted.specs

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"imgs": np.full((10, 64, 64), 2, np.uint8)}, "not of zeros and ones"),
            ({"imgs": np.zeros((9, 64, 64), np.uint8)}, r"classes are int64 \(10, 6\); expected \(9, 6\)"),
            ({"imgs": np.zeros((10, 64, 64))}, "imgs is float64"),
            ({"latents/classes": np.full((10, 6), 50)}, "leave the dSprites grid"),
        ],
    )
    def test_wrong_hdf5_is_refused(self, tmp_path: Path, wrong: dict, message: str) -> None:
        path = self._hdf5(tmp_path / "d.hdf5", np.arange(10), **wrong)
        with pytest.raises(InputError, match=message):
            load(f"dsprites:{path}")
        with h5py.File(path, "a") as file:
            del file["latents"]
        with pytest.raises(InputError, match="lacks imgs or latents/classes"):
            load(f"dsprites:{path}")

    @staticmethod
    def _hdf5(path: Path, rows: np.ndarray, **more: np.ndarray) -> Path:
        classes = np.stack([np.zeros(len(rows), dtype=np.int64), *np.unravel_index(rows, dsprites.GRID)], axis=1)
        images = (dsprites.render(rows)[:, 0] > 0).astype(np.uint8)
        with h5py.File(path, "w") as file:
            for key, array in (
                {"imgs": images, "latents/classes": classes, "latents/values": classes * 1.0} | more
            ).items():
                file.create_dataset(key, data=array, compression="gzip")
        return path

    def test_a_full_grid_is_seen(self, tmp_path: Path) -> None:
        data = load(f"dsprites:{self._write(tmp_path / 'd.npz', np.arange(2048))}")
        assert data.grid == (1, 1, 2, 32, 32)

    def test_pickled_metadata_stays_unread(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        import pickle

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("unpickled")

        path = self._write(tmp_path / "d.npz", np.arange(10))
        monkeypatch.setattr(pickle, "load", refuse)
        monkeypatch.setattr(pickle, "loads", refuse)
        assert len(load(f"dsprites:{path}")) == 10

    @pytest.mark.parametrize(
        "wrong",
        [
            {"imgs": np.full((10, 64, 64), 2, dtype=np.uint8)},
            {"imgs": np.zeros((9, 64, 64), dtype=np.uint8)},
            {"imgs": np.zeros((10, 64, 64), dtype=np.float32)},
            {"latents_classes": np.full((10, 6), 50)},
            {"latents_classes": np.array([None] * 10, dtype=object)},
        ],
    )
    def test_wrong_contents_are_refused(self, tmp_path: Path, wrong: dict) -> None:
        path = self._write(tmp_path / "d.npz", np.arange(10), **wrong)
        with pytest.raises(InputError):
            load(f"dsprites:{path}")

    def test_a_missing_or_cut_file(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="does not exist"):
            load(f"dsprites:{tmp_path / 'no.npz'}")
        path = self._write(tmp_path / "d.npz", np.arange(10))
        path.write_bytes(path.read_bytes()[:-100])
        with pytest.raises(InputError, match=r"not a complete \.npz"):
            load(f"dsprites:{path}")

    def test_no_size_or_grid_beside_a_path(self, tmp_path: Path) -> None:
        path = self._write(tmp_path / "d.npz", np.arange(10))
        with pytest.raises(InputError, match="leave out"):
            load(f"dsprites:{path}", size=32)
