"""Pictures are laid over one another whatever their turn, mirror and scale; shared neighbours are counted."""

import numpy as np
import pytest

from latentlab.codes.alignment import aligned, overlap, shared_row
from latentlab.codes.codes import Codes
from latentlab.codes.projections import Projection
from latentlab.errors import InputError

RNG = np.random.default_rng(0)
Z = RNG.normal(size=(400, 3)).astype("f4")
XY = RNG.normal(size=(300, 2)).astype("f4") * [3, 1]
TURN = np.array([[0.6, -0.8], [-0.8, -0.6]])  # a rotation and a mirror


def picture(xy, rows=None):
    return Projection(np.asarray(xy, np.float32), np.arange(len(xy)) if rows is None else rows)


def test_turn_mirror_scale_and_shift_are_undone():
    first, second = aligned([picture(XY), picture(XY @ TURN * 5 + [7, -2])])
    np.testing.assert_allclose(second.xy, first.xy, atol=1e-4)
    assert second.settings["aligned"] == pytest.approx(1)


def test_a_picture_of_other_rows_is_cut_to_those_in_common_in_one_order():
    order = RNG.permutation(300)[:120]
    first, second = aligned([picture(XY), picture(XY[order], rows=order)])
    assert first.row_ids.tolist() == second.row_ids.tolist() == sorted(order)
    np.testing.assert_allclose(second.xy, first.xy, atol=1e-4)
    with pytest.raises(InputError, match="0 rows in common"):
        aligned([picture(XY), picture(XY, rows=np.arange(1000, 1300))])


def test_unrelated_pictures_keep_their_spread_and_are_said_to_be_unlike():
    _, second = aligned([picture(XY), picture(RNG.normal(size=XY.shape))])
    assert second.settings["aligned"] < 0.1
    assert second.xy.var(axis=0).sum() == pytest.approx(XY.var(axis=0).sum(), rel=1e-4)


def test_a_picture_without_any_spread_has_no_agreement():
    assert np.isnan(aligned([picture(XY), picture(np.ones_like(XY))])[1].settings["aligned"])


def test_neighbours_are_kept_by_a_rotation_and_lost_by_noise():
    turned = Codes((Z @ np.linalg.qr(RNG.normal(size=(3, 3)))[0]).astype("f4"))
    ids = np.arange(400)
    assert overlap(Codes(Z), turned, ids).mean > 0.99
    other = overlap(Codes(Z), Codes(RNG.normal(size=Z.shape).astype("f4")), ids)
    assert other.mean == pytest.approx(other.chance, abs=0.02)
    assert other.share.shape == (400,)
    assert other.chance == pytest.approx(15 / 399)


def test_a_row_that_all_have_is_found():
    a, b = Codes(Z, row_ids=np.arange(400)), Codes(Z[:100], row_ids=np.arange(300, 400))
    assert shared_row([a, b], 350) == 350
    assert 300 <= shared_row([a, b], 3) < 400
    assert shared_row([a, Codes(Z, row_ids=np.arange(400, 800))], 3) is None
