"""The further metrics, each against an independent implementation or a closed form."""

import itertools

import numpy as np
import pytest
import scipy.spatial
import scipy.stats
import sklearn.manifold
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Lasso, LinearRegression

from latentlab.errors import InputError
from latentlab.metrics.active_units import active_units
from latentlab.metrics.cka import cka
from latentlab.metrics.dci_es import explicitness_of
from latentlab.metrics.dcimig import dcimig
from latentlab.metrics.dimension_types import dimension_types
from latentlab.metrics.explicitness import explicitness
from latentlab.metrics.index_code_mi import index_code_mi
from latentlab.metrics.infomec import infomec
from latentlab.metrics.irs import irs
from latentlab.metrics.jemmig import jemmig
from latentlab.metrics.knn_probe import knn_probe
from latentlab.metrics.knn_recall import knn_recall
from latentlab.metrics.linear_probe import linear_probe
from latentlab.metrics.mcc import mcc
from latentlab.metrics.mcc_held_out import mcc_held_out
from latentlab.metrics.med import med
from latentlab.metrics.mig import mig
from latentlab.metrics.mig_sup import mig_sup
from latentlab.metrics.procrustes import procrustes
from latentlab.metrics.projection_continuity import projection_continuity
from latentlab.metrics.r2 import r2
from latentlab.metrics.rate import rate
from latentlab.metrics.rmig import rmig
from latentlab.metrics.sap import sap
from latentlab.metrics.trustworthiness import trustworthiness
from latentlab.metrics.udr import udr


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(5)
    v = random.integers(0, 5, size=(800, 3))
    mixed = v @ np.array([[1.0, 0.2, 0, 0], [0.1, 1, 0, 0], [0, 0.3, 1, 0.8]])
    return mixed + random.normal(scale=0.4, size=(800, 4)), v


@pytest.fixture(scope="module")
def tables(rows):
    """Information, factor entropies and joint entropies on 10 bins, by scikit-learn and SciPy, pair by pair."""
    z, v = rows
    bins = [np.digitize(c, np.histogram(c, 10)[1][:-1]) for c in z.T]
    mutual = np.array([[sklearn.metrics.mutual_info_score(f, b) for f in v.T] for b in bins])
    entropy = np.array([scipy.stats.entropy(np.bincount(f)) for f in v.T])
    joint = np.array(
        [[scipy.stats.entropy(sklearn.metrics.cluster.contingency_matrix(f, b).ravel()) for f in v.T] for b in bins]
    )
    return mutual, entropy, joint


def test_jemmig(rows, tables):
    mutual, entropy, joint = tables
    expected = []
    for j in range(3):
        first, second = np.argsort(-mutual[:, j])[:2]
        loss = joint[first, j] - mutual[first, j] + mutual[second, j]
        expected.append(1 - loss / (entropy[j] + np.log(10)))
    assert jemmig(*rows).value == pytest.approx(np.mean(expected), rel=1e-9)


def test_jemmig_takes_the_most_compact_of_dimensions_that_know_as_much_in_any_order():
    random = np.random.default_rng(0)
    v = np.stack([random.integers(0, levels, 999) for levels in (2, 3)], axis=1).astype(float)
    z = np.hstack([v, 10 * v + random.uniform(0, 8, v.shape)])
    found = jemmig(z, v)
    entropy = np.array([scipy.stats.entropy(np.bincount(f.astype(int))) for f in v.T])
    assert found.value == pytest.approx(np.mean(1 - entropy / (entropy + np.log(10))), rel=1e-9)
    assert found.settings["version"] == 2
    for order in ([1, 0, 3, 2], [2, 3, 0, 1], [3, 1, 2, 0]):
        assert jemmig(z[:, order], v).value == pytest.approx(found.value, rel=1e-9)


def test_dcimig(rows, tables):
    mutual, entropy, _ = tables
    best = dict.fromkeys(range(3), 0.0)
    for line in mutual:
        j = int(np.argmax(line))
        best[j] = max(best[j], line[j] - max(np.delete(line, j)))
    assert dcimig(*rows).value == pytest.approx(sum(best.values()) / entropy.sum(), rel=1e-9)


def test_mig_sup(rows, tables):
    mutual, entropy, _ = tables
    share = np.sort(mutual / entropy, axis=1)
    assert mig_sup(*rows).value == pytest.approx(np.mean(share[:, -1] - share[:, -2]), rel=1e-9)


def test_rmig_of_a_sure_posterior_is_mig_and_of_a_vague_one_integrates_it(rows):
    z, v = rows
    assert rmig(z, v).value == mig(z, v, bins=10).value
    # Against brute force: many samples of each posterior, binned by the same edges.
    variance = np.full(z.shape, 0.3)
    sample = z[None] + np.sqrt(0.3) * np.random.default_rng(0).normal(size=(400, *z.shape))
    expected = np.zeros((4, 3))
    for i in range(4):
        edges = np.histogram_bin_edges(z[:, i], 10)[1:-1]
        bins = np.digitize(sample[:, :, i], edges).ravel()
        expected[i] = [sklearn.metrics.mutual_info_score(np.tile(f, 400), bins) for f in v.T]
    np.testing.assert_allclose(rmig(z, v, variance=variance).matrix, expected, atol=4e-3)


@given(st.integers(0, 1000), st.integers(3, 25), st.sampled_from(["continuous", "circular"]))
@settings(max_examples=20, deadline=None)
def test_rmig_as_the_variance_vanishes_is_mig_with_its_bins_for_the_factors_too(seed, bins, kind):
    random = np.random.default_rng(seed)
    v = random.uniform(0, 2 * np.pi, size=(400, 2))
    z = v @ random.normal(size=(2, 3)) + 0.1 * random.normal(size=(400, 3))
    limit = mig(z, v, bins=bins, kinds=[kind] * 2)
    found = rmig(z, v, variance=np.full(z.shape, 1e-24), bins=bins, kinds=[kind] * 2)
    assert found.value == pytest.approx(limit.value, abs=0.02)  # a code on a bin's edge has half its mass on each side
    np.testing.assert_allclose(found.matrix, limit.matrix, atol=0.02)


def test_med(rows):
    z, v = rows
    mutual = mig(z, v, bins=20).matrix
    share = mutual / mutual.sum(axis=0)
    each = [1 - scipy.stats.entropy(line, base=3) for line in share]
    assert med(z, v).value == pytest.approx(np.average(each, weights=share.sum(axis=1)), rel=1e-6)


def test_infomec_of_known_shares(rows):
    z, v = rows
    found = infomec(z[:500], v[:500], z[500:], v[500:], estimator="binned")
    share = mig(z[:500], v[:500], bins=20).matrix / [scipy.stats.entropy(np.bincount(f)) for f in v[:500].T]
    expected = np.mean(share.max(axis=1) / share.sum(axis=1))
    assert found.value == pytest.approx((expected - 1 / 3) / (2 / 3), rel=1e-9)
    compact = np.mean(share.max(axis=0) / share.sum(axis=0))
    assert found.parts["compactness"] == pytest.approx((compact - 1 / 4) / (3 / 4), rel=1e-9)
    assert 0.5 < found.parts["explicitness"] <= found.parts["explicitness_train"] <= 1


def test_infomec_leaves_out_dimensions_of_small_range(rows):
    z, v = rows
    narrow = np.column_stack([z, 0.01 * z[:, 0]])
    assert infomec(narrow, v, estimator="binned").value == infomec(z, v, estimator="binned").value


def test_infomec_of_too_few_rows_is_refused_in_a_line():
    v = np.stack([np.arange(12), np.arange(12)[::-1]], axis=1)
    with pytest.raises(InputError, match="factor 0 of factors has no value twice"):
        infomec(v.astype(float), v)
    with pytest.raises(InputError, match="have none of its values in the training rows"):
        infomec(v.astype(float), v, estimator="binned")


def test_irs_of_float32_codes_far_from_0(rows):
    z, v = np.tile(rows[0], (10, 1)), np.tile(rows[1], (10, 1))
    codes = (z + 1e5).astype(np.float32)
    assert irs(codes, v).value == pytest.approx(irs(codes.astype(np.float64) - 1e5, v).value, abs=1e-6)


def test_irs_tells_apart_more_bins_than_16_bits_count() -> None:
    rng = np.random.default_rng(0)
    codes, factor = rng.normal(size=(400, 2)), np.repeat(rng.permutation(200_000)[:200], np.tile([1, 3], 100))
    _, level = np.unique(factor, return_inverse=True)
    assert irs(codes, factor[:, None], bins=199_999).value == irs(codes, level[:, None], bins=200).value


def test_mcc(rows):
    z, v = rows
    matrix = np.abs([[np.corrcoef(c, f)[0, 1] for f in v.T] for c in z.T])
    best = max(np.mean([matrix[a, 0], matrix[b, 1], matrix[c, 2]])
               for a in range(4) for b in range(4) for c in range(4) if len({a, b, c}) == 3)  # fmt: skip
    assert mcc(z, v).value == pytest.approx(best, rel=1e-9)
    ranks = scipy.stats.spearmanr(z[:, 0], v[:, 0]).statistic
    assert mcc(z, v, method="spearman").matrix[0, 0] == pytest.approx(abs(ranks), rel=1e-9)


def test_mcc_on_held_out_rows_is_that_of_the_pairs_that_were_chosen_on_others(rows):
    z, v = rows
    found = mcc_held_out(z[:500], v[:500], z[500:], v[500:])
    chosen = {int(f): i for f, i in mcc(z[:500], v[:500]).settings["assignment"].items()}
    each = []
    for factor, dimension in chosen.items():
        train, test = (
            np.corrcoef(z[part, dimension], v[part, factor])[0, 1] for part in (slice(500), slice(500, None))
        )
        each.append((abs(test), np.sign(train) * test))
    assert [found.value, found.parts["signed"]] == pytest.approx(np.mean(each, axis=0), rel=1e-9)
    assert found.parts["train"] == pytest.approx(mcc(z[:500], v[:500]).value, rel=1e-9)


def test_mcc_on_held_out_rows_of_noise_is_small_on_average_however_many_dimensions():
    random = np.random.default_rng(0)
    noise = [(random.normal(size=(150, 40)), random.normal(size=(150, 3))) for _ in range(150)]
    found = [mcc_held_out(z, v) for z, v in noise]
    signed = [each.parts["signed"] for each in found]
    assert abs(np.mean(signed)) < 4 * np.std(signed) / np.sqrt(len(found))
    assert np.mean([each.value for each in found]) == pytest.approx(np.sqrt(2 / np.pi / 50), rel=0.1)
    assert np.mean([mcc(z, v).value for z, v in noise]) > 0.15, "which takes the best of 40"


def test_r2(rows):
    z, v = rows
    model = LinearRegression().fit(z[:500], v[:500])
    expected = sklearn.metrics.r2_score(v[500:], model.predict(z[500:]))
    assert r2(z[:500], v[:500], z[500:], v[500:]).value == pytest.approx(expected, rel=1e-9)


def test_r2_of_a_circular_factor_needs_no_cut():
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 600)
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert r2(z, angle, kinds=["circular"]).value == pytest.approx(1)
    assert r2(z, angle, kinds=["continuous"]).value < 0.8


@given(
    st.integers(2, 60), st.integers(1, 5), st.integers(-50, 50), st.floats(-np.pi, np.pi), st.booleans(), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_r2_of_circular_levels_is_that_of_their_angles(levels, step, start, phase, turned, missing):
    """Cosine and sine of equal steps round the circle, whatever numbers the levels have: a perfect code."""
    index = np.tile(np.arange(levels), 12)
    angle = 2 * np.pi * index / levels + phase
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ (np.array([[2.0, 1], [0, 3]]) if turned else np.eye(2))
    v = (start + step * index).astype(float)
    v[np.random.default_rng(levels).integers(0, levels * 12, 12 if missing else 0)] = np.nan
    assert r2(z, v, kinds=["circular"]).value == pytest.approx(1)
    assert r2(z[:-levels], v[:-levels], z[-levels:], v[-levels:], kinds=["circular"]).value == pytest.approx(1)


def test_r2_of_forty_circular_levels_read_as_numbers_is_far_from_one():
    index = np.tile(np.arange(40), 30)
    angle = 2 * np.pi * index / 40
    z = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert r2(z, index, kinds=["circular"]).value == pytest.approx(1)
    assert r2(z, index, kinds=["ordinal"]).value < 0.7
    assert r2(z, index, kinds=["circular"]).settings["version"] == 2


@pytest.mark.parametrize("scale", [1e-30, 1e12, 1e30])
def test_r2_does_not_depend_on_the_scale_of_the_code(rows, scale):
    z, v = rows
    for dtype in (np.float32, np.float64):
        found = r2((z * scale + 10 * scale).astype(dtype), v).value
        assert found == pytest.approx(r2(z, v).value, abs=1e-4)


@pytest.mark.parametrize("kind", ["ordinal", "categorical"])
def test_sap_of_levels_that_are_no_whole_numbers(rows, kind):
    z, v = rows
    expected = sap(z, v, kinds=[kind] * 3)
    found = sap(z, v * 0.3 + 0.1, kinds=[kind] * 3)
    np.testing.assert_array_equal(found.matrix, expected.matrix)


def test_one_value_among_the_test_rows_is_said_to_leave_a_score_undefined(rows):
    z, v = rows
    v = np.column_stack([v[:, 0], np.arange(800) == 3])
    for metric in (explicitness, r2):
        found = metric(z[:500], v[:500], z[500:], v[500:])
        assert np.isnan(found.value)
        assert found.settings["undefined"] == "the test rows have one value of factor 1"


def test_explicitness_of_known_curves():
    falling = np.linspace(0.8, 0.2, 9)
    assert explicitness_of(falling, 0.8) == pytest.approx(0)
    assert explicitness_of(np.full(9, 0.2), 0.8) == 1
    assert explicitness_of(np.full(9, 0.8), 0.8) == 0
    late = np.array([0.8] * 8 + [0.2])
    assert explicitness_of(late, 0.8) == pytest.approx(-1 + 2 / 16)


def test_probes(rows):
    z, v = rows
    for probe in (linear_probe, knn_probe):
        found = probe(z[:500], v[:500, 0], z[500:], v[500:, 0])
        assert found.value > found.parts["chance"] + 0.2
        assert probe(z[:500], v[:500, 0], z[500:], v[500:, 0]).value == found.value


def test_active_units_and_types():
    z = np.random.default_rng(0).normal(size=(500, 3)) * [1, 0.2, 0.05]
    assert active_units(z).value == 2
    variance = np.ones((500, 3)) * [0.1, 1, 0.1]
    variance[::2, 2] = 1.0
    assert dimension_types(z, variance).settings["types"] == ["active", "passive", "mixed"]


def test_rate_is_the_closed_form():
    import torch

    random = np.random.default_rng(0)
    mean, variance = random.normal(size=(50, 4)), random.uniform(0.1, 2, size=(50, 4))
    q = torch.distributions.Normal(torch.tensor(mean), torch.tensor(variance).sqrt())
    p = torch.distributions.Normal(torch.zeros(()).double(), torch.ones(()).double())
    expected = torch.distributions.kl_divergence(q, p).mean(dim=0).numpy()
    found = rate(mean, variance)
    np.testing.assert_allclose(found.matrix[:, 0], expected, rtol=1e-12)
    assert found.parts["means"] + found.parts["variances"] == pytest.approx(found.value)


def test_index_code_mi_of_separate_and_of_equal_posteriors():
    separate = index_code_mi(np.linspace(-100, 100, 200)[:, None], np.full((200, 1), 1e-4))
    assert separate.value == pytest.approx(np.log(200), abs=0.02)
    # A Gaussian channel: means N(0, a), noise 1 − a, so q(z) is the prior and I = −½ log(1 − a) a dimension.
    random = np.random.default_rng(1)
    a = 0.75
    mean = np.sqrt(a) * random.normal(size=(4000, 2))
    found = index_code_mi(mean, np.full(mean.shape, 1 - a), rows=2000)
    assert found.value == pytest.approx(-np.log(1 - a), abs=0.1)
    assert found.parts["total_correlation"] == pytest.approx(0, abs=0.1)
    assert found.parts["dimension_wise_kl"] == pytest.approx(0, abs=0.1)
    weighted = [value for key, value in found.parts.items() if key.startswith("weighted")]
    stratified = [found.parts[key] for key in ("mutual_information", "total_correlation", "dimension_wise_kl")]
    assert sum(weighted) == pytest.approx(sum(stratified), rel=1e-9)  # both add up to the sampled rate


def test_index_code_mi_is_that_of_the_whole_aggregate_where_no_row_is_left_out():
    # Neighbouring rows alike, as in a grid: each pair tells log 2 less than single rows would.
    mean = np.repeat(np.linspace(-300, 300, 200), 2)[:, None]
    found = index_code_mi(mean, np.full(mean.shape, 1e-3))
    assert found.value == pytest.approx(np.log(200), abs=1e-6)


def test_posterior_errors():
    with pytest.raises(InputError, match="values ≤ 0"):
        rate(np.zeros((3, 2)), -np.ones((3, 2)))
    with pytest.raises(InputError, match="mean has shape"):
        rate(np.zeros((3, 2)), np.ones((3, 1)))


def test_similarity_of_runs(rows):
    z, _ = rows
    turned = z @ scipy.stats.ortho_group.rvs(4, random_state=0) * 3 + 1
    other = np.random.default_rng(1).normal(size=z.shape)
    for metric in (cka, procrustes):
        assert metric([z, turned]).value == pytest.approx(1)
        assert metric([z, other]).value < 0.1
    centred = [x - x.mean(axis=0) for x in (z, other[:, :3] + z[:, :3])]
    gram = [x @ x.T for x in centred]
    hsic = np.sum(gram[0] * gram[1]) / np.sqrt(np.sum(gram[0] ** 2) * np.sum(gram[1] ** 2))
    assert cka(centred).value == pytest.approx(hsic, rel=1e-9)
    *_, disparity = scipy.spatial.procrustes(z, z + other)
    assert procrustes([z, z + other]).value == pytest.approx(1 - disparity, rel=1e-9)


def authors_udr(runs, kl, method):
    """Scores of runs as disentanglement_lib computes them, element by element: a run's is the median of its column."""
    masks = [rate > 0.01 for rate in kl]
    scored = [(x - x.mean(axis=0)) / x.std(axis=0) * mask for x, mask in zip(runs, masks, strict=True)]
    pairs = np.zeros((len(runs), len(runs)))
    for a, b in itertools.permutations(range(len(runs)), 2):
        if method == "lasso":
            relation = np.array([np.abs(Lasso(alpha=0.1).fit(scored[a], y).coef_) for y in scored[b].T]).T
        else:
            relation = np.array([[abs(scipy.stats.spearmanr(x, y).statistic) for y in runs[b].T] for x in runs[a].T])
        relation = relation[masks[a]][:, masks[b]]
        lines = [[max(c) ** 2 / sum(c) if sum(c) > 0 else 0 for c in each] for each in (relation.T, relation)]
        pairs[a, b] = np.mean([np.mean(each) for each in lines])
    return [np.median(np.delete(pairs[:, b], b)) for b in range(len(runs))]


@pytest.mark.parametrize("method", ["lasso", "spearman"])
def test_udr_is_the_authors_loop(rows, method):
    z, _ = rows
    random = np.random.default_rng(2)
    runs = [z, z[:, ::-1] + random.normal(scale=0.5, size=z.shape), random.normal(size=(800, 3))]
    kl = [np.array([1, 1, 0.001, 1]), np.ones(4), np.array([0.5, 0, 0.5])]
    expected = authors_udr(runs, kl, method)
    found = udr(runs, kl, method=method)
    np.testing.assert_allclose([found.parts[f"run_{r}"] for r in range(3)], expected, rtol=1e-9)
    assert found.value == pytest.approx(np.mean(expected), rel=1e-9)
    assert found.settings["version"] == 2


@given(st.integers(0, 1000), st.sampled_from(["lasso", "spearman"]))
@settings(max_examples=15, deadline=None)
def test_a_dead_dimension_takes_no_part_in_udr(seed, method):
    """Whatever a dimension without KL holds, a copy of an active one even, the score is that of the others."""
    random = np.random.default_rng(seed)
    base = random.normal(size=(200, 3))
    runs = [base @ random.normal(size=(3, 3)) + 0.3 * random.normal(size=base.shape) for _ in range(3)]
    dead = [np.column_stack([run, run[:, 0] + 1e-3 * random.normal(size=200)]) for run in runs]
    kl = [np.array([1.0, 1, 1, 0])] * 3
    found = udr(dead, kl, method=method).parts
    alone = udr(runs, [each[:3] for each in kl], method=method).parts
    np.testing.assert_allclose(list(found.values()), list(alone.values()), atol=1e-9)


def test_udr_errors(rows):
    with pytest.raises(InputError, match="at least two"):
        udr([rows[0]])
    with pytest.raises(InputError, match="rows; encode the same rows"):
        udr([rows[0], rows[0][:10]])
    with pytest.raises(InputError, match="one value per dimension"):
        udr([rows[0], rows[0]], kl=[np.ones(4), np.ones(3)])


def test_faithfulness_of_a_projection(rows):
    z = rows[0][:300]
    xy = z[:, :2] + np.random.default_rng(0).normal(scale=0.3, size=(300, 2))
    expected = sklearn.manifold.trustworthiness(z, xy, n_neighbors=15)
    assert trustworthiness(z, xy).value == pytest.approx(expected, rel=1e-9)
    assert projection_continuity(z, xy).value == pytest.approx(
        sklearn.manifold.trustworthiness(xy, z, n_neighbors=15), rel=1e-9
    )
    near, far = (scipy.spatial.cKDTree(x).query(x, k=16)[1][:, 1:] for x in (z, xy))
    recall = np.mean([len(set(a) & set(b)) / 15 for a, b in zip(near, far, strict=True)])
    assert knn_recall(z, xy).value == pytest.approx(recall, rel=1e-9)


def test_projection_errors(rows):
    with pytest.raises(InputError, match="give the rows that were projected"):
        knn_recall(rows[0], rows[0][:5, :2])
    with pytest.raises(InputError, match="neighbours < rows / 2"):
        knn_recall(rows[0][:20], rows[0][:20, :2], neighbours=15)


def test_a_mistyped_kind_is_named() -> None:
    codes = np.random.default_rng(0).normal(size=(60, 2))
    with pytest.raises(InputError, match="no kind of factor is called 'circle'; did you mean 'circular'"):
        mig(codes, np.arange(60)[:, None] % 5, kinds=("circle",))
