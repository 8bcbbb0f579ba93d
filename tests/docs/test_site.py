"""The site builds without a warning, asks nothing of the network, and knows every public name."""

import os
import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import yaml
from conftest import ROOT
from PIL import Image

import latentlab
from latentlab.system.registry import names

LOADED = re.compile(
    r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?(?:https?:)?//|<link\b[^>]*\bhref=[\"']?(?:https?:)?//"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    assert [page.name for page in pages if LOADED.search(page.read_text(encoding="utf-8"))] == []
    assert "@import url(http" not in "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))


def test_every_public_name_has_an_entry(site: Path) -> None:
    text = (site / "reference" / "python.html").read_text(encoding="utf-8")
    missing = [name for name, home in latentlab._HOME.items() if f'id="latentlab.{home}.{name}"' not in text]
    assert missing == []
    assert "&gt;&gt;&gt;" not in re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL)


def test_every_verb_has_a_row(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    rows = set(re.findall(r"<td><code>(\w+)</code></td>", text))
    assert rows == {name.rstrip("_") for name in names("cli")}


def test_the_search_needs_no_server(site: Path) -> None:
    """From the disk a browser reads no JSON and starts no worker: the index and the worker come as scripts."""
    assert (site / "search" / "search_index.js").read_text(encoding="utf-8").startswith("var __index = {")
    for page in (site / "index.html", site / "scores" / "leakage.html"):
        script = re.search(r'<script src="([^"]*iframe-worker\.js)"', page.read_text(encoding="utf-8"))
        assert script
        assert (page.parent / script[1]).is_file()


def test_indices_are_lowered_but_for_those_in_code(site: Path) -> None:
    lowered = runpy.run_path(str(ROOT / "docs" / "subscripts.py"))["lowered"]
    assert lowered("Σ_{i≠j} Q̂_j(z_j), ‖X‖_* S_(1)j q_0.99") == (
        "Σ<sub>i≠j</sub> Q̂<sub>j</sub>(z<sub>j</sub>), ‖X‖<sub>*</sub> S<sub>(1)j</sub> q<sub>0.99</sub>"
    )
    for kept in ("<code>z_j</code>", '<a href="x_y">', "my_name", "mig_sup", "E_long", "<pre>z_j\nv_k</pre>"):
        assert lowered(kept) == kept
    text = (site / "scores" / "information.html").read_text(encoding="utf-8")
    assert "H(v<sub>j</sub>)" in text
    assert "(H(z*, v<sub>j</sub>)" in text


@pytest.mark.parametrize("folder", ["metrics", "figures", "training/objectives"])
def test_every_file_of_a_registry_has_an_entry(site: Path, folder: str) -> None:
    text = (site / "reference" / f"{folder.rpartition('/')[2]}.html").read_text(encoding="utf-8")
    assert [name for name in names(folder) if f'id="latentlab.{folder.replace("/", ".")}.{name}.' not in text] == []


def test_the_gallery_says_what_its_figures_show() -> None:
    """`docs/figures/draw.py` renews both; the pictures may differ a little between processors."""
    drawn = runpy.run_path(str(ROOT / "docs" / "figures" / "draw.py"))
    text = (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8")
    for kind in drawn["FIGURES"]:
        assert f"![{drawn['words'](kind)}](figures/gallery-{kind}.png)" in text
        kept = np.asarray(Image.open(ROOT / "docs" / "figures" / f"gallery-{kind}.png").convert("RGB"), dtype=float)
        anew = np.asarray(drawn["draw"](kind), dtype=float)
        assert kept.shape == anew.shape
        assert np.abs(kept - anew).mean() < 1


def test_the_lecturers_page_brings_the_notebook(site: Path) -> None:
    assert 'href="teaching.ipynb"' in (site / "lecturers.html").read_text(encoding="utf-8")
    assert (site / "teaching.ipynb").read_bytes() == (ROOT / "docs" / "teaching.ipynb").read_bytes()


def test_the_citation_is_that_of_this_version() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert {"cff-version", "message", "title", "authors"} <= set(cited)
    assert cited["cff-version"] == "1.2.0"
    assert (cited["title"], cited["version"], cited["license"]) == tuple(
        project[k].partition(" AND ")[0]
        for k in ("name", "version", "license")  # AND OFL-1.1: that of the font
    )
