"""Dimensions are matched whatever their order, sign and scale; what has no like is left alone."""

import numpy as np
import pytest

from latentlab.codes.codes import Codes
from latentlab.codes.matching import alongside, match
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(2000, 4)).astype(np.float32)


def vae(mean: np.ndarray, **more: np.ndarray) -> Codes:
    """Codes with a posterior variance, so that activity counts."""
    return Codes(mean.astype(np.float32), np.full(mean.shape, 0.1, np.float32), **more)


def test_order_sign_and_any_monotone_scale_are_undone() -> None:
    other = np.column_stack([-Z[:, 2], np.exp(Z[:, 0]), 5 * Z[:, 3], -(Z[:, 1] ** 3)])
    found = match(vae(Z), vae(other)).set_index("a")
    assert found["b"].to_dict() == {0: 1, 1: 3, 2: 0, 3: 2}
    assert np.allclose(found["rho"].abs(), 1)
    assert (found.loc[[1, 2], "rho"] < 0).all()
    assert found["matched"].all()


def test_matching_is_symmetric() -> None:
    other = vae(Z + RNG.normal(size=Z.shape))
    one, two = match(vae(Z), other), match(other, vae(Z))
    assert {(r.a, r.b) for r in one.itertuples()} == {(r.b, r.a) for r in two.itertuples()}


def test_independent_codes_are_paired_but_not_matched() -> None:
    found = match(vae(Z), vae(RNG.normal(size=(2000, 4))))
    assert len(found) == 4
    assert not found["matched"].any()


def test_a_dead_dimension_takes_no_part_and_what_is_left_over_has_no_partner() -> None:
    dead = Z * np.array([1, 1, 0.001, 1])
    found = match(vae(Z), vae(dead))
    assert 2 not in set(found["b"])
    alone = found[found["b"] == -1]
    assert alone["a"].tolist() == [2]
    assert alone["rho"].isna().all()


def test_rows_are_joined_by_id() -> None:
    order = RNG.permutation(2000)
    found = match(vae(Z), vae(Z[order][:500], row_ids=order[:500]))
    assert found["a"].tolist() == found["b"].tolist()
    assert np.allclose(found["rho"], 1)
    assert found.attrs["rows"] == 500


def test_no_row_in_common_is_refused() -> None:
    with pytest.raises(InputError, match="in common"):
        match(vae(Z), vae(Z, row_ids=np.arange(2000) + 5000))


def test_several_runs_stand_beside_one_and_the_unpaired_at_the_end() -> None:
    one, three = vae(Z[:, ::-1]), vae(np.column_stack([Z[:, 1], RNG.normal(size=(2000, 1))]))
    table = alongside([match(vae(Z[:, :3]), other) for other in (one, three)])
    assert table["first"].tolist()[0] == 1, "the one that both match stands first"
    kept = table[table["first"] >= 0].set_index("first")
    assert kept["other1"].to_dict() == {0: 3, 1: 2, 2: 1}
    assert kept.loc[1, "other2"] == 0
    assert kept["matched2"].sum() == 1
    assert (kept["other2"] == -1).sum() == 1
    assert table[table["first"] < 0]["other1"].tolist() == [0]
