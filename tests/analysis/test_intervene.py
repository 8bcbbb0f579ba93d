"""Laws of interventions: a planted part is found along axes or turned, what decodes to nothing is not, files hold."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from toy import toy_interventions, write_run

import latentlab as ll
from latentlab.analysis.intervene.ablate import ablations
from latentlab.analysis.intervene.measure import experiment, interventions, single_causes
from latentlab.analysis.intervene.record import (
    FILE,
    Interventions,
    disagreement,
    load_interventions,
    save_interventions,
)
from latentlab.analysis.intervene.subspace import axes, conditional
from latentlab.analysis.leakage import reader as reading
from latentlab.analysis.leakage.reader import Scale, embed
from latentlab.data import Factor
from latentlab.errors import InputError
from latentlab.metrics._draws import rotation

D, ROWS = 5, 1200
ANGLE = Factor("angle", "circular", tuple(np.arange(12) * np.pi / 6))
SIZE, GHOST = Factor("size", "continuous"), Factor("ghost", "continuous")
SCALES = (
    Scale(0, ANGLE, 0, 2, 1.0, noise=1e-4),
    Scale(1, SIZE, 2, 1, 1 / 12, noise=1e-4),
    Scale(2, GHOST, 3, 1, 1 / 12, noise=1e-4),
)


@pytest.fixture(scope="module")
def truth():
    """Factors of rows: an angle of 12 levels, a size, and one that no code holds."""
    rng = np.random.default_rng(0)
    return np.column_stack([rng.integers(12, size=ROWS), rng.random((ROWS, 2))]).astype(np.float64)


def trial(truth, turn, *, size_of=lambda u: u[:, 2], pairs=64, seed=0):
    """Codes of cosine, sine and size, a dimension of noise and one without use, turned; the decoder turns them back."""
    rng = np.random.default_rng(seed)
    circle = embed(truth, SCALES[0])
    held = np.column_stack([circle, truth[:, 1], rng.standard_normal((ROWS, 2))])
    held[:, :3] += 0.02 * rng.standard_normal((ROWS, 3))

    def read(codes, rows):
        u = codes @ turn.T
        seen = u[:, :2] / np.linalg.norm(u[:, :2], axis=1, keepdims=True)
        return [seen, size_of(u)[:, None], np.full((len(codes), 1), 0.5)]

    return experiment(held @ turn, truth, SCALES, read, dims=np.arange(D), pairs=pairs, seed=seed)


def test_dimensions_that_hold_a_factor_are_found_and_no_more(truth):
    order = np.random.default_rng(1).permutation(D)
    angle, size, ghost = interventions(trial(truth, np.eye(D)[order]))
    assert (angle.kind, set(angle.dims)) == ("dimensions", set(order[:2].tolist()))
    assert (size.kind, size.dims) == ("dimensions", (order[2],))
    assert angle.cause.value > 0.95
    assert angle.isolation.value > 0.95
    assert ghost.kind == "absent"
    assert ghost.cause is None


@pytest.mark.parametrize("seed", range(3))
def test_a_turned_plane_is_found_by_its_rank_and_angle(truth, seed):
    turn = rotation(np.random.default_rng(seed), D)
    angle, size, ghost = interventions(trial(truth, turn, seed=seed))
    assert (angle.kind, size.kind, ghost.kind) == ("subspace", "subspace", "absent")
    assert (len(angle.weights), len(size.weights)) == (2, 1)
    span = np.linalg.qr(np.array(angle.weights).T)[0]
    assert np.linalg.svd(turn[:2] @ span, compute_uv=False).min() > 0.98
    assert angle.cause.low > 0.9
    assert angle.isolation.value > 0.9


def test_a_swap_that_moves_another_factor_says_which_and_how_far(truth):
    """The decoder draws the size by the angle: a swap of the angle moves it a quarter as far as its own would."""
    angle, size, _ = interventions(trial(truth, np.eye(D), size_of=lambda u: 0.5 + 0.1 * (u[:, 0] + u[:, 1]) / 2**0.5))
    assert (angle.kind, angle.into) == ("dimensions", "size")
    assert angle.isolation.value == pytest.approx(1 - 0.1 * (1 / 2) ** 0.5 / (1 / 12) ** 0.5, abs=0.1)
    assert size.kind == "absent"


def test_two_factors_that_one_dimension_moves_alike_are_entangled(truth):
    both = np.column_stack([truth[:, 0], truth[:, 1], truth[:, 1]])
    read = lambda z, rows: [embed(truth[rows], SCALES[0]), z[:, 2:3], z[:, 2:3]]  # noqa: E731
    codes = np.random.default_rng(0).standard_normal((ROWS, D))
    codes[:, 2] = truth[:, 1]
    found = interventions(experiment(codes, both, SCALES, read, dims=np.arange(D), pairs=64))
    assert [each.kind for each in found] == ["absent", "entangled", "entangled"]


def test_a_swap_of_nothing_and_of_everything_are_worth_nothing_in_a_perfect_decoder(truth):
    held = trial(truth, np.eye(D))
    nothing, everything = (held.swap(held.testing, axes(dims, D)) for dims in ((), range(D)))
    assert np.all(nothing.cause == 0)
    assert np.all(nothing.movement == 0)
    assert everything.cause[0, :2] == pytest.approx([1, 1], abs=0.05)
    assert everything.balance(0, everything.most_moved(0))[0] == pytest.approx(0, abs=0.05)


def test_causes_of_single_dimensions_do_not_depend_on_scale(truth):
    first = single_causes(trial(truth, np.eye(D)))
    second = single_causes(trial(truth, np.eye(D)))
    np.testing.assert_array_equal(first, second)
    assert first[2].round(2).tolist() == pytest.approx([0, 1, 0], abs=0.05)


def test_too_few_rows_are_refused(truth):
    missing = truth.copy()
    missing[127:, 0] = np.nan
    with pytest.raises(InputError, match="127 rows have all factors known"):
        experiment(np.zeros((ROWS, D)), missing, SCALES, lambda z, r: [], dims=np.arange(D))


def test_conditional_means_span_what_mixes_linearly_whatever_the_mixing():
    rng = np.random.default_rng(0)
    levels = rng.integers(6, size=4000)
    held = np.column_stack([levels - levels.mean(), rng.standard_normal((4000, 2)) * [1, 9]])
    mix = rng.standard_normal((3, 3))
    span = conditional(held @ mix, levels, np.arange(3), 1)
    base, donor = held[:50], held[50:100]
    swapped = span.swapped(base @ mix, donor @ mix) @ np.linalg.inv(mix)
    np.testing.assert_allclose(swapped[:, 0], donor[:, 0], atol=0.3)
    np.testing.assert_allclose(swapped[:, 1], base[:, 1], atol=0.4)


def test_ablation_costs_what_the_dimension_held(truth):
    rows, scales = np.arange(200), SCALES[1:2]
    codes = truth[:, 1:3]
    judge = lambda z, r: (((z[:, 0] - codes[r, 0]) ** 2), [z[:, :1]])  # noqa: E731
    shares = np.concatenate(
        [np.full((1, 200), 1 / 200), np.random.default_rng(0).multinomial(200, [1 / 200] * 200, 50) / 200]
    )
    held, idle = ablations(
        codes[rows], [codes[rows, :1]], rows, judge, scales, dims=np.arange(2), centre=codes.mean(axis=0), shares=shares
    )
    assert held.readability["size"].value == pytest.approx(1, abs=0.05)
    assert held.distortion.low > 0.05
    assert (idle.readability["size"].value, idle.distortion.value) == (0, 0)


def test_words_say_where_information_and_intervention_disagree():
    shape, x, y, angle = toy_interventions(ll.Codes(np.zeros((9, 4), np.float32))).factors
    assert disagreement(x, 0.5, 0) == ""
    assert disagreement(angle, 0.0, 0) == ""
    assert "MIG names z1 (0.50), but the factor is carried by z0" in disagreement(x, 0.5, 1)
    assert "MIG names no dimension (0.01), but a swap of 2 directions" in disagreement(y, 0.01, 1)
    assert "no swap changes" in disagreement(angle, 0.5, 1)
    assert "its swap changes other factors" in disagreement(shape, 0.5, 1)


def test_they_are_kept_beside_the_run_and_read_back(tmp_path):
    run = write_run(tmp_path / "run", 4.0, 0, analysed=False)
    kept = toy_interventions(ll.Codes(np.zeros((9, 4), np.float32)))
    save_interventions(run, kept, {"model": "m"})
    found = load_interventions(run)
    assert isinstance(found, Interventions)
    assert found.to_json() == kept.to_json()
    table = found.to_frame().set_index("factor")
    assert table["carried by"].tolist() == ["entangled", "z0", "2 directions", "absent"]
    assert math.isnan(table.loc["shape", "cause"])
    assert len(found.costs()) == 4
    with pytest.raises(InputError, match="expected 3 of each"):
        replace(found, factors=found.factors[:3])
    (run.path / FILE).write_text('{"interventions": {"factors": 1}}')
    with pytest.raises(InputError, match="latentlab intervene"):
        load_interventions(run)


def test_a_run_is_measured_once_and_its_answer_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "UPDATES", 300)
    data = ll.data.load("dsprites", size=12, grid=(1, 1, 1, 12, 12))
    run = ll.train(data, tmp_path / "run", steps=5, latent_dim=3, threads=1, network="shallow")
    ll.encode(run, data)
    found = ll.intervene(run, data=data, pairs=16)
    assert [each.factor for each in found.factors] == ["x position", "y position"]
    assert np.shape(found.swaps) == (3, 2)
    before = (run.path / FILE).stat().st_mtime_ns
    assert ll.intervene(run, data=data, pairs=16).to_json() == found.to_json()
    assert (run.path / FILE).stat().st_mtime_ns == before
    with pytest.raises(InputError, match="does not have all rows of the codes"):
        ll.intervene(run, data=data.take(np.arange(130)), pairs=16)
