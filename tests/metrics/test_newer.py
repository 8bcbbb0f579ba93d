"""Metrics of 2023 to 2025, each against its formula written out, or against its authors' worked examples."""

import itertools
import json

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_selection import mutual_info_regression
from sklearn.linear_model import LinearRegression

from latentlab.analysis.score.scoring import score
from latentlab.cli import run as cli
from latentlab.errors import InputError
from latentlab.metrics._processes import aggregated
from latentlab.metrics.dci import dci
from latentlab.metrics.dci_subspace import dci_subspace
from latentlab.metrics.factorised_support import distance, factorised_support
from latentlab.metrics.infomec_continuous import infomec_continuous
from latentlab.metrics.nk import nk
from latentlab.metrics.smi import smi
from latentlab.metrics.snc import snc
from latentlab.metrics.spn import spn
from latentlab.metrics.t_mex import t_mex


@pytest.fixture(scope="module")
def cells():
    """Three types of cells in unequal shares, two dimensions that know them and one of noise."""
    random = np.random.default_rng(3)
    v = random.choice(3, 500, p=[0.6, 0.3, 0.1])
    z = np.column_stack([v == 0, (v == 1) - 0.5 * (v == 2), np.zeros(500)]) + random.normal(scale=0.3, size=(500, 3))
    return z, v


# --- DRVI's aggregations and similarities -----------------------------------------------------------------------------


def test_aggregations_are_those_of_the_authors_worked_examples():
    """The examples of ``drvi.utils.metrics``: 4 dimensions, 3 categories."""
    first = np.array([[0.9, 0.1, 0.9], [0.1, 0.9, 0.1], [0.1, 0.1, 0.9], [0.1, 0.9, 0.1]])
    second = first.copy()
    second[0, 2] = 1.0
    found = aggregated([second], {})
    assert found.value == pytest.approx(0.9)
    assert aggregated([first], {}).parts["most_similar_averaging"] == pytest.approx(0.9)
    assert found.parts["most_similar_averaging"] == pytest.approx((0.9 + 0.9 + 1.0) / 3)
    assert found.parts["most_similar_gap"] == pytest.approx((0.8 + 0.0 + 0.1) / 3)
    split = aggregated([second[:, :1], second[:, 1:]], {})
    assert (split.value, split.parts) == (found.value, found.parts), "factors only group the processes"


def test_smi_is_information_on_one_level_against_the_rest_over_its_entropy(cells):
    z, v = cells
    expected = np.zeros((3, 3))
    for i, column in enumerate(z.T):
        edges = np.linspace(column.min(), column.max(), 11)[1:-1]
        for p in range(3):
            own = sklearn.metrics.mutual_info_score(v == p, v == p)
            expected[i, p] = sklearn.metrics.mutual_info_score(v == p, np.digitize(column, edges)) / own
    best = max(sum(expected[i, p] for p, i in enumerate(order)) for order in itertools.permutations(range(3)))
    found = smi(z, v)
    assert found.value == pytest.approx(best / 3, rel=1e-9)
    assert found.parts["most_similar_averaging"] == pytest.approx(expected.max(axis=0).mean(), rel=1e-9)
    np.testing.assert_allclose(found.matrix[:, 0], expected.mean(axis=1), rtol=1e-9)


def test_spn_counts_neighbours_of_one_level_above_chance(cells):
    z, v = cells
    expected = np.zeros((3, 3))
    for i, column in enumerate(z.T):
        ordered = v[np.argsort(column)]
        for p in range(3):
            rows, share = (v == p).sum(), (v == p).mean()
            both = ((ordered[1:] == p) & (ordered[:-1] == p)).sum()
            expected[i, p] = max(0, both / (rows - 1) - share) / (1 - share)
    best = max(sum(expected[i, p] for p, i in enumerate(order)) for order in itertools.permutations(range(3)))
    found = spn(z, v)
    assert found.value == pytest.approx(best / 3, rel=1e-9)
    gaps = np.diff(np.sort(expected, axis=0)[-2:], axis=0)
    assert found.parts["most_similar_gap"] == pytest.approx(gaps.mean(), rel=1e-9)


@given(st.integers(0, 10_000), st.integers(2, 5))
@settings(max_examples=20, deadline=None)
def test_equal_codes_have_the_mean_spn_of_their_orders(seed, values):
    """Neighbours of a level among tied codes: the closed form is the mean over random orders."""
    random = np.random.default_rng(seed)
    x, v = random.integers(0, values, 60).astype(float), random.integers(0, 2, 60)
    from latentlab.metrics.spn import _neighbours

    drawn = [_neighbours(x + random.uniform(0, 0.5, 60), v, 2) for _ in range(400)]
    error = 6 * np.std(drawn, axis=0) / 20 + 1e-9
    assert (np.abs(np.mean(drawn, axis=0) - _neighbours(x, v, 2)) <= error).all()


def test_spn_does_not_change_under_monotone_functions_and_ignores_rare_rows(cells):
    z, v = cells
    assert spn(np.exp(z) * [1, -1, 1], v).value == spn(z, v).value
    rare = v.copy()
    rare[0] = 9
    assert spn(z, rare).settings["processes"] == [3], "a level of one row has no neighbours"
    with pytest.raises(InputError, match="no level of any factor has two rows"):
        spn(z[:4], np.arange(4))


# --- SNC and NK -------------------------------------------------------------------------------------------------------


def test_snc_is_the_accuracy_of_bins_of_equal_counts_above_chance():
    random = np.random.default_rng(4)
    v = np.column_stack([random.integers(0, 4, 900), random.integers(0, 3, 900)])
    z = np.column_stack([v[:, 1], np.array([2, 0, 3, 1])[v[:, 0]], np.zeros(900)]) + random.normal(0, 0.35, (900, 3))
    train, test = slice(600), slice(600, None)
    expected = []
    for j, i, levels in ((0, 1, 4), (1, 0, 3)):  # the levels of the first are not in order: matched, not ranked
        dividers = np.sort(z[train, i])[(np.arange(levels) * 600 / levels).astype(int)][1:]
        bins, test_bins = (np.digitize(z[part, i], dividers) for part in (train, test))
        right = max(
            (np.mean(np.array(names)[bins] == v[train, j]), np.mean(np.array(names)[test_bins] == v[test, j]))
            for names in itertools.permutations(range(levels))
        )[1]
        chance = ((np.bincount(v[test, j]) / 300) ** 2).sum()
        expected.append((right - chance) / (1 - chance))
    found = snc(z[train], v[train], z[test], v[test])
    assert found.settings["assignment"] == {"0": 1, "1": 0}
    assert list(found.per_factor.values()) == pytest.approx(expected, rel=1e-9)


def test_a_dimension_that_mixes_two_factors_fails_snc_and_nk_but_not_a_classifier():
    """A dimension that a tree or network reads two binary factors off, four bands, holds neither by one cut."""
    random = np.random.default_rng(0)
    v = random.integers(0, 2, (900, 2))
    mixed = np.column_stack([2 * v[:, 0] + v[:, 1], v[:, 0] + 2 * v[:, 1]]) + random.normal(0, 0.05, (900, 2))
    parity = np.column_stack([v[:, 0] ^ v[:, 1], v[:, 0]]) + random.normal(0, 0.05, (900, 2))
    own = v + random.normal(0, 0.05, (900, 2))
    kept = {name: nk(z, v) for name, z in (("own", own), ("mixed", mixed))}
    assert kept["own"].value == pytest.approx(0.5, abs=0.06)
    assert kept["mixed"].value == pytest.approx(0.0, abs=0.02)
    assert kept["mixed"].parts["with_all"] > 0.98
    assert snc(own, v).value > 0.9
    assert snc(parity, v).value < 0.6


def test_a_factor_without_a_dimension_counts_nothing():
    v = np.stack(np.unravel_index(np.arange(120) % 60, (3, 4, 5)), axis=1)
    z = v[:, [2]].astype(float)
    assert snc(z, v, z, v).per_factor == pytest.approx({"0": 0, "1": 0, "2": 1})
    found = nk(z, v, z, v)
    assert found.per_factor["2"] > 0.5
    assert (found.per_factor["0"], found.per_factor["1"]) == (0, 0)


# --- factorised support -----------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.integers(2, 25))
@settings(max_examples=30, deadline=None)
def test_the_distance_is_that_of_every_combination_to_its_nearest_row(seed, rows):
    z = np.random.default_rng(seed).normal(size=(rows, 2)).round(1)
    nearest = [
        min(np.hypot(a - x, b - y) for x, y in z) for a, b in itertools.product(z[:, 0].tolist(), z[:, 1].tolist())
    ]
    assert distance(z) == pytest.approx(max(nearest), abs=1e-12)


def test_a_missing_corner_and_a_diagonal_are_as_far_as_geometry_says():
    square = np.array(list(itertools.product(np.linspace(0, 1, 11), repeat=2)))
    assert factorised_support(square).value == 0
    line = np.linspace(0, 1, 101)[:, None].repeat(2, axis=1)
    assert factorised_support(line).value == pytest.approx(np.sqrt(0.5), abs=0.01)
    corner = square[(square < 0.55).any(axis=1)]
    assert factorised_support(corner, batch=200).value == pytest.approx(0.5, abs=0.01)


def test_correlation_does_not_raise_the_distance_as_long_as_all_combinations_occur():
    random = np.random.default_rng(0)
    cells = np.array(list(itertools.product(range(4), repeat=2)), dtype=float)
    weights = np.exp(-((cells[:, 0] - cells[:, 1]) ** 2) / 3)
    drawn = cells[random.choice(16, 4000, p=weights / weights.sum())]
    assert np.corrcoef(drawn.T)[0, 1] > 0.4
    assert factorised_support(drawn, batch=2000).value == 0


def test_the_distance_has_no_units_and_says_what_shuffled_rows_reach():
    z = np.random.default_rng(0).normal(size=(600, 4))
    found = factorised_support(z)
    assert factorised_support(z * [1, -5, 100, 0.01] + 3).value == pytest.approx(found.value, rel=1e-9)
    assert abs(found.parts["excess"]) < 0.05
    assert found.parts["excess"] == pytest.approx(found.value - found.parts["shuffled"])
    tied = factorised_support(np.column_stack([z[:, 0], z[:, 0] + 0.05 * z[:, 1]]))
    assert tied.parts["excess"] > 0.2
    with pytest.raises(InputError, match="1 of 2 dimensions vary; a support needs at least two"):
        factorised_support(np.column_stack([z[:, 0], np.zeros(600)]))
    with pytest.raises(InputError, match="batch is 1 and batches is 2"):
        factorised_support(z, batch=1)


# --- DCI over subspaces -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def dial():
    """A circular factor as cosine and sine, one ordered factor, one dimension of nothing."""
    random = np.random.default_rng(0)
    v = np.column_stack([random.integers(0, 8, 600), random.integers(0, 4, 600)])
    angle = 2 * np.pi * v[:, 0] / 8
    return np.column_stack([np.cos(angle), np.sin(angle), v[:, 1], random.normal(size=600)]), v


def test_a_circular_factor_as_cosine_and_sine_is_complete(dial):
    z, v = dial
    found = dci_subspace(z, v, kinds=["circular", "ordinal"])
    assert found.value == pytest.approx(1, abs=0.01)
    assert found.settings["sizes"] == [2, 1]
    assert found.parts["completeness"] < 0.8
    assert found.parts["disentanglement"] == pytest.approx(1, abs=0.01)


def test_subspaces_of_one_are_dci_and_of_more_are_its_importances_added(dial):
    z, v = dial
    whole = dci(z, v)
    assert dci_subspace(z, v, sizes=[1, 1]).value == pytest.approx(whole.parts["completeness"], rel=1e-12)
    each = []
    for column in np.maximum(whole.matrix, 0).T:
        largest = np.sort(column)[-2:].sum()
        rest = np.sort(column)[:-2]
        each.append(1 - scipy.stats.entropy([largest, *rest], base=3))
    expected = np.average(each, weights=whole.matrix.sum(axis=0))
    assert dci_subspace(z, v, sizes=[2, 2]).value == pytest.approx(expected, abs=1e-8)


def test_sizes_must_fit(dial):
    z, v = dial
    with pytest.raises(InputError, match="sizes names 1 factors but factors has 2 columns"):
        dci_subspace(z, v, sizes=[2])
    with pytest.raises(InputError, match=r"sizes are \[4, 1\] of 4 dimensions; expected 1 to 3 per factor"):
        dci_subspace(z, v, sizes=[4, 1])


# --- InfoMEC of quantities --------------------------------------------------------------------------------------------


def test_infomec_of_quantities_is_information_over_that_of_the_factor_on_itself():
    random = np.random.default_rng(0)
    v = random.uniform(size=(700, 2))
    z = np.column_stack([np.tanh(3 * v[:, 0]), v[:, 1] + 0.3 * v[:, 0], 0.01 * random.normal(size=700)])
    train, test = slice(450), slice(450, None)
    x, y = (scipy.stats.zscore(part[train]) for part in (z[:, :2], v))
    share = np.zeros((2, 2))
    for j in range(2):
        own = mutual_info_regression(y[:, [j]], y[:, j], n_neighbors=10, random_state=0)[0]
        share[:, j] = mutual_info_regression(x, y[:, j], n_neighbors=10, random_state=0) / own
    found = infomec_continuous(z[train], v[train], z[test], v[test])
    assert "keeps 2 of 3" in found.settings["pruning"]
    np.testing.assert_allclose(found.matrix[:2], share, rtol=1e-9)
    assert not found.matrix[2].any()
    assert found.value == pytest.approx(2 * np.mean(share.max(axis=1) / share.sum(axis=1)) - 1)
    assert found.parts["compactness"] == pytest.approx(2 * np.mean(share.max(axis=0) / share.sum(axis=0)) - 1)
    linear = LinearRegression().fit(z[train], v[train])
    expected = [sklearn.metrics.r2_score(v[part], linear.predict(z[part])) for part in (train, test)]
    assert [found.parts["explicitness_train"], found.parts["explicitness"]] == pytest.approx(expected, rel=1e-9)


def test_infomec_of_noise_is_far_from_nothing_as_its_page_says():
    random = np.random.default_rng(0)
    found = [infomec_continuous(random.normal(size=(1000, 5)), random.uniform(size=(1000, 5))) for _ in range(4)]
    assert 0.4 < np.mean([each.value for each in found]) < 0.8
    assert abs(np.mean([each.parts["explicitness"] for each in found])) < 0.05


def test_infomec_of_a_circular_quantity_predicts_its_cosine_and_sine():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, size=(500, 2))
    z = np.concatenate([np.cos(angle), np.sin(angle)], axis=1)
    assert infomec_continuous(z, angle, kinds=["circular"] * 2).parts["explicitness"] == pytest.approx(1)
    assert infomec_continuous(z, angle).parts["explicitness"] < 0.8


def test_infomec_of_too_few_labels_is_refused():
    random = np.random.default_rng(0)
    v = random.uniform(size=(60, 2))
    v[:36, 0] = np.nan
    with pytest.raises(InputError, match=r"a factor has \d+ labels; 30 neighbours need more, or give fewer"):
        infomec_continuous(random.normal(size=(60, 2)), v, neighbours=30)


# --- T-MEX ------------------------------------------------------------------------------------------------------------


def test_the_statistic_is_the_projected_covariance_measure():
    """Written out with scikit-learn's regressions on powers of the factors, one pair of dimension and factor."""
    random = np.random.default_rng(0)
    v = random.normal(size=(400, 3))
    v[:, 1] += v[:, 0]
    z = np.column_stack([v[:, 0] + 0.2 * v[:, 1] ** 2, v[:, 1]]) + random.normal(size=(400, 2))
    train, test = slice(250), slice(250, None)
    powers = np.stack([v, v**2, v**3], axis=2)
    expected = np.zeros((2, 3))
    for i, j in itertools.product(range(2), range(3)):
        every, others = powers.reshape(400, -1), np.delete(powers, j, axis=1).reshape(400, -1)
        whole = LinearRegression().fit(every[train], z[train, i])
        part = LinearRegression().fit(others[train], z[train, i])
        added = whole.predict(every[test]) - part.predict(others[test])
        left, right = (y - LinearRegression().fit(others[test], y).predict(others[test]) for y in (z[test, i], added))
        expected[i, j] = np.sqrt(150) * np.mean(left * right) / np.std(left * right)
    found = t_mex(z[train], v[train], z[test], v[test])
    np.testing.assert_allclose(found.matrix, expected, rtol=1e-5, atol=1e-5)
    given_model = [[1, 1, 0], [0, 1, 0]]
    wrong = (expected > scipy.stats.norm.ppf(0.95)) != np.array(given_model, bool)
    assert t_mex(z[train], v[train], z[test], v[test], adjacency=given_model).value == wrong.sum()


@pytest.mark.parametrize("law", ["levels", "quantities", "correlated"])
def test_a_faithful_code_is_rejected_as_often_as_the_level_says_and_a_mixed_one_always(law):
    """3 factors in 4 dimensions: 9 independences, of which one in twenty is rejected; a full mixture breaks 6."""
    spurious, mixed = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        v = (
            random.integers(0, (3, 4, 5), size=(600, 3)).astype(float)
            if law == "levels"
            else random.normal(size=(600, 3))
        )
        v[:, 1] += 0.8 * v[:, 0] if law == "correlated" else 0
        own = v / v.std(axis=0)
        z = np.column_stack([own, np.zeros(600)]) + 0.5 * random.normal(size=(600, 4))
        found = t_mex(z, v)
        assert found.parts["missed"] == 0
        spurious.append(found.parts["spurious"])
        mixed.append(t_mex(np.tanh(own @ (np.eye(3) + 0.3)), v).value)
    assert np.mean(spurious) == pytest.approx(9 * 0.05, abs=4 * np.sqrt(0.45 / 60))
    assert np.mean(mixed) > 5.9


def test_what_is_correlated_but_does_not_depend_is_not_counted():
    random = np.random.default_rng(1)
    v = random.normal(size=(2000, 2))
    v[:, 1] = 0.9 * v[:, 0] + 0.5 * v[:, 1]
    z = v + 0.3 * random.normal(size=(2000, 2))
    assert abs(np.corrcoef(z[:, 0], v[:, 1])[0, 1]) > 0.8
    assert t_mex(z, v).value == 0


def test_t_mex_of_fewer_dimensions_counts_what_is_left_out():
    v = np.random.default_rng(0).integers(0, 4, size=(600, 3))
    found = t_mex(v[:, :1].astype(float), v)
    assert (found.value, found.parts["missed"], found.per_factor["0"]) == (2, 2, 0)


def test_t_mex_refuses_what_it_cannot_test():
    v = np.random.default_rng(0).integers(0, 4, size=(600, 3))
    z = v.astype(float)
    with pytest.raises(InputError, match=r"adjacency has shape \(2, 2\); expected \(3, 3\)"):
        t_mex(z, v, adjacency=np.eye(2))
    with pytest.raises(InputError, match="level is 1; expected a number above 0 and below 1"):
        t_mex(z, v, level=1.0)
    with pytest.raises(InputError, match=r"12 \+ 6 rows have all labels; regressions on \d+ columns need at least"):
        t_mex(z[:18], v[:18])


# --- all of them ------------------------------------------------------------------------------------------------------

NEWER = ("smi", "spn", "snc", "nk", "factorised_support", "dci_subspace", "infomec_continuous", "t_mex")


def test_the_command_line_and_the_scoring_of_arrays_know_them(tmp_path, capsys):
    v = np.stack(np.unravel_index(np.arange(180) % 60, (3, 4, 5)), axis=1)
    z = v + np.random.default_rng(0).normal(scale=0.2, size=v.shape)
    np.savez(tmp_path / "arrays.npz", codes=z, factors=v)
    args = ["score", "--codes", str(tmp_path / "arrays.npz"), "--metric", ",".join(NEWER), "--json"]
    assert cli([*args, "--resamples", "3"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert set(shown["scores"]) == set(NEWER)
    found = score(z, v, metrics=NEWER).scores
    assert {name: each.value for name, each in found.items()} == {
        name: pytest.approx(shown["scores"][name]["value"], rel=1e-12) for name in NEWER
    }
    slow = [name for name in NEWER if "resample-slow" in shown["scores"][name]["missing"].get("interval", "")]
    assert slow == ["snc", "nk", "dci_subspace", "infomec_continuous", "t_mex"]


def test_nulls_of_a_score_where_lower_is_better_are_their_low_end():
    v = np.random.default_rng(0).integers(0, 3, size=(300, 3))
    z = v + np.random.default_rng(1).normal(scale=0.3, size=v.shape)
    found = score(z, v, metrics=["t_mex"], resamples=20, resample_slow=True).scores["t_mex"]
    for kind in ("permuted", "rotated"):
        assert found.value < found.nulls[kind] <= found.nulls[f"{kind}_mean"]
