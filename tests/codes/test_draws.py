"""Which codes are decoded: draws follow their source, ways keep their ends, vectors know their uncertainty."""

import numpy as np
import pytest
from scipy.stats import kstest, norm
from toy import toy_codes

from latentlab.codes.codes import Codes
from latentlab.codes.directions import attribute
from latentlab.codes.draws import leaving, samples
from latentlab.codes.masks import hidden
from latentlab.codes.paths import linear, manifold, spherical
from latentlab.errors import InputError


@pytest.fixture
def pair() -> Codes:
    """Two clusters of codes, 10 apart along the first dimension, each narrow; wide posteriors in the second."""
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(2000, 3)) * [0.1, 0.1, 0.5] + np.repeat([[-5, 0, 0], [5, 0, 0]], 1000, axis=0)
    variance = np.tile([0.01, 4.0, 0.01], (2000, 1))
    return Codes(mean.astype("f4"), variance.astype("f4"), row_ids=np.arange(2000) * 2)


def test_draws_follow_the_distribution_they_are_said_to_come_from(pair: Codes) -> None:
    drawn = {source: samples(pair, source, 4000, seed=1).astype(float) for source in ("prior", "aggregate", "mixture")}
    for j in range(3):
        assert kstest(drawn["prior"][:, j], norm.cdf).pvalue > 1e-4
    aggregate = drawn["aggregate"]
    assert (np.abs(np.abs(aggregate[:, 0]) - 5) < 1).all(), "no draw lies between the clusters"
    assert aggregate[:, 1].std() == pytest.approx(2, rel=0.05), "the posterior's width is drawn as well"
    mixture = drawn["mixture"]
    assert (np.abs(np.abs(mixture[:, 0]) - 5) < 1).mean() > 0.99
    assert mixture[:, 1].std() == pytest.approx(0.1, rel=0.1), "fitted to the means alone"
    assert abs((mixture[:, 0] > 0).mean() - 0.5) < 0.05
    assert abs((mixture[:500, 0] > 0).mean() - 0.5) < 0.1, "in no order of the components"


@pytest.mark.parametrize("source", ["prior", "aggregate", "mixture"])
def test_draws_are_those_of_the_seed(pair: Codes, source: str) -> None:
    first, again, other = (samples(pair, source, 5, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    assert first.dtype == np.float32
    assert samples(Codes(pair.mean[:3]), source, 2).shape == (2, 3)


def test_an_autoencoders_aggregate_draws_are_codes_of_rows(pair: Codes) -> None:
    drawn = samples(Codes(pair.mean), "aggregate", 50)
    assert {tuple(code) for code in drawn} <= {tuple(code) for code in pair.mean}


def test_collapsed_codes_can_be_drawn_from() -> None:
    np.testing.assert_allclose(samples(Codes(np.ones((50, 2), np.float32)), "mixture", 4), 1, atol=0.01)


def test_the_manifold_parts_the_priors_mass_equally_and_grows_to_the_right_and_upward(pair: Codes) -> None:
    grid = manifold(pair, 2, 0, 5, around=[7, 8, 9])
    assert grid.shape == (5, 5, 3)
    np.testing.assert_allclose(norm.cdf(grid[0, :, 2]), [0.1, 0.3, 0.5, 0.7, 0.9], atol=1e-6)
    np.testing.assert_allclose(norm.cdf(grid[:, 0, 0]), [0.9, 0.7, 0.5, 0.3, 0.1], atol=1e-6)
    assert (grid[..., 1] == 8).all()
    free = manifold(Codes(pair.mean * 3 + 20), 0, 2, 5)
    np.testing.assert_allclose(free[2, 2], (pair.mean * 3 + 20).mean(axis=0), rtol=1e-3)
    np.testing.assert_allclose(free[0, 4, 2] - free[2, 2, 2], norm.ppf(0.9) * pair.mean[:, 2].std() * 3, rtol=1e-3)
    for x, y in ((0, 0), (0, 3), (-1, 0)):
        with pytest.raises(InputError, match="expected two of 0 to 2"):
            manifold(pair, x, y, 5)


def test_both_ways_keep_their_ends_and_the_circle_its_length() -> None:
    a, b = np.array([3.0, 0, 0]), np.array([0, 3.0, 0])
    for way in (linear, spherical):
        path = way(a, b, 5)
        np.testing.assert_allclose(path[[0, -1]], [a, b], atol=1e-6)
        np.testing.assert_allclose(way(b, a, 5)[::-1], path, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(spherical(a, b, 9), axis=1), 3, rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(linear(a, b, 9), axis=1).min(), 3 / np.sqrt(2), rtol=1e-6)
    np.testing.assert_allclose(spherical(a, b, 3)[1], 3 * np.sqrt([0.5, 0.5, 0]), atol=1e-6)
    for end in (2 * a, -a, np.zeros(3), a):
        np.testing.assert_allclose(spherical(a, end, 4), linear(a, end, 4), atol=1e-6)


def test_an_attribute_vector_is_the_difference_and_its_error_that_of_means() -> None:
    rng = np.random.default_rng(0)
    estimates = []
    for _ in range(200):
        codes = Codes((rng.normal(size=(300, 2)) + np.repeat([[0, 0], [1, 0]], [200, 100], axis=0)).astype("f4"))
        found = attribute(codes, np.arange(200, 300), np.arange(200))
        estimates.append((found.vector, found.error, found.cosine))
    vectors, errors, cosines = (np.array(part) for part in zip(*estimates, strict=True))
    np.testing.assert_allclose(vectors.mean(axis=0), [1, 0], atol=0.03)
    np.testing.assert_allclose(errors.mean(axis=0), vectors.std(axis=0), rtol=0.15)
    assert found.known
    assert found.counts == (100, 200)
    assert 0.9 < np.mean(cosines) < 1
    np.testing.assert_allclose(found.along([1, 1], 3, 1.0), [1 - found.vector, [1, 1], 1 + found.vector], rtol=1e-5)


def test_groups_that_differ_by_chance_have_no_vector_to_speak_of() -> None:
    rng = np.random.default_rng(0)
    known = []
    for _ in range(200):
        codes = Codes(rng.normal(size=(90, 3)).astype("f4"))
        known.append(attribute(codes, np.arange(30), np.arange(30, 90)).known)
    assert 0.01 < np.mean(known) < 0.12, "one in twenty passes"


def test_attributes_of_groups_that_are_none_are_refused(pair: Codes) -> None:
    with pytest.raises(InputError, match="1 rows are with the attribute"):
        attribute(pair, np.array([1]), np.arange(5, 9))
    with pytest.raises(InputError, match="share no row"):
        attribute(pair, np.arange(5), np.arange(4, 9))


def test_codes_between_two_clusters_leave_the_data_and_rows_do_not(pair: Codes) -> None:
    far = leaving(pair, linear([-5, 0, 0], [5, 0, 0], 11))
    assert far[[0, -1]].tolist() == [False, False]
    assert far[4:-4].all()
    assert leaving(pair, pair.mean[:200].reshape(2, 100, 3)).mean() < 0.02
    scaled = Codes(pair.mean * [100, 1, 0.01])
    np.testing.assert_array_equal(leaving(scaled, linear([-500, 0, 0], [500, 0, 0], 11)), far)


def test_hidden_parts_and_row_ids() -> None:
    for part, rows in (("lower", [0, 0, 4, 4]), ("upper", [4, 4, 0, 0]), ("left", [2] * 4), ("middle", [0, 2, 2, 0])):
        assert hidden((1, 4, 4), part).sum(axis=1).tolist() == rows
    assert (hidden((3, 5, 5), "left") ^ hidden((3, 5, 5), "right")).all()
    with pytest.raises(InputError, match="known: left, lower"):
        hidden((1, 4, 4), "eyes")
    codes = toy_codes(4.0, 0)
    assert codes.position(17) == 17
    with pytest.raises(InputError, match="ids go from 0 to 767"):
        codes.position(768)
