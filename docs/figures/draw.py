"""Draws the figures of docs/gallery.md from the shipped studies: ``python docs/figures/draw.py``."""

from io import BytesIO
from pathlib import Path

from PIL import Image

import latentlab as ll

HERE = Path(__file__).parent
MINI, STUDY = HERE.parents[1] / "artifacts" / "mini", HERE.parents[1] / "artifacts" / "dsprites"
FIGURES = {
    "traversals": STUDY / "beta4-seed0",
    "rate-distortion": STUDY,
    "kl": STUDY / "beta4-seed0",
    "factor-matrix": STUDY / "beta4-seed0",
    "reconstructions": MINI / "beta4-seed0",
    "projection": MINI / "beta4-seed0",
}

if __name__ == "__main__":
    for kind, of in FIGURES.items():
        drawn = Image.open(BytesIO(ll.figures.rendered(kind, of, "png", preset="icml"))).convert("RGB")
        drawn.quantize(128).save(HERE / f"gallery-{kind}.png", optimize=True)
