"""Every metric stands on exactly one page of docs/scores, with its range and direction as declared."""

import re
from math import inf

import pytest
from conftest import ROOT
from declared import known_metrics

from latentlab.reports.references import cited
from latentlab.system.registry import names

PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs" / "scores").glob("*.md"))}
ENTRY = re.compile(
    r"^### `(\w+)`: .+\n\n\*(\S+) to (\S+), (higher|lower|neither direction) is better\.\* (.+)\n\n((?:(?!^#).*\n)+)",
    re.MULTILINE,
)
FOUND = [(page, *entry.groups()) for page, text in PAGES.items() for entry in ENTRY.finditer(text)]
KNOWN = known_metrics()


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("∞", "inf"))


def test_each_metric_is_documented_on_exactly_one_page():
    assert sorted(name for _, name, *_ in FOUND) == sorted(names("metrics"))
    assert sum(text.count("\n### ") for text in PAGES.values()) == len(FOUND), "an entry is not as the others are"
    assert number("−∞") == -inf


@pytest.mark.parametrize("entry", FOUND, ids=[name for _, name, *_ in FOUND])
def test_range_direction_and_source_are_those_declared(entry):
    _, name, low, high, better, source, text = entry
    metric = KNOWN[name]
    assert (number(low), number(high)) == metric.range
    assert {"higher": "higher", "lower": "lower", "neither direction": None}[better] == metric.better
    assert set(cited(source)) >= set(cited(metric.source))
    assert "**Fooled\nby**" in text or "**Fooled by**" in text
    assert "**Report**" in text


def test_the_overview_links_every_page():
    overview = (ROOT / "docs" / "scores.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\(scores/(\S+?\.md)\)", overview)) == set(PAGES)
