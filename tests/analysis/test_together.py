"""Metrics that take the same redraws are computed together, and none of them is any different for it."""

from typing import Any

import numpy as np
import pytest

from latentlab.analysis.score import scored
from latentlab.analysis.score.scoring import score
from latentlab.errors import InputError
from latentlab.metrics.modularity import modularity
from latentlab.system.registry import load

SIZES = (3, 4, 40)
RANDOM = np.random.default_rng(0)
LEVELS = np.stack(np.unravel_index(np.arange(480), SIZES), axis=1).astype(float)
CODES = np.column_stack([LEVELS + RANDOM.normal(scale=0.3, size=LEVELS.shape), np.full(480, 2.5), LEVELS[:, 0] - 0.5])
MISSING = np.where(RANDOM.random(LEVELS.shape) < 0.2, np.nan, LEVELS)
FAST = ["mig", "unsupervised", "irs", "modularity", "mig_sup", "jemmig", "dcimig", "med", "rmig", "smi"]

CASES: dict[str, dict[str, Any]] = {
    "grid": {"codes": CODES.astype(np.float32), "grid": SIZES},
    "missing": {"codes": CODES, "factors": MISSING},
    "variance": {"codes": CODES, "factors": LEVELS, "variance": np.full(CODES.shape, 0.02)},
    "test": {"codes": CODES[::2], "factors": MISSING[::2], "test": (CODES[1::2], MISSING[1::2])},
    "one dimension": {"codes": CODES[:, :1], "factors": LEVELS},
    "one factor": {"codes": CODES, "factors": LEVELS[:, :1]},
    "no factor": {"codes": CODES},
    "many rows": {"codes": np.tile(CODES, (30, 1)), "factors": np.tile(MISSING, (30, 1))},
}


@pytest.mark.parametrize("case", CASES)
def test_together_or_alone_gives_the_same_bits(case: str) -> None:
    together = score(**CASES[case], metrics=FAST, resamples=3)
    turned = score(**CASES[case], metrics=FAST[::-1], resamples=3)
    alone = [score(**CASES[case], metrics=[name], resamples=3) for name in FAST]
    expected = {name: each for one in alone for name, each in one.to_json(timings=False)["scores"].items()}
    assert together.to_json(timings=False)["scores"] == turned.to_json(timings=False)["scores"] == expected
    assert together.skipped == {name: why for one in alone for name, why in one.skipped.items()}


def test_redraws_are_drawn_once_and_their_seconds_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, list[str]]] = []
    one = scored._try_together

    def noted(leader: scored.Scored, together: Any, key: str, *rest: Any) -> None:
        tried.append((key, [each.name for each in together]))
        one(leader, together, key, *rest)

    monkeypatch.setattr(scored, "_try_together", noted)
    found = score(CODES, grid=SIZES, metrics=["mig", "modularity", "irs", "unsupervised", "sap"], resamples=20)
    assert [(key, sorted(names)) for key, names in tried] == [
        ("interval", ["irs", "mig", "modularity", "unsupervised"]),
        ("permuted", ["irs", "mig", "modularity"]),
        ("rotated", ["mig", "modularity"]),
        ("rotated", ["irs"]),
    ]
    assert all(seconds > 0 for seconds in found.seconds.values())
    assert found.seconds["modularity"] < found.seconds["irs"]


def test_a_metric_that_fails_on_redraws_takes_no_fellow_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(10_000))

    def brittle(*args: Any, **options: Any) -> Any:
        if next(calls) % 40 == 13:
            raise InputError("this redraw fails")
        return modularity(*args, **options)

    sound = score(CODES, grid=SIZES, metrics=["mig", "modularity"], resamples=40).scores["mig"]
    monkeypatch.setattr(load("metrics", "modularity"), "modularity", brittle)
    found = score(CODES, grid=SIZES, metrics=["mig", "modularity"], resamples=40).scores
    assert found["mig"].to_json() == sound.to_json()
    assert found["modularity"].settings["failed_redraws"] == {"interval": 1, "permuted": 1, "rotated": 1}
    assert "failed_redraws" not in found["mig"].settings
