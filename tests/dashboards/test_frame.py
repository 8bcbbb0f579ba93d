"""The frame of the dashboard: its history, its links, its words for those who do not see it, narrow screens."""

from __future__ import annotations

import pytest
from browser import Visit

pytestmark = pytest.mark.browser

LENGTH = "history.length"


def test_every_act_is_one_entry_of_the_history_and_back_undoes_it(visit: Visit) -> None:
    page = visit.open("?run=beta-4-seed-0")
    at_first = page.evaluate(LENGTH)
    for name, heading in (("β sweep", "Effect of β"), ("Dimensions", "What each dimension does")):
        page.get_by_role("link", name=name).click()
        page.wait_for_selector(f"h1:has-text('{heading}')")
        visit.settle()
    assert page.evaluate(LENGTH) == at_first + 2
    first, second = (row.get_attribute("data-key") for row in page.locator("tr[data-key]").all()[1:3])
    page.get_by_role("button", name="Copy link").first.wait_for()  # the same script listens to the rows
    for dim in (first, second):
        page.click(f"tr[data-key='{dim}']")
        page.wait_for_selector(f"h2:has-text('{dim} in detail')")
        visit.settle()
    assert page.evaluate(LENGTH) == at_first + 4
    page.go_back()
    page.wait_for_selector(f"h2:has-text('{first} in detail')")
    visit.settle()
    assert f"dim={first}" in page.url
    page.go_back()
    page.go_back()
    page.wait_for_selector("h1:has-text('Effect of β')")
    assert page.evaluate(LENGTH) == at_first + 4


def test_the_first_page_has_a_path_of_its_own_and_tabs_say_what_they_show(visit: Visit) -> None:
    page = visit.open("runs?run=beta-4-seed-1")
    assert page.locator("[role=dialog]").count() == 0, "streamlit's word for a page that it does not know"
    assert page.title() == "Runs · β = 4 · seed 1 · study"
    page.get_by_role("link", name="Map").click()
    page.wait_for_selector("h1:has-text('Map')")
    visit.settle()
    assert page.title() == "Map · β = 4 · seed 1 · study"


def test_what_a_link_asks_for_and_is_not_there_is_said(visit: Visit) -> None:
    page = visit.open("dimensions?run=nope&dim=z99&range=<b>far</b>")
    said = page.locator(".ll-notice").all_inner_texts()
    assert said[0] == "run 'nope' is not in this study; showing β = 1 · seed 0."
    assert said[1] == "range '<b>far</b>' is not among the choices here; showing prior."
    assert said[2].startswith("dim 'z99' is not among the choices here; showing z")
    page.get_by_role("link", name="Map").click()
    page.wait_for_selector("h1:has-text('Map')")
    visit.settle()
    assert page.locator(".ll-notice").count() == 0, "it is said once"
