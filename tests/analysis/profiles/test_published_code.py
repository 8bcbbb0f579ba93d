"""Profiles named after published code give what that code gives, by independent loops over pairs of columns."""

import numpy as np
import pytest
from scipy.stats import entropy
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, mutual_info_score
from sklearn.preprocessing import StandardScaler, minmax_scale

from latentlab.analysis.score.scoring import score


def arrays(seed, n=1500):
    """Mixed codes of two continuous factors and an unbalanced class."""
    random = np.random.default_rng(seed)
    v = np.column_stack([random.uniform(size=(n, 2)), random.choice(3, n, p=[0.8, 0.15, 0.05])])
    z = v @ random.normal(size=(3, 4)) + 0.2 * random.normal(size=(n, 4))
    return z, v


def ubisoft_tables(z, v):
    """Information, joint entropy (d, k), entropies of codes and of factors, all on ten bins of the scaled columns."""
    edges = np.linspace(0, 1, 11)[:-1]
    cut = np.digitize(minmax_scale(z), edges)
    levels = np.column_stack([np.digitize(minmax_scale(v[:, :2]), edges), v[:, 2].astype(int)])
    mutual = np.array([[mutual_info_score(f, c) for f in levels.T] for c in cut.T])
    code, factor = ([entropy(np.unique(column, return_counts=True)[1]) for column in part.T] for part in (cut, levels))
    joint = np.array([[a + b for b in factor] for a in code]) - mutual
    return mutual, joint, np.array(code), np.array(factor)


def gap(column):
    first, second = np.sort(column)[[-1, -2]]
    return first - second


@pytest.mark.parametrize("seed", range(3))
def test_ubisoft_code_is_their_loops(seed):
    z, v = arrays(seed)
    mutual, joint, code, factor = ubisoft_tables(z, v)
    over = mutual / code[:, None]
    best = mutual.argmax(axis=0)
    loss = [joint[best[j], j] - gap(mutual[:, j]) for j in range(3)]
    credited = [max((gap(row) for row in mutual if row.argmax() == j), default=0.0) for j in range(3)]
    others = [(np.sort(row)[:-1] ** 2).sum() / row.max() ** 2 / 2 for row in mutual]
    expected = {
        "mig": np.mean([gap(column) for column in over.T]),
        "mig_sup": np.mean([gap(row) for row in over]),
        "jemmig": np.mean([1 - each / (h + np.log(10)) for each, h in zip(loss, factor, strict=True)]),
        "dcimig": sum(credited) / factor.sum(),
        "modularity": np.mean([1 - each for each in others]),
    }
    found = score(z, v, kinds=["continuous", "continuous", "categorical"], profile="ubisoft_code").scores
    assert {name: each.value for name, each in found.items()} == pytest.approx(expected, abs=1e-9)
    assert found["mig"].settings["over"] == "entropy of the code"


def test_the_definition_and_the_code_of_ubisoft_differ_in_what_they_divide_by():
    z, v = arrays(0)
    code, definition = (score(z, v, metrics=["mig", "jemmig"], profile=each) for each in ("ubisoft_code", "ubisoft"))
    assert abs(code.scores["mig"].value - definition.scores["mig"].value) > 0.01
    assert code.scores["jemmig"].value == definition.scores["jemmig"].value
    assert definition.scores["mig"].settings["profile"] == "ubisoft@2"


def infomec_code(z, v):
    """InfoM, InfoC and InfoE of the authors' file: a row of ``share`` is a factor."""
    classes = [np.unique(column, return_inverse=True)[1] for column in v.T]
    scaled = StandardScaler().fit_transform(z)
    share = np.array(
        [
            [
                mutual_info_classif(c[:, None], y, discrete_features=False, n_neighbors=10, random_state=0)[0]
                / mutual_info_score(y, y)
                for c in scaled.T
            ]
            for y in classes
        ]
    )
    span = np.ptp(z, axis=0)
    kept = share[:, span > span.max() / 20]
    sharp = [(kept.max(axis=axis) / kept.sum(axis=axis)).mean() for axis in (0, 1)]
    modular, compact = ((s - 1 / n) / (1 - 1 / n) for s, n in zip(sharp, kept.shape, strict=True))
    explicit = []
    for y in classes:
        losses = []
        for x in (scaled, np.zeros_like(z)):
            model = LogisticRegression(C=np.inf, class_weight="balanced", solver="lbfgs", tol=1e-4, max_iter=100)
            losses.append(log_loss(y, model.fit(x, y).predict_proba(x)))
        explicit.append(1 - losses[0] / losses[1])
    return modular, compact, np.mean(explicit)


def infomec_arrays(seed, n=900):
    """Unbalanced classes, and a dimension that an eighth of the range prunes and a 20th does not."""
    random = np.random.default_rng(seed)
    v = np.column_stack([random.choice(3, n, p=[0.85, 0.1, 0.05]), random.choice(4, n), random.choice(2, n)])
    z = v @ random.normal(size=(3, 3)) + 0.3 * random.normal(size=(n, 3))
    return np.column_stack([z, 0.1 * z[:, 0] * np.ptp(z) / np.ptp(z[:, 0]) + 0.01 * random.normal(size=n)]), v


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")  # their solver stops at 100 steps
@pytest.mark.parametrize("seed", range(3))
def test_infomec_code_is_their_file(seed):
    z, v = infomec_arrays(seed)
    found = score(z, v, test=(z, v), profile="infomec_code").scores["infomec"]
    parts = [found.parts[name] for name in ("modularity", "compactness", "explicitness_train")]
    np.testing.assert_allclose(parts, infomec_code(z, v), atol=2e-4)
    assert found.settings["profile"] == "infomec_code@1"
    plain = score(z, v, test=(z, v), metrics=["infomec"]).scores["infomec"]
    assert plain.settings["pruning"] != found.settings["pruning"]
    assert plain.parts["explicitness"] != pytest.approx(found.parts["explicitness"], abs=1e-4)
