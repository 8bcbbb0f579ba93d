"""The frame of the dashboard: every page whole and accessible, its history, its links, narrow screens."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import CUT, Visit

pytestmark = pytest.mark.browser

LENGTH = "history.length"
LINK = "[data-testid=stSidebar] a[href$='{}']"
HERE = "document.activeElement.dataset.key"
SIZES = ((1440, 900), (1280, 720), (1024, 768), (390, 844))
CONTRAST = {"runOnly": ["color-contrast"]}
PAGES = {
    "overview": "Overview",
    "runs": "Runs",
    "sweep": "What β costs",
    "dimensions": "What each dimension does",
    "compare": "Settings side by side",
    "map": "Map",
    "decode": "Decode",
    "support": "Can you sample",
    "figures": "Figures for the paper",
    "health": "Health",
}


@pytest.fixture(scope="module")
def walked(chromium: Any, server: str) -> Any:
    """One visit that walks over all pages; at the end, no error was logged and nobody else was asked."""
    visited = Visit(chromium, server)
    visited.open("?run=beta-4-seed-0")
    yield visited
    visited.page.context.close()
    assert not visited.errors
    assert not visited.elsewhere


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_at_every_width_and_accessible_in_both_themes(walked: Visit, name: str) -> None:
    page = walked.page
    if name != "overview":
        page.click(LINK.format(name))
    page.wait_for_selector(f"h1:has-text('{PAGES[name]}')")
    walked.settle()
    assert page.get_by_test_id("stException").count() == 0
    assert page.locator("img:visible:not([alt]), img:visible[alt='']").count() == 0
    charts = page.get_by_test_id("stPlotlyChart").all()
    assert all(len(chart.get_attribute("aria-label") or "") > 40 for chart in charts), "a chart says what it shows"
    assert [head.inner_text() for head in page.locator("th:not([title])").all()] == [], "a heading says what it means"
    assert _violations(page) == {}
    page.emulate_media(color_scheme="dark")
    page.wait_for_function("getComputedStyle(document.querySelector('.stApp')).colorScheme === 'dark'")
    assert _violations(page, CONTRAST) == {}, "in the dark theme"
    page.emulate_media(color_scheme="light")
    for width, height in SIZES[1:]:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_function(f"document.documentElement.scrollWidth <= {width}")
        page.wait_for_function(f"!({CUT})().length")
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


def _violations(page: Any, options: Any = None) -> dict[str, str]:
    found = Axe().run(page, options=options).response["violations"]
    return {rule["id"]: rule["nodes"][0]["html"] for rule in found}


def test_a_chart_shows_its_buttons_and_a_factor_has_one_colour_in_table_and_legend(walked: Visit) -> None:
    page = walked.page
    page.click(LINK.format("compare"))
    page.locator(".legendtext").first.wait_for()
    button = page.locator(".js-plotly-plot .modebar-btn:not(.active) svg path").first.element_handle()
    assert page.evaluate("f => getComputedStyle(f).fill", button) == "rgb(92, 92, 88)"
    pills = page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('tr:not(.off) .pill')].map(
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


def test_by_keyboard_alone_every_act_is_one_entry_of_the_history_and_back_undoes_it(visit: Visit) -> None:
    page = visit.open("?run=beta-4-seed-0")
    at_first = page.evaluate(LENGTH)
    for name in ("runs", "sweep", "dimensions"):
        visit.tab_to(LINK.format(name))
        page.keyboard.press("Enter")
        page.wait_for_selector(f"h1:has-text('{PAGES[name]}')")
        visit.settle()
        assert page.locator("[role=dialog]").count() == 0, "streamlit's word for a page that it does not know"
    assert page.title() == "Dimensions · β = 4, seed 0 · study"
    assert page.evaluate(LENGTH) == at_first + 3
    page.locator("table[data-table=dimensions] tr[data-key]").nth(2).wait_for()
    first, second = (row.get_attribute("data-key") for row in page.locator("tr[data-key]").all()[1:3])
    page.get_by_role("button", name="Copy link").first.wait_for()  # the same script listens to the rows
    visit.tab_to("table[data-table=dimensions] tr.on")
    for dim in (first, second):
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")
        page.wait_for_selector(f"h2:has-text('{dim} in detail')")
        visit.settle()
        assert page.evaluate(HERE) == dim, "the focus stays"
        assert page.locator("tr[aria-current=true]").get_attribute("data-key") == dim
    assert page.evaluate(LENGTH) == at_first + 5
    page.go_back()
    page.wait_for_selector(f"h2:has-text('{first} in detail')")
    visit.settle()
    assert f"dim={first}" in page.url
    page.go_back()
    page.go_back()
    page.wait_for_selector("h1:has-text('What β costs')")
    assert page.evaluate(LENGTH) == at_first + 5


def test_what_a_link_asks_for_and_is_not_there_is_said(visit: Visit) -> None:
    page = visit.open("dimensions?run=nope&dim=z99&range=<b>far</b>")
    page.locator(".ll-notice").nth(2).wait_for()
    said = page.locator(".ll-notice").all_inner_texts()
    assert said[0] == "run 'nope' is not in this study; showing β = 1, seed 0."
    assert "range '<b>far</b>' is not among the choices here; showing prior." in said
    assert any(each.startswith("dim 'z99' is not among the choices here; showing z") for each in said)
    page.get_by_role("link", name="Map").click()
    page.wait_for_selector("h1:has-text('Map')")
    visit.settle()
    assert page.locator(".ll-notice").count() == 0, "it is said once"


def test_on_a_narrow_screen_the_menu_makes_room_and_without_a_clipboard_text_is_shown(
    chromium: Any, server: str
) -> None:
    visited = Visit(chromium, server, width=390, height=844)
    visited.page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page = visited.open("runs")
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=true]", state="attached")
    page.get_by_role("button", name="Copy command").first.click()
    field = page.get_by_role("textbox", name="Copy command")
    field.wait_for()
    assert field.evaluate("f => f.value.slice(f.selectionStart, f.selectionEnd)").startswith("latentlab compare ")
    page.get_by_test_id("stExpandSidebarButton").click()
    field.wait_for(state="detached")
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=false]")
    page.click(LINK.format("map"))
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=true]", state="attached")
    page.wait_for_selector("h1:has-text('Map')")
    visited.settle()
    page.set_viewport_size({"width": 1280, "height": 720})
    page.reload()
    page.wait_for_selector("[data-testid=stSidebar][data-collapsed=false]")
    page.context.close()
    assert not visited.errors
