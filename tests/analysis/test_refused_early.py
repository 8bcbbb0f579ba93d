"""What a question refuses because of its data or its model, it refuses before a regressor is trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import latentlab as ll
from latentlab.errors import InputError


@pytest.mark.parametrize("number", [1, 2])
def test_too_few_rows_or_factors_are_refused_before_anything_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    rng = np.random.default_rng(0)
    known: dict[str, Any] = {"factors": {f"f{k}": rng.normal(size=60) for k in range(number)}}
    run = ll.train(
        ll.data.from_arrays(rng.normal(size=(60, 5)), **known), tmp_path / "run", steps=2, latent_dim=2, threads=1
    )
    data = ll.data.from_arrays(rng.normal(size=(60, 5)), **known)
    ll.encode(run, data)
    monkeypatch.setattr("latentlab.analysis.leakage.stage.learn", lambda *_, **__: pytest.fail("it was learnt"))
    with pytest.raises(InputError, match="60 rows have all factors known; swaps between rows need at least 128"):
        ll.intervene(run, data=data)
    if number == 1:
        with pytest.raises(InputError, match="has one known factor, f0; leakage is of one factor into another"):
            ll.leakage(run, data=data)
