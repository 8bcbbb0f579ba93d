"""Laws that hold for every metric in the folder that reads codes and factors; a new file is picked up by itself."""

import doctest
import importlib
from functools import cache

import numpy as np
import pytest
from numpy.random import RandomState

from latentlab.errors import InputError
from latentlab.metrics._arrays import split_rows
from latentlab.metrics._draws import draw_alike, draw_pairs
from latentlab.system.registry import load, names

MODULES = {name: load("metrics", name) for name in names("metrics")}
SUPERVISED = [n for n, m in MODULES.items() if m.METRIC.needs in ("rows", "split", "draws", "labels")]
LOOSE = {
    "dci": 0.03, "dci_es": 0.25, "infomec": 0.03, "sap": 5e-3, "explicitness": 2e-3, "beta_vae": 0.02,
    "dci_subspace": 0.03, "infomec_continuous": 0.03, "nk": 0.06, "snc": 0.01,
}  # fmt: skip
SCALE_MATTERS = {"sap", "factor_vae", "beta_vae"}  # C, threshold and the logistic penalty are in the codes' units
# What perfect codes reach (the least): a one-versus-rest line on one dimension cannot single out a middle level, nor
# 15 neighbours agree where a cell holds 5 training rows. A level each for three dimensions is all that 12 levels get;
# without its dimension a factor is still guessed; bins of equal counts merge tied levels of unequal shares.
CEILING = {
    "sap": 0.2, "dci_es": -1.0, "jemmig": 0.7, "linear_probe": 0.7, "knn_probe": 0.8,
    "smi": 0.24, "spn": 0.24, "nk": 0.6, "snc": 0.3, "t_mex": 0.0,
}  # fmt: skip
# A constant code has a small joint entropy, which JEMMIG rewards; the others sit at chance.
FLOOR = {"jemmig": 0.65, "explicitness": 0.5, "beta_vae": 0.6, "linear_probe": 0.5, "knn_probe": 0.5, "t_mex": -3.0}
# How far a few rows less move a value: one test in twenty rejects by chance, and noise has its modularity by chance.
FEWER = {"infomec_continuous": 0.2, "t_mex": 2.0}
SIZES = (3, 4, 5)


def call(name, z, v, seed=0):
    """The metric as ``ll.metrics.NAME(codes, factors)``, interventions fewer than by default."""
    module = MODULES[name]
    extra = {}
    if module.METRIC.needs == "draws":
        random, draw = RandomState(seed), draw_pairs if name == "beta_vae" else draw_alike
        extra = {"draws": draw(v, 400, 32, random), "test_draws": draw(v, 300, 32, random)}
    return getattr(module, name)(z, v, **extra)


def worth(name, z, v):
    """The value, higher is better."""
    value = call(name, z, v).value
    return -value if MODULES[name].METRIC.better == "lower" else value


def grid(repeats=8):
    return np.tile(np.stack(np.unravel_index(np.arange(60), SIZES), axis=1), (repeats, 1)).astype(float)


def noisy(seed=0, scale=0.25):
    random, v = np.random.default_rng(seed), grid()
    return np.column_stack([v, np.zeros(len(v))]) + random.normal(scale=scale, size=(len(v), 4)), v


@cache
def found(name):
    """What a metric says of `noisy` codes; computed once for all laws."""
    return call(name, *noisy())


@pytest.mark.parametrize("name", SUPERVISED)
def test_perfect_codes_reach_the_ceiling(name):
    assert worth(name, grid(), grid()) >= CEILING.get(name, 0.95)


@pytest.mark.parametrize("name", SUPERVISED)
def test_constant_codes_lie_at_the_floor(name):
    assert worth(name, np.full((480, 3), 0.7), grid()) <= FLOOR.get(name, 0.0) + 1e-9


@pytest.mark.parametrize("name", SUPERVISED)
def test_order_and_sign_of_dimensions_do_not_matter(name):
    z, v = noisy()
    turned = z[:, [2, 0, 3, 1]] * np.array([-1, 1, -1, 1])
    assert call(name, turned, v).value == pytest.approx(found(name).value, abs=LOOSE.get(name, 1e-9))


@pytest.mark.parametrize("name", [name for name in SUPERVISED if name not in SCALE_MATTERS])
def test_scale_does_not_matter(name):
    z, v = noisy()
    assert call(name, 4.0 * z, v).value == pytest.approx(found(name).value, abs=LOOSE.get(name, 1e-9))


@pytest.mark.parametrize("name", ["mig", "rmig", "sap", "jemmig"])
def test_a_duplicated_dimension_closes_the_gap(name):
    z, v = noisy()
    assert call(name, np.column_stack([z, z[:, 2]]), v).value < found(name).value - 0.02


@pytest.mark.parametrize("name", SUPERVISED)
def test_permuted_factors_land_within_the_null(name):
    z, v = noisy()
    orders = [np.random.default_rng(seed).permutation(len(v)) for seed in range(9)]
    first, *null = (worth(name, z, v[order]) for order in orders)
    assert abs(first - np.mean(null)) <= 6 * np.std(null) + 1e-3
    value = found(name).value
    assert first < (-value if MODULES[name].METRIC.better == "lower" else value)


@pytest.mark.parametrize("name", SUPERVISED)
def test_same_seed_same_bits(name):
    assert call(name, *noisy()).to_json() == found(name).to_json()


@pytest.mark.parametrize("name", SUPERVISED)
def test_a_dimension_that_varies_by_rounding_alone_is_answered(name):
    z, v = noisy()
    z[:, 3] = 0.5
    z[::2, 3] += 6e-8  # one step of float32: no 10 bins fit between
    wide = z.astype(np.float32).astype(np.float64)
    assert len(np.unique(wide[:, 3])) == 2
    assert call(name, z.astype(np.float32), v).value == pytest.approx(call(name, wide, v).value, abs=0.03)


@pytest.mark.parametrize("name", SUPERVISED)
def test_missing_labels_are_left_out(name):
    z, v = noisy()
    v[::9, 1] = np.nan
    assert call(name, z, v).value == pytest.approx(found(name).value, abs=FEWER.get(name, 0.1))


@pytest.mark.parametrize("name", SUPERVISED)
@pytest.mark.parametrize("kind", ["shape", "nan", "one row", "one value", "mismatch"])
def test_clear_errors(name, kind):
    z, v = noisy()
    wrong = {
        "shape": ((z[:, 0], v), r"codes has shape \(480,\); expected \(n, d\)"),
        "nan": ((np.where(np.arange(4) == 2, np.nan, z), v), "NaN or infinity in 480 of 480 rows"),
        "one row": ((z[:1], v[:1]), "1 row; a score needs at least two"),
        "one value": ((z, np.zeros((480, 2))), r"factor 0 of factors has one value \(0\)"),
        "mismatch": ((z[:400], v), "codes has 400 rows but factors has 480; were both made from the same split"),
    }
    arrays, message = wrong[kind]
    function = getattr(MODULES[name], name)
    with pytest.raises(InputError, match=message) as error:
        function(*arrays)
    assert len(str(error.value)) < 200


@pytest.mark.parametrize("name", [name for name in SUPERVISED if MODULES[name].METRIC.needs in ("split", "labels")])
def test_a_part_without_labels_or_of_one_value_is_refused_in_a_line(name):
    z, v = noisy()
    train, test = split_rows(len(z), 0)
    alone, gone = v.copy(), v.copy()
    alone[:, 1] = 0
    alone[test[0], 1] = 1
    gone[test, 1] = np.nan
    function = getattr(MODULES[name], name)
    with pytest.raises(InputError, match=r"factor 1 of the training factors has one value \(0\)"):
        function(z, alone)
    for arrays in ((z, gone), (z[train], gone[train], z[test], gone[test])):
        with pytest.raises(InputError, match="factor 1 of test factors is NaN in every row"):
            function(*arrays)


@pytest.mark.parametrize("name", MODULES)
def test_a_metric_declares_itself_and_is_found(name):
    module = importlib.import_module(f"latentlab.metrics.{name}")
    low, high = module.METRIC.range
    assert low < high
    assert module.METRIC.title
    assert module.METRIC.source
    assert "References\n" in getattr(module, name).__doc__
    examples = doctest.testmod(module)
    assert examples.attempted > 0
    assert examples.failed == 0
