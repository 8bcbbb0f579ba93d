"""Dimensions in a browser: a list at the left, one dimension at the right, names in the row, rows chosen by picture."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from browser import Visit

from latentlab.analysis.traverse.stage import decode_run
from latentlab.data import load
from latentlab.runs.run import Run
from latentlab.runs.study import Study

pytestmark = pytest.mark.browser

ON = "[...document.querySelectorAll('table[data-table=dimensions] tr.on')].map((row) => row.dataset.key)"
HERE = "document.activeElement.dataset.key"


@pytest.fixture(scope="module")
def own(trained: Study, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained VAE of one's own, with traversals."""
    path = tmp_path_factory.mktemp("own") / "study" / "vae"
    shutil.copytree(trained.path / "vae", path)
    decode_run(Run(path), load("digits"))
    return Run(path)


@pytest.fixture
def visited(chromium: Any, started: Any, own: Run) -> Any:
    visited = Visit(chromium, started(own.path.parent))
    yield visited
    visited.page.context.close()
    assert not visited.errors
    assert not visited.elsewhere


def test_a_row_is_picked_by_keyboard_keeps_the_focus_and_is_shown_beside_the_list(visited: Visit) -> None:
    page = visited.open("dimensions?dim=z1&colour=label")
    assert page.evaluate(ON) == ["z1"], "on first draw"
    page.wait_for_selector("img[alt*='reconstruction of row']")
    other = page.locator("tr[data-key]:not(.on)")
    assert other.get_attribute("aria-selected") == "false"
    page.focus("tr.on")
    page.keyboard.press("Home" if page.locator("tr[data-key]").first.get_attribute("data-key") == "z0" else "End")
    assert page.evaluate(HERE) == "z0", "arrows, Home and End move the focus"
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:has-text('z0 in detail')")
    visited.settle()
    assert page.evaluate(ON) == ["z0"]
    assert page.evaluate(HERE) == "z0", "the focus stays on the row"
    assert page.locator("tr[data-key=z0]").get_attribute("aria-selected") == "true"
    assert "dim=z0" in page.url
    for what in (
        "img[alt*='image of row']",
        "img.ll-wide[alt^='z0 over']",
        ".st-key-response",
        "input[aria-label='Name']",
    ):
        box = page.locator(what).first.bounding_box()
        assert box["y"] >= 0, what
        assert box["y"] + box["height"] <= 900, f"{what} lies in the viewport"
        assert box["x"] + box["width"] <= 1440


def test_a_dimension_is_named_in_its_row(visited: Visit, own: Run) -> None:
    page = visited.open("dimensions")
    row = page.locator("tr[data-key=z1]")
    row.locator("button[data-name]").click()
    page.keyboard.type("thick <b>")
    page.keyboard.press("Enter")
    page.wait_for_selector("h2:has-text('z1 thick <b> in detail')")
    visited.settle()
    assert own.notes()["dimensions"]["1"] == {"name": "thick <b>", "note": ""}
    assert "thick <b>" in row.inner_text()
    assert page.evaluate(ON) == ["z1"]
    assert page.evaluate(HERE) == "z1"


def test_a_row_is_chosen_by_its_picture(visited: Visit, own: Run) -> None:
    page = visited.open("dimensions")
    before = page.locator("tr[data-key] img.strip").first.get_attribute("src")
    page.get_by_role("button", name="Choose").click()
    pictures = page.locator(".thumbnails img")
    pictures.nth(23).wait_for()
    first = [image.get_attribute("src") for image in pictures.all()]
    page.get_by_role("button", name="Shuffle").click()
    visited.settle()
    assert first != [image.get_attribute("src") for image in pictures.all()]
    chosen = pictures.nth(3)
    row = chosen.get_attribute("src").rpartition("/")[2].removesuffix(".png")
    assert chosen.evaluate("(image) => image.naturalWidth") >= 8
    chosen.click()
    page.wait_for_selector(f"img[alt='image of row {row}']")
    visited.settle()
    assert f"anchor={row}" in page.url
    assert page.locator("tr[data-key] img.strip").first.get_attribute("src") != before
