"""A film of the live comparison, as a GIF: each slider of two or more runs moved from end to end.

    python benchmarks/live.py artifacts/dsprites/beta1-seed0 artifacts/dsprites/beta4-seed0 -o live.gif

The page is the stage alone, without a server. Needs playwright and a Chromium on the PATH.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import sync_playwright

from latentlab.browser.scripts import script, style
from latentlab.browser.stage import stage
from latentlab.models.live import live
from latentlab.runs.run import Run

WIDE, HIGH = 900, 375
STEPS = 18  # frames of a slider that moves from end to end
MILLISECONDS = 90  # of a frame
COLOURS = 16  # of the film
PAGE = """<!doctype html><style>body {{ margin: 16px; background: #FBFBF9; color: #1C1C1A }} {style}</style>
<div id=stage></div>
<script type=module>{script}
mountStage(document.getElementById("stage"), {content});</script>"""


def page_of(runs: list[Run], sliders: int) -> str:
    """A page with the first `sliders` sliders of the runs' stage."""
    content = stage(runs, [live(run) for run in runs])
    content["sliders"] = content["sliders"][:sliders]
    return PAGE.format(style=style("stage.css"), script=script("stage.js"), content=json.dumps(content))


def film(page: Any) -> Iterator[Image.Image]:
    """What is seen while one slider after the other goes to its upper end, to its lower one and back."""
    page.wait_for_function("document.querySelector('#stage').dataset.milliseconds")
    for slider in page.locator("input[type=range]").all():
        start, low, high = (float(slider.evaluate(f"each => each.{what}")) for what in ("value", "min", "max"))
        way = np.interp(np.linspace(0, 3, 3 * STEPS // 2), [0, 1, 2, 3], [start, 0.8 * high, 0.8 * low, start])
        for value in way:
            slider.evaluate("(each, value) => { each.value = value; each.dispatchEvent(new Event('input')); }", value)
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            yield Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def main() -> None:
    """Film the runs that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--sliders", type=int, default=3)
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDE, "height": HIGH})
        page.set_content(page_of([Run(path) for path in asked.runs], asked.sliders))
        frames = [frame.quantize(COLOURS, dither=Image.Dither.NONE) for frame in film(page)]
        browser.close()
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(asked.out, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0, optimize=True)
    print(f"{asked.out}: {len(frames)} frames, {asked.out.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
