"""A published study needs no server: its pages work from a disk, ask for nothing elsewhere, and let nothing in."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from browser import Visit
from conftest import ROOT

import latentlab as ll
from latentlab.cli import run as latentlab
from latentlab.codes.dimensions import dimensions
from latentlab.errors import InputError
from latentlab.reports.site import decoders
from latentlab.reports.site.decoders import moved
from latentlab.reports.site.pages import first_pair
from latentlab.reports.site.publish import publish
from latentlab.runs.notes import name_dimension
from latentlab.runs.run import Run
from latentlab.system.files import write_json

HOSTILE = "</script><img src=x onerror=alert(1)>"
PAGES = ("index", "compare", "map", "dimensions", "scores", "report")
MOST = 20e6  # bytes that the shipped study's site may have
PLACES = "() => [...document.querySelectorAll('figure > canvas')].map((canvas) => canvas.toDataURL())"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with decoders, one of codes alone, one that is broken; a dimension with a name to be afraid of."""
    folder = tmp_path_factory.mktemp("published") / "study"
    one, other = folder / "beta0.2-seed0", folder / "beta4-seed0"
    how = {"objective": "beta-vae", "settings": {"beta": 0.2}, "network": "shallow", "steps": 60, "batch_size": 64}
    run = ll.train("digits", one, latent_dim=3, **how)
    name_dimension(run, 0, name=HOSTILE, note=HOSTILE)
    codes = ll.encode(run)
    shutil.copytree(one, other)  # so that every dimension has a match
    told = json.loads((other / "config.json").read_text())
    write_json(other / "config.json", {**told, "objective": {**told["objective"], "beta": 4.0}})
    ll.from_codes(codes.mean[:50], out=folder / "codes", name="<b>others</b>")
    (folder / "broken").mkdir()
    write_json(folder / "broken" / "config.json", {"format": 1})
    return folder


@pytest.fixture(scope="module")
def site(folder: Path) -> Path:
    return publish(folder, folder.parent / "site", rows=60, title=HOSTILE)


@pytest.fixture(scope="module")
def visit(chromium: Any, site: Path) -> Visit:
    return Visit(chromium, site.as_uri(), "dark")


def opened(visit: Visit, address: str) -> Any:
    visit.page.goto(f"{visit.server}/{address}")
    return visit.page


def test_a_page_runs_its_own_script_and_what_lies_beside_it(site: Path) -> None:
    for name in PAGES[:-1]:
        text = (site / f"{name}.html").read_text(encoding="utf-8")
        policy = re.search(r'Policy" content="([^"]+)"', text)
        assert policy is not None
        said = policy[1].replace("&#39;", "'")
        [script] = re.findall(r'<script type="module">(.*?)</script>', text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        loads = " 'self'" * (name in ("compare", "map"))
        assert said.startswith("default-src 'none'; ")
        assert said.endswith(f"script-src{loads} 'sha256-{digest}'")
        assert "http" not in said


def test_names_are_text(site: Path, visit: Visit) -> None:
    for path in site.glob("*.html"):
        assert "<img src=x" not in path.read_text(encoding="utf-8"), path
    page = opened(visit, "dimensions.html")
    assert HOSTILE in page.inner_text("section.part:not([hidden])")
    assert HOSTILE in page.inner_text("body > header")


def test_what_cannot_be_shown_is_said(site: Path, visit: Visit) -> None:
    assert "broken" in opened(visit, "index.html").inner_text("main")
    told = opened(visit, "compare.html").inner_text("main")
    assert "there is no decoder for its codes" in told
    assert "without the samples" in opened(visit, "map.html").inner_text("main")


def test_a_slider_moves_both_decoders_from_a_disk(visit: Visit) -> None:
    page = opened(visit, "compare.html")
    page.wait_for_selector("#stage[data-milliseconds]")
    assert [each.text_content() for each in page.query_selector_all("#stage h3")] == [
        "β = 0.2",
        "β = 4",
    ]
    before = page.evaluate(PLACES)
    slider = page.locator("#stage label:not(.off) input").first
    slider.fill(slider.get_attribute("max"))
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    after = page.evaluate(PLACES)
    assert [one != other for one, other in zip(before, after, strict=True)] == [True, True]
    page.locator("select").nth(1).select_option("")
    page.wait_for_selector("#stage .pictures.of1")
    assert page.url.endswith("#beta0.2-seed0")


def test_a_phone_shows_which_run_is_which_and_where_it_starts(visit: Visit) -> None:
    page = opened(visit, "compare.html#beta0.2-seed0,beta4-seed0")
    page.wait_for_selector("#stage .pictures.of2")
    page.set_viewport_size({"width": 390, "height": 844})
    note = "starts from its own row 318858"
    page.evaluate(
        f"() => document.querySelectorAll('#stage header small').forEach((each) => each.textContent = '{note}')"
    )
    boxes = page.evaluate(
        "() => [...document.querySelectorAll('#stage h3, #stage header small')]"
        ".map((each) => [each.clientWidth, each.scrollWidth, each.getBoundingClientRect().right])"
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    assert all(has >= 60 and has >= needs and right <= 390 for has, needs, right in boxes), boxes


def test_a_point_under_the_pointer_shows_its_picture(visit: Visit) -> None:
    page = opened(visit, "map.html#beta0.2-seed0")
    page.locator("#map .said", has_text="60 rows").wait_for()
    box = page.locator("#map .view > canvas").bounding_box()
    seen = None
    for k in range(400):
        x, y = box["x"] + box["width"] * (0.2 + 0.6 * (k % 20) / 20), box["y"] + box["height"] * (k // 20 + 0.5) / 20
        page.mouse.move(x, y)
        seen = page.query_selector("#map .view figure")
        if seen:
            break
    assert seen is not None
    page.wait_for_selector("#map .view figure img[src^='data:image/png']")
    assert "label" in seen.inner_text()
    page.mouse.click(x, y)
    assert page.locator("#picked figcaption").inner_text().startswith("row ")


def test_nothing_is_asked_for_elsewhere_and_nothing_complains(visit: Visit) -> None:
    for name in PAGES:
        opened(visit, f"{name}.html")
    asked = [each for each in visit.elsewhere if not each.startswith(visit.server)]
    assert asked == []
    assert visit.errors == []


def test_the_same_study_gives_the_same_bytes_and_an_earlier_site_is_replaced(site: Path, folder: Path) -> None:
    before = {path: path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}
    publish(folder, site, rows=60, title=HOSTILE)
    assert before == {path: path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}


def test_a_folder_with_anything_else_is_left_alone(
    folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.tex").write_text("mine")
    assert latentlab(["publish", str(folder), "-o", str(tmp_path / "site")]) == 2
    assert "holds thesis.tex, which was not published" in capfd.readouterr().err
    with pytest.raises(InputError, match="expected 1 to 10,000 rows"):
        publish(folder, tmp_path / "other", rows=0)
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_what_fails_leaves_what_was_there(site: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(site.parent.rglob("*"))
    half = ({"index.html": b"half", "data/rows-0.js": "not bytes"}, {})
    monkeypatch.setattr("latentlab.reports.site.publish._site", lambda *_: half)
    with pytest.raises(TypeError):
        publish(folder, site)
    assert sorted(site.parent.rglob("*")) == before
    assert (site / "index.html").read_bytes() != b"half"


def test_the_shipped_study_fits() -> None:
    """Every run's decoder has the same layers, and its points and pictures take less than a tenth of it."""
    run = Run(ROOT / "artifacts" / "dsprites" / "beta1-seed0")
    found, left = moved([run], {run.name: dimensions(run.codes(), draws=0)}, weights=True, progress=lambda *_: None)
    assert not left
    assert found[run.name]["decoder"]["half"]
    assert len(json.dumps(found)) * 18 < 0.7 * MOST


def test_every_heading_on_the_pages_is_explained(site: Path) -> None:
    for name in ("index", "dimensions"):
        heads = re.findall(r'<th scope="col"([^>]*)>(.*?)</th>', (site / f"{name}.html").read_text(encoding="utf-8"))
        assert heads
        assert [text for said, text in heads if "title=" not in said] == []


def test_runs_that_decode_in_the_page_are_published_and_compared_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stored traversals of other runs neither take their places nor are what a reader sees first."""
    runs = [SimpleNamespace(name=name) for name in ("a", "b", "c", "d")]
    monkeypatch.setattr(decoders, "MOST", 3)
    monkeypatch.setattr(decoders, "_model", lambda run, *_, **__: (object() if run.name in "bd" else None, ""))
    kinds = lambda chosen, models, **_: {  # noqa: E731
        run.name: {"decoder": {"kind": "network" if model else "frames"}}
        for run, model in zip(chosen, models, strict=True)
    }
    monkeypatch.setattr(decoders, "every_pair", kinds)
    together, left = decoders.moved(runs, dict.fromkeys("abcd"), weights=True, progress=lambda *_: None)  # type: ignore[arg-type]
    assert list(together) == ["a", "b", "d"]
    assert list(left) == ["c"]
    told: Any = SimpleNamespace(pair=list)
    assert first_pair(told, together) == ["b", "d"]
    assert first_pair(told, {name: together[name] for name in "ab"}) == ["a", "b"]
