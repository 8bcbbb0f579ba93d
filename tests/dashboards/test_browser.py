"""What only a browser shows: pages load clean and ask nobody else, a lasso selects, a link restores the view."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Visit

from latentlab.runs.study import Study

pytestmark = pytest.mark.browser

IN_FIRST_SCREEN = "e => { const b = e.getBoundingClientRect(); return b.top >= 0 && b.bottom <= innerHeight; }"


def test_the_overview_answers_within_the_first_screen_and_a_heading_sorts_the_runs(visit: Visit) -> None:
    page = visit.open("")
    page.locator(".ll-answer b").nth(2).wait_for()
    visit.settle()
    for parts, least in ((".ll-answer b", 3), ("[data-testid=stPlotlyChart]", 1), ("[class*=st-key-look-] button", 3)):
        assert sum(part.evaluate(IN_FIRST_SCREEN) for part in page.locator(parts).all()) >= least, parts
    names = lambda: page.locator("table[data-table=overview] tbody tr").evaluate_all("r => r.map(e => e.dataset.key)")  # noqa: E731
    before = names()
    score = page.locator("table[data-table=overview] button[data-sort=mig]")
    score.click()
    page.wait_for_selector("th[aria-sort=descending] button[data-sort=mig]")
    visit.settle()
    assert names()[0] == "beta-16-seed-1", "the highest score first"
    assert "sort=mig" in page.url
    score.press("Enter")
    page.wait_for_selector("th[aria-sort=ascending] button[data-sort=mig]")
    visit.settle()
    assert names()[-1] == "beta-16-seed-1"
    score.click()
    page.wait_for_selector("th[aria-sort=none] button[data-sort=mig]")
    visit.settle()
    assert names() == before
    page.get_by_role("button", name="dimension by dimension").click()
    page.wait_for_selector("h1:has-text('Settings side by side')")
    page.go_back()
    page.click("tr[data-key='beta-16-seed-1']")
    page.wait_for_selector("h1:has-text('What each dimension does')")
    visit.settle()
    assert "run=beta-16-seed-1" in page.url


def test_link_and_command_are_copied_data_downloaded_and_the_link_shows_the_same_in_another_browser(
    visit: Visit, chromium: Any, server: str
) -> None:
    page = visit.open("dimensions?run=beta-4-seed-1&colour=angle&against=angle&dim=z2&range=aggregate")
    page.get_by_role("button", name="Copy command").first.click()
    assert page.evaluate("navigator.clipboard.readText()").startswith("latentlab figure traversals ")
    with page.expect_download() as waiting:
        page.get_by_test_id("stDownloadButton").first.click()
    content = Path(waiting.value.path()).read_text()
    assert content.startswith("dim,index,")
    assert len(content.splitlines()) == 5
    page.get_by_role("button", name="Copy link").first.click()
    link = page.evaluate("navigator.clipboard.readText()")
    assert "against=angle" in link
    other = Visit(chromium, server)
    shown = other.open(link.removeprefix(f"{server}/"))
    for text in ("β = 4, seed 1", "z2 in detail", "middle 95 %", "Mean code ± 1 sd, by"):
        shown.locator("[data-testid=stMain]").get_by_text(text).first.wait_for()
    shown.context.close()


def test_a_lasso_in_one_picture_selects_in_all_and_the_link_keeps_it(visit: Visit, chromium: Any, server: str) -> None:
    page = visit.open("compare?run=beta-1-seed-0&beside=beta-4-seed-0")
    area = page.locator(".nsewdrag[data-subplot='x2y2']")
    area.scroll_into_view_if_needed()
    box = area.bounding_box()
    page.mouse.move(box["x"] + 4, box["y"] + 4)
    page.mouse.down()
    for x, y in ((0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.05)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6)
    page.mouse.up()
    page.wait_for_selector("h2:has-text('Selected rows')")
    visit.settle()
    page.locator("[data-testid=stMain]").get_by_text("500 of 500 rows in common").first.wait_for()
    other = Visit(chromium, server)
    shown = other.open(page.url.removeprefix(f"{server}/"))
    shown.locator("[data-testid=stMain]").get_by_text("500 of 500 rows in common").first.wait_for()
    shown.context.close()


def test_a_lasso_selects_says_how_many_of_how_many_and_a_link_brings_it_back(visit: Visit, chromium: Any) -> None:
    sent: list[int] = []
    visit.page.on("websocket", lambda socket: socket.on("framesent", lambda content: sent.append(len(content))))
    page = visit.open("map?run=beta-4-seed-0&picture=plane")
    box = page.locator(".nsewdrag").first.bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.05)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()
    page.wait_for_selector("h2:has-text('The selection')")
    visit.settle()
    page.locator("[data-testid=stMain]").get_by_text("768 of 768 points selected").first.wait_for()
    assert "area=" in page.url
    assert sent, "the lasso's corners were sent"
    assert max(sent) < 10_000, "and not the 768 points: of 30,000 they are 4 MB"
    other = Visit(chromium, visit.server)
    shown = other.open(page.url.removeprefix(f"{visit.server}/"))
    shown.locator("[data-testid=stMain]").get_by_text("768 of 768 points selected").first.wait_for()
    shown.context.close()
    assert not other.errors


PIXELS = "(canvases) => canvases.map((canvas) => canvas.toDataURL())"


def images(page: Any) -> list[str]:
    """The decoded images, after the frame of animation in which they are drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return list(page.locator("figure > canvas").evaluate_all(PIXELS))


def drag(page: Any, slider: Any, shares: tuple[float, ...]) -> list[list[str]]:
    """Drag a slider over shares of its width; the images at each."""
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    seen = []
    for share in shares:
        page.mouse.move(box["x"] + share * box["width"], middle)
        seen.append(images(page))
    return seen


def test_dragged_sliders_of_two_runs_ask_the_server_nothing_and_a_link_restores_the_images(
    chromium: Any, started: Any, trained: Any, tmp_path: Path
) -> None:
    for name in ("one", "other"):  # the same autoencoder twice: all of its dimensions match
        shutil.copytree(trained["ae"].path, tmp_path / "twins" / name)
    visited, sent = Visit(chromium, started(tmp_path / "twins")), []
    visited.page.on("websocket", lambda socket: socket.on("framesent", lambda content: sent.append(content)))
    page = visited.open("compare?run=one&beside=other")
    page.locator("[data-milliseconds]").wait_for()
    visited.settle()
    for _ in range(30):  # what the page tells as it is loaded, which takes long on a busy machine
        told = len(sent)
        page.wait_for_timeout(1_000)
        if len(sent) == told:
            break
    before = images(page)
    for k in (0, 1):  # the second at once after the first
        seen = drag(page, page.locator("input[type=range]").nth(k), (0.6, 0.7, 0.8, 0.9))
        assert all(one != other for each in seen for one, other in zip(each, before, strict=True))
        assert len({each[0] for each in seen}) == 4
        assert len(sent) == told, "the server is told nothing while a slider is dragged"
        page.mouse.up()
    page.wait_for_url("**moved=*")
    visited.settle()
    shown = images(page)
    other = Visit(chromium, visited.server)
    again = other.open(page.url.removeprefix(f"{visited.server}/"))
    again.locator("[data-milliseconds]").wait_for()
    assert images(again) == shown, "a link restores the images"
    for each in (visited, other):
        each.page.context.close()
        assert not each.errors
        assert not each.elsewhere


def test_a_slider_of_decode_keeps_the_focus_and_typed_values_move_it(chromium: Any, started: Any, trained: Any) -> None:
    visited = Visit(chromium, started(trained.path))
    page = visited.open("decode?run=vae")
    page.locator("[data-milliseconds]").wait_for()
    visited.settle()
    violations = Axe().run(page).response["violations"]
    assert {rule["id"]: rule["nodes"][0]["html"] for rule in violations} == {}
    slider = page.locator("input[type=range]").first
    begun = float(slider.input_value())
    slider.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_url("**z=*")
    visited.settle()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(begun + 0.6, abs=0.011)
    visited.settle()
    box = page.get_by_label("Values set by hand")
    box.fill("z0=1.5, z1=-0.5")
    box.press("Enter")
    page.wait_for_url("**z=z0*1.5*")
    visited.settle()
    assert sorted(float(each.input_value()) for each in page.locator("input[type=range]").all()) == [-0.5, 1.5]
    box.fill("z9=1")
    box.press("Enter")
    page.get_by_text("moves no dimension").wait_for()
    assert page.locator("input[type=range]").count() == 2, "the sliders stay beside what is wrong"
    page.context.close()
    assert not visited.errors
    assert not visited.elsewhere


@pytest.mark.parametrize("beside", ["beta-4-seed-0", "beta-4-seed-0,ae-seed-0,beta-16-seed-1"])
def test_all_compared_runs_are_in_view(visit: Visit, beside: str) -> None:
    page = visit.open(f"compare?run=beta-1-seed-0&beside={beside}")
    for each in ("figure h3", "table[data-table=matched] img.strip"):
        page.locator(each).first.wait_for()
    runs = 2 + beside.count(",")
    for width, height in ((1280, 720), (1024, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        visit.settle()
        for what, least in (("table[data-table=matched] :is(th, img.strip)", 8), ("figure:has(h3)", runs)):
            boxes = [each.bounding_box() for each in page.locator(what).all()]
            assert len(boxes) >= least
            assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes), (what, width)
        if runs == 2:
            titles = [each.bounding_box() for each in page.locator("figure h3").all()]
            assert all(box["y"] + box["height"] <= height for box in titles), "both names are in the first view"


def test_panels_are_collected_on_the_way_survive_a_reload_and_leave_in_one_zip(
    chromium: Any, started: Any, study_of: Any
) -> None:
    study = study_of("beta-4-seed-0", "beta-1-seed-0")
    visit = Visit(chromium, started(study))
    page = visit.open("sweep?run=beta-4-seed-0")
    page.get_by_role("button", name="Add to report").nth(1).click()
    page.get_by_role("button", name="Remove from report").wait_for()
    visit.settle()
    assert (study / "collected.json").is_file()
    page = visit.open("figures?run=beta-4-seed-0")
    page.wait_for_selector("h2:has-text('Collected for the report')")
    assert "1 panel" in page.locator("[data-testid=stMain]").inner_text()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download ZIP").click()
    with zipfile.ZipFile(waiting.value.path()) as archive:
        names = archive.namelist()
        assert names[0] == "README.md"
        assert sorted(name.rpartition(".")[2] for name in names[1:]) == ["csv", "pdf", "tex", "txt"]
        assert "latentlab figure " in archive.read("README.md").decode()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_opens_clean_and_asks_nobody(chromium: Any, toy_study: Study, tmp_path: Path, scheme: str) -> None:
    from latentlab.reports.html import report

    file = report(toy_study, tmp_path / "report.html")
    visited = Visit(chromium, f"file://{tmp_path}", scheme)
    visited.page.goto(f"file://{file}")
    assert visited.page.locator("svg").count() == 3
    assert visited.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    ink, paper = visited.page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).background]"
    )
    assert ("rgb(236" in ink) == (scheme == "dark"), paper
    visited.page.context.close()
    assert not visited.errors
    assert not [asked for asked in visited.elsewhere if not asked.startswith("file:")]


def test_the_image_of_the_point_under_the_pointer_is_shown(chromium: Any, started: Any, trained: Any) -> None:
    visited = Visit(chromium, started(trained.path))
    page = visited.open("map?run=vae&picture=plane")
    page.locator(".nsewdrag").first.wait_for()
    page.wait_for_timeout(600)
    place = page.evaluate(
        """() => {
            const plot = document.querySelector(".js-plotly-plot"), trace = plot._fullData[0];
            const box = plot.querySelector(".nsewdrag").getBoundingClientRect();
            const {xaxis, yaxis} = plot._fullLayout;
            return [box.left + xaxis.d2p(trace.x[7]), box.top + yaxis.d2p(trace.y[7])];
        }"""
    )
    page.mouse.move(place[0] - 3, place[1])
    page.mouse.move(*place, steps=3)
    image = page.locator("img[src^='/thumbnail/vae/']")
    image.wait_for(state="visible")
    assert image.evaluate("i => i.naturalWidth") >= 8
    page.context.close()
    assert not visited.errors
    assert not visited.elsewhere
