"""An SVG of ours within a page: its ids made unlike those of its neighbours, its ink that of the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from latentlab.figures import _style

if TYPE_CHECKING:
    from markupsafe import Markup

INK = {_style.INK.lower(): "currentColor", "#ffffff": "var(--page, #fff)"}


def inline(svg: str, name: str) -> Markup:
    """The ``<svg>`` element of a file that `rendered` gave, for a page's own text; `name` parts its ids from others'.

    It takes the width that it is given, is drawn in the page's colours (``currentColor``, ``--page``) and says in words
    what it shows.
    """
    from markupsafe import Markup

    words = re.search(r"<dc:description>(.*?)</dc:description>", svg, re.DOTALL)
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', body))
    body = re.sub(r' id="([^"]*)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body)
    body = re.sub(r'(url\(#|href="#)', rf"\1{name}-", body)
    for ours, pages in INK.items():
        body = body.replace(ours, pages)
    label = words[1].replace('"', "&quot;") if words else name  # escaped as XML already
    return Markup(
        re.sub(r'<svg [^>]*?(viewBox="[^"]+")[^>]*>', rf'<svg role="img" aria-label="{_raw(label)}" \1>', body, count=1)
    )


def _raw(text: str) -> str:
    """Text that a regular expression puts in as it is."""
    return text.replace("\\", "\\\\")
