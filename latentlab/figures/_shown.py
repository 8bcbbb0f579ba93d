"""A figure that notebooks show without a setting: alive where Plotly's view is at hand, elsewhere drawn for paper.

JupyterLab and VS Code know Plotly's own format. Whatever does not (an exported page, a PDF, a viewer on the web) shows
the picture that Matplotlib draws of the same data. A figure that was changed since is shown as it is, with Plotly's
script in it. Nothing is fetched. ``show()`` is Plotly's own and uses its renderers.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

WIDTH = 660  # CSS pixels of a picture five and a half inches wide


@dataclass(frozen=True)
class Paper:
    """What was drawn: ``png`` gives its picture for paper, ``again`` draws it with Plotly, ``caption`` describes it."""

    png: Callable[[], bytes]
    again: Callable[[], go.Figure]
    caption: str


class Shown(go.Figure):
    """A Plotly figure that remembers how it is drawn for paper."""

    _paper: Paper | None = None
    _ipython_display_ = None  # the bundle is what is shown

    @classmethod
    def of(cls, figure: go.Figure, paper: Paper) -> Shown:
        """The figure, and how it is drawn for paper."""
        shown = cls(figure)
        shown._paper = paper
        return shown

    def _repr_mimebundle_(self, *_: Any, **__: Any) -> dict[str, Any]:
        alive = pio.renderers["plotly_mimetype"].to_mimebundle(self.to_dict())
        return {**alive, **self._still()}

    def _repr_html_(self) -> str:
        return str(self._still()["text/html"])

    def _still(self) -> dict[str, str]:
        if self._paper is None or self.to_json() != Shown(self._paper.again()).to_json():
            return {"text/html": self.to_html(full_html=False, include_plotlyjs=True)}
        return still(self._paper.png(), self._paper.caption)


def still(png: bytes, caption: str, note: str = "") -> dict[str, str]:
    """A picture as notebooks keep it, for pages and for PDF, with its caption."""
    coded = b64encode(_for_screens(png)).decode()
    image = f'<img src="data:image/png;base64,{coded}" alt="{escape(caption)}" style="width:{WIDTH}px;max-width:100%">'
    said = " ".join(filter(None, (caption, note)))
    return {"text/html": f"<figure>{image}<figcaption>{escape(said)}</figcaption></figure>", "image/png": coded}


def _for_screens(png: bytes) -> bytes:
    """A picture with two pixels for each of CSS's, where it has more."""
    from PIL import Image

    written = BytesIO()
    with Image.open(BytesIO(png)) as image:
        shown = image.convert("RGB")
    shown.thumbnail((2 * WIDTH, image.height), Image.Resampling.LANCZOS)
    shown.quantize(256, dither=Image.Dither.NONE).save(written, "png", optimize=True)
    return written.getvalue()
