"""Every metric has a card, and what the card claims holds on arrays made to break it."""

import json
from dataclasses import fields
from functools import cache
from typing import get_args

import numpy as np
import pytest

from latentlab.errors import InputError
from latentlab.metrics import _card
from latentlab.metrics import _worlds as worlds
from latentlab.metrics._card import ROWS, card, cards, measured, smallest_difference
from latentlab.metrics._estimators import unfinished_allowed
from latentlab.metrics._metric import Change, Metric
from latentlab.system.registry import load, names

MODULES = {name: load("metrics", name) for name in names("metrics")}
CLAIMS = [(name, change) for name, module in MODULES.items() for change in module.METRIC.unchanged_by]
CLOSE = 0.005  # trees decide ties by the order of dimensions, solvers stop early


def lacking(metric: Metric) -> list[str]:
    """The words of a card that a metric's declaration does not have."""
    return [key for key in ("assumes", "unchanged_by", "too_high", "too_low") if not getattr(metric, key)]


@pytest.mark.parametrize("name", MODULES)
def test_a_metric_declares_the_words_of_its_card(name):
    missing = lacking(MODULES[name].METRIC)
    assert not missing, f"add {', '.join(f'{key}=…' for key in missing)} to METRIC in latentlab/metrics/{name}.py"
    assert set(MODULES[name].METRIC.unchanged_by) <= set(get_args(Change))


def test_a_declaration_without_words_is_noticed():
    bare = Metric(title="Bare", needs="codes", range=(0, 1), better=None, source="this test", assumes="Nothing.")
    assert lacking(bare) == ["unchanged_by", "too_high", "too_low"]


@pytest.mark.parametrize("name", sorted(MODULES))
def test_a_metric_was_measured_in_its_present_version(name):
    version = measured(name).get("version")
    assert version == MODULES[name].METRIC.version, f"run: python benchmarks/cards.py --only {name}"
    assert all(measured(name)["changes"][change] <= CLOSE for change in MODULES[name].METRIC.unchanged_by)


@pytest.mark.parametrize("name", sorted(MODULES))
def test_what_was_measured_lies_in_the_declared_range(name):
    found, (low, high) = measured(name), MODULES[name].METRIC.range
    cases = [value for row in found["cases"].values() for value in row.values()]
    values = [*found["trajectory"], *found["rows"].values(), *found["noise"].values(), *cases]
    known = np.array([value for value in values if value is not None])
    assert len(known) >= 0.9 * len(values)
    assert low - 1e-9 <= known.min()
    assert known.max() <= high + 1e-9
    assert 0 <= found["discriminability"] <= 1
    assert found["smallest_difference"] >= 0


@pytest.mark.parametrize(("name", "change"), CLAIMS)
def test_a_change_that_a_card_claims_leaves_the_value_as_it_is(name, change):
    module = MODULES[name]
    for seed in range(2):
        args, before = unchanged(name, seed)
        other = worlds.changed(module.METRIC.needs, args, change, np.random.default_rng([10, seed]))
        with unfinished_allowed():
            after = getattr(module, name)(*other).value
        assert after == pytest.approx(before, abs=CLOSE)


@cache
def unchanged(name, seed):
    """What a metric is asked about, and its value; computed once for all changes."""
    module = MODULES[name]
    args = worlds.arguments(module.METRIC.needs, np.random.default_rng([9, seed]), 500, 0.6)
    with unfinished_allowed():
        return args, getattr(module, name)(*args).value


def test_a_card_without_measurements_says_so_in_words(monkeypatch):
    monkeypatch.setattr(_card, "measured", lambda name: {"version": 0})
    found = dict(card("mig").entries())
    assert found["assumes"] == MODULES["mig"].METRIC.assumes
    assert found["measured"] == "nothing of this version: python benchmarks/cards.py --only mig"
    assert smallest_difference("mig", ROWS) is None


def test_a_card_is_a_table_json_and_html():
    mig = card("mig")
    found = json.loads(json.dumps(mig.to_json()))
    assert found["measured"]["rows"] == dict(measured("mig")["rows"])
    assert {each.name for each in fields(Metric)} < set(found)
    entries = dict(mig.entries())
    assert entries["range"] == "0 to 1, higher is better"
    assert "rotations" in entries["changes with"]
    assert "rotations" not in entries["unchanged by"]
    assert mig._repr_html_().count("<tr>") >= len(entries)
    assert [each.name for each in cards()] == list(names("metrics"))
    with pytest.raises(InputError, match="did you mean 'mig'"):
        card("migg")


def test_differences_of_equal_codes_stay_below_the_smallest_reliable_one():
    """95 % should; of 60 pairs at 2,500 rows, where the bound is twice that at 10,000, at least 52 do."""
    for name in ("mig", "mcc", "modularity"):
        function, rows = getattr(MODULES[name], name), ROWS // 4
        limit = smallest_difference(name, rows)
        assert limit == pytest.approx(2 * measured(name)["smallest_difference"])
        values = [function(*worlds.stage(np.random.default_rng([11, s]), rows, 0.6)).value for s in range(120)]
        assert np.mean(np.abs(np.diff(np.reshape(values, (60, 2)))) <= limit) >= 52 / 60


def test_known_false_positives_and_negatives_are_measured():
    cases = {name: measured(name)["cases"]["independent"] for name in ("mig", "mcc", "r2", "dci", "infomec")}
    assert cases["infomec"]["gaussian"] > 0.4, "noise looks modular"
    assert cases["r2"]["mixed"] > 0.99
    assert cases["mcc"]["mixed"] < 0.8
    assert cases["mig"]["mixed"] < 0.15
    assert cases["dci"]["circled"] > 0.8
    assert cases["mig"]["circled"] < 0.3
    assert measured("mig")["cases"]["copied"]["scaled"] < cases["mig"]["scaled"] - 0.1
    assert measured("dci")["rows"]["300"] < 0.6 * measured("dci")["rows"]["10000"], "few rows lower it"
