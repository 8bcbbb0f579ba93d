"""Laws of leakage: nothing for a decoder that changes nothing, 0 for a perfect one, 1 where two factors go together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy import write_run

from latentlab.analysis.leakage import reader as reading
from latentlab.analysis.leakage import stage
from latentlab.analysis.leakage.measure import changes, floor, leakage
from latentlab.analysis.leakage.reader import Scale, embed, learn
from latentlab.analysis.leakage.record import FILE, load_leakage, save_leakage, table
from latentlab.codes.codes import Codes
from latentlab.codes.decodings import Decodings
from latentlab.data import load
from latentlab.data.dataset import Dataset, Factor
from latentlab.errors import InputError
from latentlab.models.decoding import around
from latentlab.runs.kept import inputs_of

STEPS = 9
SWEPT = np.linspace(0, 1, STEPS)
EVEN = float(SWEPT.var())


@dataclass(frozen=True)
class Oracle:
    """A reader without error: the pixels of an image are its factors."""

    scales: tuple[Scale, ...]
    data: str = "pixels"
    rows: int = 0

    def read(self, images):
        return [images[..., 0, 0, k, None] / 255 for k in range(len(self.scales))]


def oracle(names="abc"):
    specs = [Factor(name, "continuous") for name in names]
    return Oracle(tuple(Scale(k, spec, k, 1, EVEN, noise=0.0) for k, spec in enumerate(specs)))


def moved(per_dimension, anchors=4):
    """Traversals in which dimension j sets factor k to values[k]: a list of {factor: values (steps,)}."""
    images = np.full((anchors, len(per_dimension), STEPS, 1, 1, 3), 100, np.uint8)
    for j, values in enumerate(per_dimension):
        for k, course in values.items():
            images[:, j, :, 0, 0, k] = np.round(255 * np.asarray(course))
    return Decodings(images, np.zeros((*images.shape[:3], len(per_dimension)), np.float32))


def test_a_decoder_that_changes_nothing_has_no_leakage_rather_than_none_to_blame():
    found = leakage(moved([{}, {}, {}]), oracle())
    assert np.isnan(found.value)
    assert found.interval is None
    assert found.parts["defined"] == 0
    assert "no dimension changes" in found.settings["undefined"]
    assert table(found)["leakage"].isna().all()


def test_a_movement_within_the_readings_noise_is_no_target():
    noisy = replace(oracle(), scales=tuple(replace(scale, noise=0.5 * EVEN) for scale in oracle().scales))
    assert leakage(moved([{0: 0.2 * SWEPT}]), noisy).parts["defined"] == 0
    assert leakage(moved([{0: 0.05 * SWEPT}]), oracle()).parts["defined"] == 0, "less than a tenth of its range"
    assert leakage(moved([{0: 0.2 * SWEPT}]), oracle()).parts["defined"] == 1


def test_one_factor_a_dimension_leaks_nothing():
    found = leakage(moved([{0: SWEPT}, {1: SWEPT[::-1]}, {2: 0.5 * SWEPT}]), oracle())
    assert found.value == 0
    np.testing.assert_allclose(found.matrix, np.diag([1, 1, 0.5]), atol=0.01)
    assert table(found)["target"].tolist() == ["a", "b", "c"]


def test_two_factors_that_move_together_leak_wholly_and_half_as_far_half():
    assert leakage(moved([{0: SWEPT, 1: SWEPT}]), oracle()).value == pytest.approx(1)
    assert leakage(moved([{0: SWEPT, 1: 0.5 * SWEPT}]), oracle()).value == pytest.approx(0.5, abs=0.01)
    assert leakage(moved([{0: SWEPT, 1: SWEPT[::-1]}]), oracle()).value == pytest.approx(1), "either direction"


def test_order_of_dimensions_and_factors_changes_nothing():
    rows = [{0: SWEPT, 1: 0.4 * SWEPT}, {2: SWEPT}, {}]
    assert leakage(moved(rows), oracle()).value == leakage(moved(rows[::-1]), oracle()).value


def test_the_interval_is_over_anchors_and_holds_the_value():
    images = moved([{0: SWEPT}], anchors=20)
    rng = np.random.default_rng(0)
    for a in range(20):
        images.images[a, 0, :, 0, 0, 1] = np.round(255 * rng.uniform() * SWEPT)
    found = leakage(images, oracle())
    low, high = found.interval
    assert low < found.value < high
    same = leakage(moved([{0: SWEPT, 1: 0.5 * SWEPT}]), oracle())
    assert same.interval == pytest.approx((same.value, same.value)), "anchors that agree leave nothing open"


def test_circular_and_categorical_factors_change_by_their_own_measure():
    angle = Scale(0, Factor("angle", "circular"), 0, 2, 1.0, noise=0.0)
    turn = embed(np.linspace(0, 2 * np.pi, 40, endpoint=False)[:, None], angle)
    assert changes(np.array([[turn.var(axis=0).sum()]]), [angle])[0, 0] == pytest.approx(1)
    shape = Scale(0, Factor("shape", "categorical", ("a", "b", "c")), 0, 3, 2 / 3, noise=0.0)
    even = embed(np.repeat([0.0, 1.0, 2.0], 3)[:, None], shape)
    assert changes(np.array([[even.var(axis=0).sum()]]), [shape])[0, 0] == pytest.approx(1)
    assert floor(shape) == 0.1


def test_a_factor_that_cannot_be_read_is_left_out_and_said():
    blind = oracle()
    scales = (*blind.scales[:2], replace(blind.scales[2], noise=0.8 * EVEN))
    found = leakage(moved([{0: SWEPT, 2: SWEPT}]), replace(blind, scales=scales))
    assert found.value == 0
    assert found.settings["left_out"] == {"c": pytest.approx(0.2)}
    alone = leakage(moved([{0: SWEPT}]), replace(blind, scales=(scales[0], scales[2])))
    assert np.isnan(alone.value)
    assert "fewer than two factors" in alone.settings["undefined"]


def test_images_of_one_traversal_alone_are_refused():
    one = moved([{0: SWEPT}])
    with pytest.raises(InputError, match="anchors, dimensions, steps"):
        leakage(Decodings(one.images[0], one.codes[0]), oracle())


def test_it_is_kept_beside_the_run_and_read_back(tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0)
    found = leakage(moved([{0: SWEPT, 1: 0.5 * SWEPT}, {}]), oracle())
    save_leakage(run, found, {"model": "m"})
    again = load_leakage(run)
    assert inputs_of(run.path / FILE) == {"model": "m"}
    assert table(again).equals(table(found))
    (run.path / FILE).write_text("[]")
    with pytest.raises(InputError, match="latentlab leakage"):
        load_leakage(run)


@pytest.fixture(scope="module")
def squares():
    """Images of a square whose place and size are its three factors, all 10 × 10 × 4 of them."""
    levels = np.indices((10, 10, 4)).reshape(3, -1).T.astype(np.float64)
    images = np.stack([drawn(*row) for row in levels])
    specs = tuple(
        Factor(name, "ordinal", tuple(np.arange(n) / (n - 1))) for name, n in zip("xyr", (10, 10, 4), strict=True)
    )
    return Dataset("squares", images.shape, images.__getitem__, levels, specs, grid=(10, 10, 4))


def drawn(x, y, r):
    image = np.zeros((1, 20, 20), np.uint8)
    x, y, half = round(x) + 5, round(y) + 5, round(r) + 2
    image[0, y - half : y + half + 1, x - half : x + half + 1] = 255
    return image


@pytest.fixture(scope="module")
def reader(squares):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "UPDATES", 600)
        return learn(squares)


class Renderer(torch.nn.Module):
    """A decoder that draws the factors; `mix` gives the factors (3,) for a code (3,), whose dimensions go 0 to 1."""

    def __init__(self, mix, unit=1.0):
        super().__init__()
        self.mix, self.unit = mix, unit
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def decode(self, z):
        factors = np.clip([self.mix(code) for code in z.numpy() / self.unit], 0, 1) * [9, 9, 3]
        return SimpleNamespace(mean=torch.from_numpy(np.stack([drawn(*row) for row in factors]) / 255.0))


def render(mix, unit=1.0):
    mean = np.random.default_rng(0).uniform(size=(400, 3)).astype(np.float32) * np.float32(unit)
    return around(Renderer(mix, unit), Codes(mean), np.arange(6))


def test_factors_are_read_off_images_that_were_not_trained_on(reader):
    assert all(scale.r2 > 0.8 for scale in reader.scales)


def test_a_perfect_decoder_read_by_the_regressor_leaks_next_to_nothing(reader):
    found = leakage(render(lambda z: z), reader)
    assert found.parts["defined"] == 3
    assert found.value < 0.15


def test_a_decoder_of_one_cause_for_two_factors_is_caught_by_the_regressor(reader):
    found = table(leakage(render(lambda z: (z[0], z[0], z[2])), reader))
    assert found["leakage"][0] > 0.8
    assert {found["target"][0], found["into"][0]} == {"x", "y"}
    assert np.isnan(found["leakage"][1]), "the second dimension changes nothing"


def test_rescaling_the_codes_changes_nothing(reader):
    assert leakage(render(lambda z: z), reader).value == leakage(render(lambda z: z, unit=8.0), reader).value


def test_categories_are_read_whatever_numbers_they_have():
    factors = np.tile([[-1.0], [1.0], [np.nan]], (20, 1))
    images = np.zeros((60, 1, 8, 8), np.uint8)
    data = Dataset("signs", images.shape, images.__getitem__, factors=factors, specs=(Factor("sign"),))
    columns, specs = reading.known_factors(data)
    [scale] = reading._candidates(columns, specs)
    assert embed(columns, scale)[:3].tolist() == [[1, 0], [0, 1], [0, 0]]
    assert factors[0, 0] == -1


def test_data_of_which_nothing_is_known_cannot_be_read(squares):
    with pytest.raises(InputError, match="0 known factors"):
        learn(replace(squares, factors=None, specs=(), grid=None))
    with pytest.raises(InputError, match="40 images"):
        learn(squares.take(np.arange(40)))


@pytest.mark.parametrize(
    "values",
    [
        np.arange(0, 360, 20),
        np.arange(8) / 8,
        np.arange(24) * 360 / 24,
        np.linspace(0, 2 * np.pi, 9)[:-1],
        list("abcd"),
    ],
)
def test_circular_levels_are_read_as_angles_whatever_the_unit_of_their_values(values):
    """Degrees, turns, radians or names: neighbours are equally far apart, the last from the first as well."""
    spec = Factor("angle", "circular", tuple(values))
    circle = embed(np.arange(spec.levels, dtype=float)[:, None], Scale(0, spec, 0, 2, 1.0))
    steps = np.linalg.norm(circle - np.roll(circle, 1, axis=0), axis=1)
    np.testing.assert_allclose(steps, 2 * np.sin(np.pi / spec.levels), atol=1e-12)


@pytest.mark.parametrize("turn", [2 * np.pi, 360.0, 1.0])
def test_levels_a_whole_turn_apart_are_one_place(turn):
    spec = Factor("orientation", "circular", tuple(np.linspace(0, turn, 40)))
    circle = embed(np.arange(40.0)[:, None], Scale(0, spec, 0, 2, 1.0))
    np.testing.assert_allclose(circle[0], circle[-1], atol=1e-12)


def test_circular_numbers_without_levels_are_read_as_angles_too():
    """A column of whole numbers is levels, one of other numbers radians."""
    spec = Factor("angle", "circular")
    level = embed(np.arange(40.0)[:, None], Scale(0, spec, 0, 2, 1.0))
    np.testing.assert_allclose(level[20], -level[0], atol=1e-12)
    np.testing.assert_allclose(
        embed(np.array([[0.5], [1.25]]), Scale(0, spec, 0, 2, 1.0))[0], [np.cos(0.5), np.sin(0.5)]
    )


def test_a_square_turned_by_a_quarter_is_read_modulo_a_quarter():
    spec, quarter = Factor("angle", "circular", tuple(np.arange(8) * np.pi / 4)), np.array([[0.0], [2.0]])
    same = embed(quarter, Scale(0, spec, 0, 2, 1.0, harmonic=4))
    np.testing.assert_allclose(same[0], same[1], atol=1e-12)


def test_a_process_learns_to_read_once_for_all_questions_on_the_same_data_and_anew_for_other_factors(monkeypatch):
    learnt = []
    monkeypatch.setattr(stage, "_learned", {})
    monkeypatch.setattr(reading, "learn", lambda data, seed: learnt.append((data.name, seed)) or SimpleNamespace())
    data = load("dsprites", size=8, grid=(1, 1, 1, 8, 8))
    again = load("dsprites", size=8, grid=(1, 1, 1, 8, 8))
    assert stage.reader_of(data, 0) is stage.reader_of(again, 0)
    assert len(learnt) == 1
    factors = data.factors.copy()
    factors[0] = factors[1]
    stage.reader_of(replace(data, factors=factors), 0)  # of the same name and images
    stage.reader_of(data, 1)
    assert len(learnt) == 3
    assert len(stage._learned) == stage.KEPT
    stage.reader_of(data, 0)
    assert len(learnt) == 4
