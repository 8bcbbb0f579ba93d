"""Indices as they are typed, ``z_j`` and ``Σ_{i≠j}``, become subscripts, in pages and in docstrings alike."""

import re
from typing import Any

# What stays as it is: code, in a line or in a block, and tags with their attributes.
KEPT = re.compile(r"(<pre\b.*?</pre>|<code\b.*?</code>|<[^>]*>)", re.DOTALL)
# A letter (with its hat), an operator or a norm, then an index: braces, a rank in brackets, a number, letters, a star.
BASE = r"((?<!\w)(?:max|min|gap|Var|[^\W\d_])[\u0300-\u036f]?|‖)"
INDEX = re.compile(BASE + r"_(?:\{([^}]*)\}|(\(\d\)[a-z]?|\d+(?:\.\d+)?|[a-z]{1,2}|\*))(?![a-zA-Z_])")


def lowered(html: str) -> str:
    """A page's HTML with its indices lowered."""
    parts = KEPT.split(html)
    parts[::2] = [INDEX.sub(lambda found: f"{found[1]}<sub>{found[2] or found[3]}</sub>", part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, **_: Any) -> str:
    """What MkDocs calls with each page."""
    return lowered(html)
