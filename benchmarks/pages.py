"""How long a reader waits for what they do on the dashboard's pages, by the clock and in the server's processor time.

    python benchmarks/pages.py artifacts/dsprites

Everything happens in one visit to a server just started, as a reader would: the first line of each page is cold. An act
ends when the heading or the picture that was asked for is on the screen; of a drag, the time is that of decoding and
drawing in the browser. Takes about two minutes on idle cores. Needs playwright and a Chromium on the PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dashboard import FLAGS, Visit, served
from playwright.sync_api import sync_playwright

from latentlab.runs.study import Study
from latentlab.runs.weights import has_weights

LINK = "[data-testid=stSidebar] a[href$='{}']"
PAGES = {
    "sweep": "What β costs",
    "dimensions": "What each dimension does",
    "compare": "Settings side by side",
    "map": "Map of the codes",
    "decode": "Decode",
    "overview": "Overview",
}
MOVES = 40
TICKS = os.sysconf("SC_CLK_TCK")


class Watch:
    """Times of acts on a page at rest, on the clock and in the server's processor time."""

    def __init__(self, pid: int, settle: Callable[[], None]) -> None:
        self.pid, self.settle = pid, settle
        print("| act | s | server's processor, s |\n|---|---|---|")

    def of(self, name: str, acts: Sequence[Callable[[], None]]) -> None:
        """Print the median of acts of one kind."""
        walls, processor = [], []
        for act in acts:
            self.settle()
            before, begun = self._used(), time.perf_counter()
            act()
            walls.append(time.perf_counter() - begun)
            processor.append(self._used() - before)
        print(f"| {name} | {statistics.median(walls):.2f} | {statistics.median(processor):.2f} |", flush=True)

    def _used(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def acts(page: Any, settle: Callable[[], None], watch: Watch, runs: Sequence[str]) -> None:
    """Walk over the pages twice, then act on them."""

    def go(name: str, until: str = "") -> Callable[[], None]:
        def act() -> None:
            page.click(LINK.format(name))
            page.wait_for_selector(until or f"h1:has-text('{PAGES[name]}')")

        return act

    for again in ("", ", again"):
        for name in PAGES:
            watch.of(f"{name}: heading{again}", [go(name)])
            settle()
    go("dimensions")()
    settle()
    dims = [row.get_attribute("data-key") for row in page.locator("tr[data-key]").all()]
    watch.of("pick a dimension: heading", [_pick(page, dim) for dim in dims[1:6]])
    watch.of(
        "pick a dimension: all drawn, which is looked at for 0.2 s", [_pick(page, dim, settle) for dim in dims[1:6]]
    )
    watch.of("change the run", [_run(page, name) for name in runs])
    go("compare")()
    settle()
    watch.of("compare: sliders ready, another run", [_run(page, runs[0], until="[data-milliseconds]")])
    go("decode")()
    page.wait_for_selector("[data-milliseconds]")
    settle()
    print(f"| decode: pointer moved, image decoded and drawn | {_drag(page):.3f} | 0 |")


def _pick(page: Any, dim: str, then: Callable[[], None] = lambda: None) -> Callable[[], None]:
    def act() -> None:
        page.click(f"tr[data-key='{dim}']")
        page.wait_for_selector(f"h2:has-text('{dim} in detail')")
        then()

    return act


def _run(page: Any, label: str, until: str = "") -> Callable[[], None]:
    def act() -> None:
        page.locator("[data-testid=stSidebar] [data-testid=stSelectbox] input").first.click()
        page.get_by_role("option", name=label, exact=True).click()
        page.wait_for_function("(label) => document.title.includes(label)", arg=label)
        page.wait_for_selector(until or ".ll-head h1")

    return act


def _drag(page: Any) -> float:
    """Median seconds that the browser takes to decode and draw after a move of the pointer."""
    box = page.locator("input[type=range]").first.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    drawn = []
    for move in range(MOVES):
        page.mouse.move(box["x"] + box["width"] * (0.2 + 0.6 * move / MOVES), middle)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        drawn.append(float(page.locator("[data-milliseconds]").get_attribute("data-milliseconds")) / 1000)
    page.mouse.up()
    return statistics.median(drawn)


def together(browser: Any, url: str, names: Sequence[str]) -> None:
    """Print what it takes to decode and draw two to four runs at once after a move of the pointer."""
    for count in range(2, min(4, len(names)) + 1):
        beside = f"run={names[0]}&beside={','.join(names[1:count])}"
        visit = Visit(browser, f"{url}/compare?{beside}", until="[data-milliseconds]")
        print(f"| compare: pointer moved, {count} runs decoded and drawn | {_drag(visit.page):.3f} | 0 |", flush=True)
        visit.close()


def main() -> None:
    """Measure one study."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path, help="a folder of runs")
    parser.add_argument(
        "--runs",
        default="β = 4, seed 0;β = 16, seed 0;β = 2, seed 0",
        help="labels of runs to change to, with semicolons between",
    )
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright, served(given.study) as (url, pid):
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        visit = Visit(browser, url)
        watch = Watch(pid, visit.settle)
        print(f"| overview: first content, server just started | {visit.first:.2f} | |")
        visit.page.set_default_timeout(120_000)
        acts(visit.page, visit.settle, watch, given.runs.split(";"))
        visit.page.click(LINK.format("map"))
        visit.page.wait_for_selector(".js-plotly-plot .main-svg")
        visit.settle()
        print(f"| map: lasso's end to montage | {visit.lasso():.2f} | |")
        able = [run for run in Study(given.study) if run.config.stochastic and has_weights(run)]
        together(browser, url, [run.name for run in able if run.config.seed == able[0].config.seed])
        print(*visit.errors, *visit.elsewhere)
        browser.close()


if __name__ == "__main__":
    main()
