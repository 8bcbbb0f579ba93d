"""What the dashboard's pages take in a real Chromium, what they complain of and whom they ask; and how they look.

    python benchmarks/dashboard.py artifacts/dsprites
    python benchmarks/dashboard.py artifacts/dsprites --screenshots docs/screenshots
    python benchmarks/dashboard.py --rows 70000

Every page of a study is opened in a new browser profile: once to warm the server, then `--tries` times. First content
is the page's heading, settled is when the script has run to its end. `--rows` makes a study of that many rows instead,
and times its Map: opened by a server just started, opened again, and from a lasso's end to its montage on the screen.
Needs playwright and a Chromium on the PATH.
"""

from __future__ import annotations

import argparse
import io
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from latentlab.analysis.encode.stage import encode
from latentlab.analysis.project.stage import project_run
from latentlab.data import load
from latentlab.training.train import train

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SETTLED = """() => {
  const waiting = "[data-testid=stStatusWidget], [data-stale=true], [data-testid=stSpinner], [data-testid=stSkeleton]";
  const charts = [...document.querySelectorAll("[data-testid=stPlotlyChart]")];
  const loaded = [...document.images].every((image) => image.complete);
  return loaded && !document.querySelector(waiting) && charts.every((chart) => chart.querySelector(".main-svg"));
}"""
MONTAGE = f"() => document.querySelector('img.ll-wide')?.complete && ({SETTLED})()"
LASSO = ((0.2, 0.1), (0.9, 0.1), (0.9, 0.8), (0.2, 0.8), (0.2, 0.12))  # shares of the picture's width and height
SIDE = 24  # pixels of a made image
LENGTH = "document.querySelector('[data-testid=stMain]').scrollHeight"
WIDE, HIGH, TALLEST = 1440, 900, 1700
LARGEST = 150_000  # bytes of a screenshot


@contextmanager
def served(study: Path) -> Iterator[tuple[str, int]]:
    """The address of a dashboard in a process of its own, and the process."""
    line = [sys.executable, "-u", "-m", "latentlab", "dashboard", str(study), "--port", "8791", "--no-browser"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().partition(": ")[2].split(" ")[0], process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


class Visit:
    """One opening of one page: its times in seconds, what it complained of, whom else it asked."""

    def __init__(self, browser: Browser, url: str, scheme: str = "light", *, until: str = ".ll-head h1") -> None:
        self.errors: list[str] = []
        self.elsewhere: list[str] = []
        context = browser.new_context(viewport={"width": WIDE, "height": HIGH}, color_scheme=scheme)  # type: ignore[arg-type]
        self.page = context.new_page()
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("websocket", self._asked)
        started = time.perf_counter()
        self.page.goto(url)
        self.page.wait_for_selector(".ll-head h1", timeout=120_000)
        self.first = time.perf_counter() - started
        self.page.wait_for_selector(until, state="attached", timeout=120_000)
        self.settle()
        self.settled = time.perf_counter() - started

    def settle(self) -> None:
        """Wait until the script has run to its end and every chart is drawn, for three looks in a row."""
        calm = 0
        while calm < 3:
            self.page.wait_for_timeout(60)
            calm = calm + 1 if self.page.evaluate(SETTLED) else 0

    def lasso(self) -> float:
        """Seconds from the end of a lasso around about half of the picture until its montage is there."""
        box = self.page.locator(".nsewdrag").first.bounding_box()
        assert box is not None
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in LASSO]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=8)
        self.page.wait_for_timeout(500)  # the browser dims what is outside while the lasso is drawn
        started = time.perf_counter()
        self.page.mouse.up()
        self.page.wait_for_function(MONTAGE, polling="raf", timeout=120_000)
        return time.perf_counter() - started

    def _asked(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob") and url.hostname != "127.0.0.1":
            self.elsewhere.append(request.url)

    def screenshot(self, path: Path) -> int:
        """A picture of the whole page in 256 colours; its bytes."""
        for _ in range(2):  # charts that come into view make the page longer
            high = min(TALLEST, max(HIGH, int(self.page.evaluate(LENGTH))))
            self.page.set_viewport_size({"width": WIDE, "height": high})
            self.page.wait_for_timeout(800)
            self.settle()
        with Image.open(io.BytesIO(self.page.screenshot())) as image:
            picture = image.convert("RGB")
        for scale in (1, 0.8, 0.65, 0.5):
            size = (round(picture.width * scale), round(picture.height * scale))
            small = picture.resize(size, Image.Resampling.LANCZOS).quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1)
            buffer = io.BytesIO()
            small.save(buffer, "PNG", optimize=True)
            if buffer.tell() <= LARGEST:
                break
        path.write_bytes(buffer.getvalue())
        return buffer.tell()

    def close(self) -> None:
        """Leave."""
        self.page.context.close()


def pages(browser: Browser, url: str) -> list[str]:
    """The pages that the sidebar links to, by the names in their addresses."""
    visit = Visit(browser, url)
    links = visit.page.locator("[data-testid=stPageLink] a, a[data-testid=stPageLink-NavLink]")
    found = [urlsplit(str(link.get_attribute("href"))).path.strip("/") for link in links.all()]
    visit.close()
    return list(dict.fromkeys(found))


def measure(browser: Browser, url: str, pid: int, tries: int) -> None:
    """Print a table of the pages' times and of the server's largest memory so far."""
    print("| page | first content, s | settled, s | console errors | asked elsewhere | server so far, MiB |")
    print("|---|---|---|---|---|---|")
    for name in pages(browser, url):
        visits = []
        for _ in range(tries + 1):
            visits.append(Visit(browser, f"{url}/{name}"))
            visits[-1].close()
        first, settled = (statistics.median(getattr(v, key) for v in visits[1:]) for key in ("first", "settled"))
        errors, asked = (sum(len(getattr(v, key)) for v in visits) for key in ("errors", "elsewhere"))
        print(
            f"| {name or 'overview'} | {first:.2f} | {settled:.2f} | {errors} | {asked} | {largest(pid)} |", flush=True
        )


def largest(pid: int) -> int:
    """The peak of a process's resident memory until now, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def made(rows: int, folder: Path) -> Path:
    """A study of one small VAE whose codes and PCA are of that many images: the digits, enlarged and with noise."""
    digits, rng = load("digits"), np.random.default_rng(0)
    which = np.arange(rows) % len(digits)
    images = np.empty((rows, SIDE, SIDE), np.uint8)
    for start in range(0, rows, 10_000):
        block = digits[which[start : start + 10_000]][:, 0].repeat(SIDE // 8, axis=1).repeat(SIDE // 8, axis=2)
        images[start : start + 10_000] = np.clip(block + rng.integers(0, 40, block.shape), 0, 255)
    assert digits.labels is not None
    np.savez(folder / "made.npz", images=images, labels=digits.labels[which])
    data = load(folder / "made.npz")
    run = train(data, folder / "study" / "vae", objective="vae", latent_dim=10, steps=60, threads=1)
    encode(run, data)
    project_run(run, methods=("pca",), rows=rows)
    return folder / "study"


def measure_map(browser: Browser, url: str, tries: int) -> None:
    """Print how long the Map takes, opened and under a lasso."""
    print("| Map | first content, s | settled, s | lasso to montage, s |\n|---|---|---|---|")
    for number in range(tries + 1):
        visit = Visit(browser, f"{url}/map", until=".js-plotly-plot .main-svg")
        lasso = visit.lasso()
        said = "opened again" if number else "just started"
        print(f"| {said} | {visit.first:.2f} | {visit.settled:.2f} | {lasso:.2f} |", *visit.errors, flush=True)
        visit.close()


def photograph(browser: Browser, url: str, folder: Path) -> None:
    """A picture of every page, light and dark."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in pages(browser, url):
        for scheme in ("light", "dark"):
            visit = Visit(browser, f"{url}/{name}", scheme)
            path = folder / f"{name or 'overview'}-{scheme}.png"
            print(path, visit.screenshot(path), "bytes", *visit.errors, *visit.elsewhere, flush=True)
            visit.close()


def main() -> None:
    """Measure, or take pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("study", nargs="?", type=Path, help="a folder of runs")
    what.add_argument("--rows", type=int, help="make a study of that many rows, and time its Map")
    parser.add_argument("--map", action="store_true", help="time the Map of the study alone")
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--screenshots", type=Path)
    given = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        study = made(given.rows, Path(folder)) if given.rows else given.study
        with served(study) as (url, pid):
            if given.rows or given.map:
                measure_map(browser, url, given.tries)
            elif given.screenshots:
                photograph(browser, url, given.screenshots)
            else:
                measure(browser, url, pid, given.tries)
        browser.close()


if __name__ == "__main__":
    main()
