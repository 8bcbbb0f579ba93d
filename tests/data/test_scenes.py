"""The rendered scenes: bytes that stay, factors that change what they name and nothing else, and the networks' diet."""

import hashlib

import numpy as np
import pytest

import latentlab as ll
from latentlab.data import load, scenes
from latentlab.errors import InputError

SMALL = "scenes:size=16,grid=2x2x2x2x4x2"


def row(*factors: int) -> int:
    return int(np.ravel_multi_index(factors, scenes.GRID))


BYTES = "63110bcf515856763d089a684f7895bdbcff78255fc443ff4ba6b5dab253f1cc"


def test_the_bytes_stay() -> None:
    """At 16×16, every 997th row: of all hues, scales, shapes and orientations."""
    images = scenes.render(np.arange(0, int(np.prod(scenes.GRID)), 997), 16)
    assert images.shape == (185, 3, 16, 16)
    assert hashlib.sha256(images.tobytes()).hexdigest() == BYTES


def test_what_the_data_set_says_of_itself() -> None:
    data = load("scenes")
    assert data.shape == (184_320, 3, 64, 64)
    assert data.grid == (8, 8, 8, 6, 4, 15)
    assert [(s.name, s.kind, s.levels) for s in data.specs] == [
        ("floor hue", "circular", 8),
        ("wall hue", "circular", 8),
        ("object hue", "circular", 8),
        ("scale", "ordinal", 6),
        ("shape", "categorical", 4),
        ("orientation", "continuous", 15),
    ]
    assert data.factors is not None
    assert (np.ravel_multi_index(data.factors[::501].T.astype(int), data.grid) == np.arange(184_320)[::501]).all()


def test_a_coarser_grid_has_rows_of_the_full_one() -> None:
    data = load(SMALL)
    assert [spec.values for spec in data.specs[:1]] == [(0.0, 0.5)]
    assert data.specs[5].values == (-30.0, 30.0)
    assert (data[[0, 127]] == scenes.render([row(0, 0, 0, 0, 0, 0), row(4, 4, 4, 5, 3, 14)], 16)).all()


def test_hues_paint_what_they_name() -> None:
    """Pixels of one part change with its hue alone, and every pixel belongs to some part."""
    start = (0, 0, 0, 3, 1, 5)
    plain = scenes.render([row(*start)], 32)[0].astype(int)
    changed = [
        np.abs(scenes.render([row(*start[:k], 3, *start[k + 1 :])], 32)[0] - plain).max(axis=0) > 40 for k in range(3)
    ]
    floor, wall, thing = changed
    assert floor[-1].all()
    assert wall[0].all()
    assert thing[14:22, 14:18].all()
    assert not any((a & b).sum() > 40 for a, b in ((floor, wall), (floor, thing), (wall, thing)))
    assert (floor | wall | thing).all()


def test_scale_grows_and_orientation_turns_the_room() -> None:
    scales = scenes.render([row(0, 0, 4, s, 0, 7) for s in range(6)], 32).astype(int)
    bare = np.abs(scales - scenes.render([row(0, 0, 0, s, 0, 7) for s in range(6)], 32)).max(axis=1) > 40
    assert (np.diff(bare.sum(axis=(1, 2))) > 0).all()
    turned = scenes.render([row(0, 4, 2, 2, 1, o) for o in range(15)], 32)
    assert len({image.tobytes() for image in turned}) == 15


def test_an_object_seen_from_the_other_side_is_its_mirror_image() -> None:
    """Only its outline: the lamp goes with the camera."""
    outlines = []
    for orientation in (0, 14):
        one, other = scenes.render([row(0, 4, hue, 4, 1, orientation) for hue in (2, 6)], 32).astype(int)
        outlines.append(np.abs(one - other).max(axis=0) > 40)
    assert (outlines[0] != outlines[1]).sum() > 20
    assert (outlines[0] != outlines[1][:, ::-1]).sum() < 10


def test_rows_in_any_order_and_none() -> None:
    rows = np.random.default_rng(0).integers(0, 184_320, 40)
    images = scenes.render(rows, 16)
    assert (scenes.render(rows[::-1], 16) == images[::-1]).all()
    assert scenes.render([], 16).shape == (0, 3, 16, 16)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("scenes:size=8", "scenes can be drawn at sizes 16 to 128; got size=8"),
        ("scenes:grid=9x1x1x1x1x1", "must ask for 1 to 8x8x8x6x4x15 levels of the 6 factors, as in grid=3x3x3x3x3x3"),
        ("scenes:grid=2x2", "grid=2x2 must ask for"),
    ],
)
def test_what_cannot_be_drawn(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load(spec)


def test_it_trains_and_every_verb_takes_it(tmp_path_factory: pytest.TempPathFactory) -> None:
    out = tmp_path_factory.mktemp("scenes")
    run = ll.train("scenes:size=16,grid=2x2x2x1x2x2", out / "run", steps=2, latent_dim=2, batch_size=4)
    ll.analyze(run, only=("encode", "traverse", "score"), metrics=["mig"], resamples=0)
    assert run.decodings()["reconstructions"].images.shape[1:] == (3, 16, 16)
    assert set(run.scores()["mig"].per_factor) >= {"floor hue", "shape"}
