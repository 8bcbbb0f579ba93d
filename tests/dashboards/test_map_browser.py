"""The map of all rows in a browser: lassos, histograms that filter, paths that are decoded, many rows."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Visit

from latentlab.browser.map import content
from latentlab.browser.scripts import script, style
from latentlab.codes.regions import regions

pytestmark = pytest.mark.browser

CORNERS = ((0.02, 0.03), (0.98, 0.03), (0.98, 0.97), (0.02, 0.97), (0.02, 0.08))
SELECTION = "h2:has-text('The selection')"


def said(page: Any) -> str:
    return str(page.locator("[data-testid=stMain]").inner_text())


def lasso(page: Any) -> None:
    page.get_by_role("button", name="Lasso", exact=True).click()
    box = page.locator(".latentlab-map canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in CORNERS]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    page.mouse.up()


def test_a_lasso_selects_all_rows_stays_drawn_and_comes_back_by_link(visit: Visit, chromium: Any) -> None:
    page = visit.open("map?run=beta-4-seed-0&picture=plane&rows-shown=all")
    page.locator(".latentlab-map .said").get_by_text("768 rows").wait_for()
    lasso(page)
    page.wait_for_selector(SELECTION)
    visit.settle()
    assert "768 of 768 points selected" in said(page)
    assert page.locator(".latentlab-map .area").count() == 1
    other = Visit(chromium, visit.server)
    shown = other.open(page.url.removeprefix(f"{visit.server}/"))
    shown.wait_for_selector(SELECTION)
    assert "768 of 768 points selected" in said(shown)
    shown.context.close()
    assert not other.errors


def test_histograms_filter_one_another_and_what_is_left_can_be_selected(visit: Visit) -> None:
    page = visit.open("map?run=beta-4-seed-0&picture=plane&rows-shown=all&colour=shape")
    page.locator(".latentlab-map .said").get_by_text("768 rows").wait_for()
    page.click("button[title='shape heart: 256 rows']")
    page.locator(".latentlab-map .said").get_by_text("256 of 768 rows").wait_for()
    page.wait_for_selector("button[title^='angle'][title$=': 64 rows']")
    assert page.locator("button[title='shape square: 256 rows']").count() == 1, "a histogram is not filtered by itself"
    page.locator("button[title^='angle'][title$=': 64 rows']").first.click()
    page.locator(".latentlab-map .said").get_by_text("64 of 768 rows").wait_for()
    page.get_by_role("button", name="Select these rows").click()
    page.wait_for_selector(SELECTION)
    visit.settle()
    assert "64 with shape heart, angle 0" in said(page)
    assert "filters=" in page.url


def test_a_path_over_points_is_decoded(chromium: Any, started: Any, trained: Any) -> None:
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    visited = Visit(chromium, started(trained.path))
    page = visited.open("map?run=vae&picture=plane&rows-shown=all")
    page.locator(".latentlab-map .said").get_by_text("rows").wait_for()
    page.get_by_role("button", name="Path", exact=True).click()
    box = page.locator(".latentlab-map canvas").bounding_box()
    stations = page.locator(".latentlab-map .station")
    for x in np.linspace(0.3, 0.7, 9):
        before = stations.count()
        if before == 3:
            break
        page.mouse.click(box["x"] + x * box["width"], box["y"] + box["height"] / 2)
        with suppress(PlaywrightTimeout):  # where no point lies nearby there is no station
            stations.nth(before).wait_for(timeout=1_000)
    assert stations.count() == 3
    page.get_by_role("button", name="Decode the path").click()
    strip = page.locator("img[alt*='decoded along a path']")
    strip.wait_for()
    visited.settle()
    assert strip.evaluate("(image) => image.naturalWidth") > 8 * 8
    assert stations.count() == 3, "the path stays"
    assert len(page.url.partition("way=")[2].partition("&")[0].split("+")) == 3
    page.locator(".latentlab-map canvas").focus()
    for _ in range(8):
        page.keyboard.press("+")
    pictures = page.locator(".latentlab-map .over img")
    pictures.first.wait_for()
    loaded = "(root) => [...root.querySelectorAll('.over img')].every((image) => image.naturalWidth)"
    page.wait_for_function(loaded, arg=page.locator(".latentlab-map").element_handle())
    assert 1 < pictures.count() <= 60, "few rows in view: thumbnails in place of labels"
    if folder := os.environ.get("LATENTLAB_SCREENSHOTS"):
        page.screenshot(path=Path(folder) / "map-all-rows.png")
    page.context.close()
    assert not visited.errors
    assert not visited.elsewhere


def test_many_rows_are_moved_zoomed_and_filtered_in_the_page_alone(chromium: Any) -> None:
    n, rng = 200_000, np.random.default_rng(0)
    levels = rng.integers(0, 3, n)
    xy = rng.normal(size=(n, 2)) + 4 * levels[:, None]
    factors = {"kind": (levels, ["ant", "bee", "cat"])}
    data = {
        **content(xy, np.arange(n), factors, regions(xy, factors), {"kind"}),
        "by": "kind",
        "pictures": "",
        "areas": [],
    }
    page = chromium.new_context(viewport={"width": 900, "height": 700}).new_page()
    page.set_content(f"<style>{style('map.css')}</style><div class='latentlab-map'></div>")
    mount = """
        window.told = [];
        const keep = Object.fromEntries(["area", "path", "pick", "filter"].map((k) => [k, (v) => told.push([k, v])]));
        window.mount = (data) => mountMap(document.querySelector(".latentlab-map"), data, keep);
    """
    page.add_script_tag(content=script("map.js") + mount, type="module")
    page.wait_for_function("!!window.mount")
    page.evaluate("(data) => { mount(data); }", data)
    page.get_by_text("200,000 rows").wait_for()
    assert sorted(page.locator(".over span").all_inner_texts()) == ["ant", "bee", "cat"]
    pixels = "document.querySelector('.latentlab-map canvas').toDataURL()"
    seen = [page.evaluate(pixels)]
    page.locator("canvas").focus()
    for key in ("ArrowLeft", "+"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
        seen.append(page.evaluate(pixels))
    page.click("button[title^='kind bee']")
    page.get_by_text(f"{(levels == 1).sum():,} of 200,000 rows").wait_for()
    page.wait_for_timeout(300)
    seen.append(page.evaluate(pixels))
    assert len(set(seen)) == 4
    page.click("text=Select these rows")
    assert page.evaluate("told") == [["filter", {"kind": ["bee"]}]]
    page.context.close()
