"""Labels that are missing, grids with holes and labels alone: every metric answers, or says what it lacks."""

import numpy as np
import pytest
from declared import known_metrics

from latentlab.analysis.score.profiles.dlib import PROTOCOLS
from latentlab.analysis.score.scoring import score
from latentlab.system.registry import names

KNOWN = known_metrics()
SIZES = (3, 4, 5)
OUTSIDE = {"runs": "needs the codes of several runs", "projection": "needs a projection"}


def rows(repeats=6):
    levels = np.tile(np.stack(np.unravel_index(np.arange(60), SIZES), axis=1), (repeats, 1)).astype(float)
    noise = np.random.default_rng(0).normal(scale=0.2, size=(len(levels), 4))
    return np.column_stack([levels, np.zeros(len(levels))]) + noise, levels


def holes(z, v):
    """Rows of a grid from which combinations are missing, each level still seen."""
    kept = (v.sum(axis=1) % 3 != 1) | (v[:, 0] == 0)
    return z[kept], v[kept]


def nan_labels(z, v):
    v = v.copy()
    v[::7, 1] = np.nan
    v[::11] = np.nan
    return z, v


def whole_column_missing(z, v):
    return z, np.column_stack([v, np.full(len(v), np.nan)])


def label_alone(z, v):
    return z, v[:, :1]


def label_alone_with_gaps(z, v):
    v = v[:, :1].copy()
    v[::5] = np.nan
    return z, v


def no_labels(z, v):
    return z, None


SITUATIONS = (holes, nan_labels, whole_column_missing, label_alone, label_alone_with_gaps, no_labels)
COMPARES = {
    "beta_vae",
    "dci",
    "dci_subspace",
    "dcimig",
    "factor_vae",
    "infomec",
    "infomec_continuous",
    "med",
    "mig_sup",
    "modularity",
}  # factors with each other


@pytest.fixture(scope="module", params=SITUATIONS, ids=lambda each: each.__name__)
def answer(request):
    z, v = request.param(*rows())
    kinds = None if v is None else ["categorical"] * v.shape[1]
    found = score(z, v, variance=np.full(z.shape, 0.04), kinds=kinds, metrics=names("metrics"))
    return request.param.__name__, found


@pytest.mark.parametrize("name", KNOWN)
def test_every_metric_answers_or_says_what_it_lacks(answer, name):
    situation, found = answer
    metric = KNOWN[name]
    if metric.needs in OUTSIDE:
        assert OUTSIDE[metric.needs] in found.skipped[name]
    elif situation == "no_labels" and metric.needs not in ("codes", "posterior"):
        assert found.skipped[name] == "needs factors; none were given"
    elif situation.startswith("label_alone") and name in COMPARES:
        assert (
            "one factor was given" in found.skipped[name]
            or "two of each" in found.skipped[name]
            or ("at least two dimensions and two factors" in found.skipped[name])
        )
    else:
        low, high = metric.range
        assert low <= found.scores[name].value <= high
        assert name not in found.skipped


def test_a_factor_without_any_label_is_left_out_by_name():
    z, v = whole_column_missing(*rows())
    found = score(z, v, factor_names=["a", "b", "c", "empty"], metrics=list(PROTOCOLS)[:1])
    assert found.scores["mig"].settings["factors_left_out"] == ["empty"]
    assert set(found.scores["mig"].per_factor) == {"a", "b", "c"}


def test_rows_without_a_label_count_for_nothing():
    z, v = rows()
    some = nan_labels(z, v)[1]
    known = ~np.isnan(some).any(axis=1)
    both = [score(*pair, metrics=["mig"]).scores["mig"] for pair in ((z[known], some[known]), (z, some))]
    assert both[0].value == pytest.approx(both[1].value, abs=0.05)
