"""The frame of the dashboard: its history, its links, its words for those who do not see it, narrow screens."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Visit

pytestmark = pytest.mark.browser

LENGTH = "history.length"


def test_every_act_is_one_entry_of_the_history_and_back_undoes_it(visit: Visit) -> None:
    page = visit.open("?run=beta-4-seed-0")
    at_first = page.evaluate(LENGTH)
    for name, heading in (("β sweep", "What β costs"), ("Dimensions", "What each dimension does")):
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
    page.wait_for_selector("h1:has-text('What β costs')")
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
    page.locator(".ll-notice").nth(2).wait_for()
    said = page.locator(".ll-notice").all_inner_texts()
    assert said[0] == "run 'nope' is not in this study; showing β = 1 · seed 0."
    assert "range '<b>far</b>' is not among the choices here; showing prior." in said
    assert any(each.startswith("dim 'z99' is not among the choices here; showing z") for each in said)
    page.get_by_role("link", name="Map").click()
    page.wait_for_selector("h1:has-text('Map')")
    visit.settle()
    assert page.locator(".ll-notice").count() == 0, "it is said once"


PAGES = ("runs", "sweep", "dimensions", "compare", "map", "decode", "support", "figures", "health")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_breaks_a_rule_of_accessibility_and_every_heading_says_what_it_means(
    chromium: Any, server: str, scheme: str
) -> None:
    visited = Visit(chromium, server, scheme)
    broken, silent = {}, {}
    for name in PAGES:
        page = visited.open(f"{name}?run=beta-4-seed-0")
        broken |= {(name, rule["id"]): rule["nodes"][0]["html"] for rule in Axe().run(page).response["violations"]}
        silent |= {(name, head.inner_text()): head for head in page.locator("th:not([title])").all()}
    page.context.close()
    assert not broken
    assert not silent


def test_a_decoder_at_hand_breaks_no_rule_of_accessibility(chromium: Any, started: Any, trained: Any) -> None:
    visited = Visit(chromium, started(trained.path))
    page = visited.open("decode?run=vae")
    page.locator("canvas").last.wait_for()
    broken = {rule["id"]: rule["nodes"][0]["html"] for rule in Axe().run(page).response["violations"]}
    page.context.close()
    assert not broken


def test_a_factor_has_one_colour_in_the_table_and_in_the_legend_below(visit: Visit) -> None:
    page = visit.open("compare?run=beta-1-seed-0&beside=beta-4-seed-0")
    page.locator(".legendtext").first.wait_for()
    pills = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('.pill')].map(
            pill => [pill.textContent, getComputedStyle(pill).backgroundColor]))"""
    )
    legend = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('.legend .traces')].map(each => [
            each.querySelector('.legendtext').textContent,
            getComputedStyle(each.querySelector('.scatterpts')).fill]))"""
    )
    shared = pills.keys() & legend.keys()
    assert len(shared) >= 2, (pills, legend)
    assert {name: pills[name] for name in shared} == {name: legend[name] for name in shared}


def test_what_is_to_be_copied_is_shown_where_the_browser_has_no_clipboard(visit: Visit) -> None:
    visit.page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page = visit.open("runs")
    page.get_by_role("button", name="Copy command").first.click()
    field = page.get_by_role("textbox", name="Copy command")
    field.wait_for()
    assert field.evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)").startswith("latentlab compare ")
    page.mouse.click(700, 500)
    field.wait_for(state="detached")


def test_the_buttons_of_a_chart_are_seen(visit: Visit) -> None:
    page = visit.open("sweep")
    buttons = page.locator(".js-plotly-plot .modebar-btn svg path").first
    buttons.wait_for(state="attached")
    assert page.evaluate("f => getComputedStyle(f).fill", buttons.element_handle()) == "rgb(92, 92, 88)"


@pytest.mark.parametrize("width", [390, 820])
def test_the_menu_makes_room_on_a_narrow_screen(chromium: Any, server: str, width: int) -> None:
    visited = Visit(chromium, server, width=width, height=844)
    page = visited.open("runs")
    menu = page.get_by_test_id("stSidebar")
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=true]", state="attached")
    page.get_by_test_id("stExpandSidebarButton").click()
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=false]")
    menu.get_by_role("link", name="Map").click()
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=true]", state="attached")
    page.wait_for_selector("h1:has-text('Map')")
    visited.settle()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 720})
    page.reload()
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=false]")
    page.context.close()
    assert not visited.errors


def test_a_row_that_was_picked_by_the_keyboard_keeps_the_focus(visit: Visit) -> None:
    page = visit.open("dimensions?run=beta-4-seed-0")
    page.get_by_role("button", name="Copy link").first.wait_for()
    page.focus("tr[data-key='z2']")
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:has-text('z2 in detail')")
    visit.settle()
    assert page.evaluate("document.activeElement.dataset.key") == "z2"
    assert page.locator("tr[aria-current=true]").get_attribute("data-key") == "z2"
