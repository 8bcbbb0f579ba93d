import numpy as np
import pytest
from toy import toy_codes

from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import chance, dimensions, factors_of, knowledge, response, second_factors
from latentlab.data.dataset import Factor
from latentlab.errors import InputError


def test_kl_is_the_closed_form_and_the_sum_of_its_parts():
    codes = toy_codes(4.0, 0)
    table = dimensions(codes).set_index("index").sort_index()
    mu, var = codes.mean.astype(float), codes.variance.astype(float)
    np.testing.assert_allclose(table["kl_mean_part"], (0.5 * mu**2).mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(table["kl_variance_part"], (0.5 * (var - 1 - np.log(var))).mean(axis=0), rtol=1e-9)
    assert table["kl"].sum() == pytest.approx(codes.rate.astype(float).mean(), rel=1e-6)


def test_dimensions_are_ranked_by_kl_and_name_their_factor():
    table = dimensions(toy_codes(4.0, 0))
    assert (np.diff(table["kl"]) <= 0).all()
    top = table.set_index("dim")["top_factor"].to_dict()
    assert top == {"z0": "x", "z1": "y", "z2": "shape", "z3": None}
    assert table.set_index("dim")["active"].to_dict() == {"z0": True, "z1": True, "z2": True, "z3": False}


def test_an_autoencoder_has_no_kl_and_no_active_units_and_is_ranked_by_variance():
    table = dimensions(toy_codes(None, 0))
    assert table["kl"].isna().all()
    assert table["active"].isna().all()
    assert (np.diff(table["variance_of_mean"]) <= 0).all()
    assert table["share"].sum() == pytest.approx(1)
    assert "variance" in table.attrs["ranked_by"]


def test_the_table_does_not_depend_on_sign_or_order_of_dimensions():
    codes = toy_codes(4.0, 0)
    turned = Codes(-codes.mean[:, ::-1], codes.variance[:, ::-1], codes.factors, codes.specs)
    here, there = dimensions(codes), dimensions(turned)
    assert here["top_factor"].tolist() == there["top_factor"].tolist()
    np.testing.assert_allclose(here["kl"], there["kl"], rtol=1e-9)
    assert (here["index"] + there["index"] == 3).all()


@pytest.mark.parametrize("n", [200, 3000])
def test_codes_that_know_nothing_have_no_top_factor(n):
    named = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        factors = rng.integers(0, 40, (n, 2)).astype(float)
        specs = (Factor("a", "categorical", tuple(range(40))), Factor("b", "categorical", tuple(range(40))))
        codes = Codes(rng.normal(size=(n, 4)).astype("f4"), np.ones((n, 4), "f4"), factors, specs)
        named += dimensions(codes, seed=seed)["top_factor"].notna().sum()
    assert named <= 2  # of 20, where the null is exceeded in one of 20


def test_the_interval_covers_what_redraws_of_the_rows_give():
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 5, 40_000).astype(float)
    mean = (truth + rng.normal(size=truth.shape))[:, None].astype("f4")
    specs = (Factor("f", "ordinal", tuple(range(5))),)
    every = Codes(mean, np.ones_like(mean), truth[:, None], specs)
    row = dimensions(every.take(slice(0, 2000))).iloc[0]
    others = [knowledge(every.take(slice(s, s + 2000))).normalised[0, 0] for s in range(2000, 40_000, 2000)]
    width = 2 * 1.96 * np.std(others)
    assert row["mi_low"] < row["mi"] < row["mi_high"]
    assert 0.4 * width < row["mi_high"] - row["mi_low"] < 2.5 * width


def test_same_seed_same_table_and_large_codes_are_sampled():
    rng = np.random.default_rng(0)
    factors = rng.integers(0, 3, (3000, 1)).astype(float)
    mean = (factors + rng.normal(size=factors.shape)).astype("f4")
    codes = Codes(mean, np.ones_like(mean), factors, (Factor("f", "ordinal", (0, 1, 2)),))
    first, again, other = (dimensions(codes, rows=500, seed=seed) for seed in (1, 1, 2))
    assert first.equals(again)
    assert first["mi"][0] != other["mi"][0]
    assert (first.attrs["rows"], first.attrs["of_rows"]) == (500, 3000)


def test_an_inactive_dimension_has_no_top_factor_however_well_its_mean_tells_it():
    labels = np.arange(600) % 3
    mean = np.column_stack([labels, labels * 0.001]).astype("f4")
    table = dimensions(Codes(mean, np.ones_like(mean), labels=labels)).set_index("dim")
    assert table.loc["z0", "top_factor"] == "label"
    assert table.loc["z1", ["top_factor", "mi"]].isna().all()


def test_labels_count_as_a_factor_where_there_are_no_others():
    labels = np.arange(600) % 3
    codes = Codes(labels[:, None].astype("f4"), np.full((600, 1), 0.1, "f4"), labels=labels)
    assert dimensions(codes)["top_factor"].tolist() == ["label"]


def test_data_without_factors_and_factors_that_never_vary_or_are_missing():
    mean, variance = np.random.default_rng(0).normal(size=(50, 2)).astype("f4"), np.ones((50, 2), "f4")
    assert dimensions(Codes(mean, variance))["top_factor"].isna().all()
    odd = np.column_stack(
        [np.zeros(50), np.full(50, np.nan), np.arange(50) % 2, np.r_[np.full(25, np.nan), np.arange(25)]]
    )
    specs = tuple(Factor(name) for name in "abcd")
    codes = Codes(mean, variance, odd, specs)
    assert factors_of(codes)[1] == ("c", "d")
    assert len(dimensions(codes)) == 2


def test_notes_are_shown_and_one_row_is_refused():
    codes = toy_codes(4.0, 0)
    table = dimensions(codes, notes={"dimensions": {"0": {"name": "left to right", "note": "clear"}}})
    assert table.set_index("dim").loc["z0", "name"] == "left to right"
    with pytest.raises(InputError, match="1 row"):
        dimensions(codes.take([0]))


def test_response_is_the_mean_code_at_every_value():
    codes = toy_codes(4.0, 0)
    found = response(codes, "x")
    curve = found[found["dim"] == "z0"]
    expected = [codes.mean[codes.factors[:, 1] == level, 0].mean() for level in range(8)]
    np.testing.assert_allclose(curve["mean"], expected, rtol=1e-5)
    with pytest.raises(InputError, match="shape, x, y, angle"):
        response(codes, "hue")


def test_a_factor_of_few_rows_is_no_second_factor_by_chance_alone():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1500, 2)).astype("f4")
    few, other = rng.normal(size=1500), z[:, 0] + rng.normal(size=1500)
    few[30:] = np.nan
    specs = tuple(Factor(name, "continuous") for name in ("main", "few", "other"))
    for columns, expected in (((z[:, 0], few), [None, None]), ((z[:, 0], few, other), ["other", None])):
        codes = Codes(z, np.full(z.shape, 0.1, "f4"), factors=np.column_stack(columns), specs=specs[: len(columns)])
        assert chance(codes)[0, 1] > 0.3  # as much as the bins of 30 rows tell by themselves
        assert knowledge(codes).normalised[:, 1].max() < 0.15
        top = dimensions(codes).set_index("index")["top_factor"].sort_index().tolist()
        found = second_factors(codes, top)
        assert found["second_factor"].tolist() == expected
        assert np.isfinite(found["second_mi"]).tolist() == [name is not None for name in expected]


def test_what_a_dimension_knows_does_not_grow_as_fewer_rows_are_known():
    rng = np.random.default_rng(3)
    levels = rng.integers(0, 5, 4000).astype(float)
    z = np.column_stack([levels + 1.5 * rng.normal(size=4000), rng.normal(size=4000)]).astype("f4")
    specs = (Factor("f", "ordinal", tuple(range(5))),)

    def known(rows):
        column = np.where(rng.permutation(4000) < rows, levels, np.nan)
        return Codes(z, np.full(z.shape, 0.1, "f4"), column[:, None], specs)

    true = knowledge(known(4000)).normalised[:, 0]
    assert true[0] > 0.15
    assert true[1] < 0.01
    few = [knowledge(known(60)) for _ in range(8)]
    assert np.mean([each.plain for each in few], axis=0).min() > 0.2  # of both dimensions, by few rows alone
    some, none = np.mean([each.normalised for each in few], axis=0)[:, 0]
    assert 0.05 < some < true[0] + 0.02
    assert none < 0.05
    row = dimensions(known(200)).set_index("dim").loc["z0"]
    assert row["mi_low"] < row["mi"] < row["mi_high"]
    assert row["mi"] == pytest.approx(true[0], abs=0.1)
