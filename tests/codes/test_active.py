"""One rule says which dimensions are in use, wherever it is asked; rows and ids are found in one way."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latentlab.analysis.debias.measure import commonness
from latentlab.analysis.probe.measure import few_label_curve
from latentlab.analysis.score.calls import Material
from latentlab.analysis.score.nulls import active_dimensions
from latentlab.codes.codes import Codes
from latentlab.codes.dimensions import dimensions
from latentlab.codes.h5ad import load_codes, read_summary, save_codes
from latentlab.codes.matching import match
from latentlab.errors import InputError

SPREADS = np.array([1.0, 0.2, 0.05, 0.0, 1e-3])


def codes_of(stochastic: bool, offset: float = 0.0) -> Codes:
    """Five dimensions of known spread, the fourth of none."""
    normal = np.random.default_rng(0).normal(size=(400, len(SPREADS)))
    normal = (normal - normal.mean(axis=0)) / normal.std(axis=0)
    mean = (normal * SPREADS + offset).astype(np.float32)
    return Codes(mean, np.full_like(mean, 0.5) if stochastic else None)


@pytest.mark.parametrize(("stochastic", "expected"), [(True, [1, 1, 0, 0, 0]), (False, [1, 1, 1, 0, 1])])
@pytest.mark.parametrize("offset", [0.0, 3.0])
def test_all_who_ask_agree(tmp_path, stochastic, expected, offset):
    codes, positions = codes_of(stochastic, offset), np.flatnonzero(expected).tolist()
    assert codes.active.astype(int).tolist() == expected
    for mean in (codes.mean, codes.mean.astype(np.float64)):
        assert active_dimensions(Material(mean, variance=codes.variance)).astype(int).tolist() == expected
    assert list(commonness(codes).dimensions) == positions
    paired = match(codes, codes)
    assert sorted(paired["a"]) == positions
    few = few_label_curve(replace(codes, labels=np.arange(400) % 2), sizes=[5], draws=2)
    assert few.dimensions == len(positions)
    save_codes(tmp_path / "codes.h5ad", codes)
    assert load_codes(tmp_path / "codes.h5ad").active.astype(int).tolist() == expected
    units = read_summary(tmp_path / "codes.h5ad")["active_units"]
    table = dimensions(codes).sort_values("index")["active"]
    assert units == (sum(expected) if stochastic else None)
    assert table.isna().all() if not stochastic else table.astype(int).tolist() == expected


@given(scales=st.lists(st.floats(1e-6, 1e6), min_size=5, max_size=5))
def test_the_scale_of_a_deterministic_code_changes_nothing(scales):
    codes = codes_of(stochastic=False)
    assert (Codes(codes.mean * np.float32(scales)).active == codes.active).all()


@given(rows=st.integers(1, 40), count=st.integers(1, 50), seed=st.integers(0, 2**31))
def test_a_sample_is_seeded_in_order_and_without_repeats(rows, count, seed):
    codes = Codes(np.zeros((rows, 1), np.float32), row_ids=np.arange(rows)[::-1] * 3)
    some = codes.sample(count, seed)
    assert len(some) == min(rows, count)
    assert len(set(some.row_ids.tolist())) == len(some)
    assert (np.diff(codes.positions(some.row_ids)) > 0).all()
    assert (some.row_ids == codes.sample(count, seed).row_ids).all()
    for row_id in some.row_ids:
        assert codes.row_ids[codes.position(row_id)] == row_id
    with pytest.raises(InputError, match="no row has the id 1;"):
        codes.position(1)
