"""Draws the figures of docs/gallery.md, with their words, and of the README from the shipped studies."""

import re
from io import BytesIO
from pathlib import Path

from PIL import Image

import latentlab as ll

HERE = Path(__file__).parent
PAGE = HERE.parent / "gallery.md"
FLAGSHIP, SCENES = (HERE.parents[1] / "artifacts" / name for name in ("flagship", "scenes"))
NAMED = SCENES / "beta-tcvae-beta8-seed0"
FIGURES = {
    "traversals": NAMED,
    "rate-distortion": SCENES,
    "kl": NAMED,
    "factor-matrix": NAMED,
    "reconstructions": NAMED,
    "projection": NAMED,
    "compare": [SCENES / "beta1-seed0", NAMED],
    "overview": SCENES,
}


def file(kind: str, suffix: str, **options: str) -> bytes:
    """The figure as the bytes of a file, decoded with each run's own model where it needs that."""
    paths, model = FIGURES[kind], {"model": ll.live} if ll.figures.decodes(kind) else {}
    runs = [ll.Run(path) for path in paths] if isinstance(paths, list) else paths
    return ll.figures.rendered(kind, runs, suffix, **options, **model)


def words(kind: str) -> str:
    """What a figure shows, as its alternative text."""
    return file(kind, "txt").decode().strip()


def draw(kind: str) -> Image.Image:
    """The figure as the page's command draws it."""
    return Image.open(BytesIO(file(kind, "png", preset="icml"))).convert("RGB")


def named() -> Image.Image:
    """The dimensions of an annealed run that earned a name, and the first of the others."""
    run = ll.Run(FLAGSHIP / "annealed-vae-gamma50-capacity16-anneal_steps20000-seed0")
    return Image.open(BytesIO(ll.figures.rendered("traversals", run, "png", preset="icml", top=4))).convert("RGB")


def flagship() -> Image.Image:
    """What each setting of the flagship costs and shows: the README's picture."""
    return Image.open(BytesIO(ll.figures.rendered("overview", ll.Study(FLAGSHIP), "png", preset="icml"))).convert("RGB")


def hues() -> Image.Image:
    """The three hues of a run in colour, a dimension each."""
    return Image.open(BytesIO(ll.figures.rendered("traversals", ll.Run(NAMED), "png", preset="icml", top=4))).convert(
        "RGB"
    )


if __name__ == "__main__":
    hues().save(HERE / "hues.png", optimize=True)
    named().quantize(128).save(HERE / "named-dimensions.png", optimize=True)
    flagship().quantize(128).save(HERE / "flagship.png", optimize=True)
    text = PAGE.read_text(encoding="utf-8")
    for kind in FIGURES:
        draw(kind).save(HERE / f"gallery-{kind}.png", optimize=True)
        picture = f"![{words(kind)}](figures/gallery-{kind}.png)"
        text = re.sub(rf"!\[.*\]\(figures/gallery-{kind}\.png\)", lambda _, new=picture: new, text)
    PAGE.write_text(text, encoding="utf-8")
